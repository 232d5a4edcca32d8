"""Commands of a slot, from where they come in to where the desk decides them: at once when there is room, else in turn.

A command whose account is not in memory, or that needs something else of the store, blocks its account's lane until it
is there; commands of other accounts pass by.
"""

import asyncio
from collections.abc import Callable, Sequence

from charging.errors import Fault, Overloaded
from domainservers.accounts.accounts import Cell
from domainservers.base.limits import Limits
from domainservers.base.surroundings import Surroundings
from domainservers.desk.answers import expired, pack_fault, store_away
from domainservers.desk.desk import SlotDesk
from domainservers.desk.item import Item, Need, OtherLane
from domainservers.desk.lanes import Lanes
from domainservers.journal.groups import Groups
from domainservers.journal.keys import KeyIndex


class CommandTurns:
    """Lanes of one slot and who goes next."""

    def __init__(
        self,
        name: str,
        limits: Limits,
        cells: dict[str, Cell],
        keys: KeyIndex,
        groups: Groups,
        around: Surroundings,
        desk: SlotDesk,
        *,
        load: Callable[[str], None],
        name_opening: Callable[[Item], None],
        fulfil: Callable[[Item, Need], None],
        drain_ms: Callable[[int], int],
        decided: Callable[[], None],
    ) -> None:
        """`load` reads an account: `came` or `lost` follows. `name_opening` gives an account to what names none.
        `fulfil` reads what an item needs: `fulfilled` follows. `drain_ms` says how long a queue of so many commands
        takes. `decided` is told that something may have been put into the open group.
        """
        self.lanes: Lanes[Item] = Lanes(limits.queue_entries_max, limits.lane_entries_max)
        self._name = name
        self._cells = cells
        self._keys = keys
        self._groups = groups
        self._around = around
        self._desk = desk
        self._load = load
        self._name_opening = name_opening
        self._fulfil = fulfil
        self._drain_ms = drain_ms
        self._decided = decided
        self._loop = asyncio.get_running_loop()

    def take(self, items: Sequence[Item]) -> None:
        """Take commits, in order."""
        self._around.look()
        self.look_up(items)
        for item in items:
            self.enter(item)
        self._decided()

    def look_up(self, items: Sequence[Item]) -> None:
        """Ask the sorted arrays of old keys once for many items, before they enter."""
        keys = self._keys
        old = keys.find_old([item.mark for item in items]) if items else []
        for item, position in zip(items, old, strict=True):
            item.old_position = position
            item.generation = keys.generation

    def enter(self, item: Item) -> None:
        """Decide an item, or put it into its lane."""
        account_id = item.command.account_id
        if not account_id:
            self._name_opening(item)
            return
        if self.lanes.busy(account_id) or self._groups.full:
            self._queue(account_id, item)
            return
        cell = self._cells.get(account_id)
        if cell is None:
            if self._queue(account_id, item):
                self.lanes.block(account_id)
                self._load(account_id)
            return
        need = self._desk.commit(item, cell)
        if need is not None:
            self._block(account_id, item, need)

    def _queue(self, account_id: str, item: Item) -> bool:
        if self.lanes.push(account_id, item):
            return True
        fault = Overloaded(
            "SLOT_OVERLOADED", f"slot {self._name} has no room", retry_ms=self._drain_ms(self.lanes.size)
        )
        item.sink.answer(item.place, pack_fault(fault))
        return False

    def _block(self, account_id: str, item: Item, need: Need) -> None:
        if isinstance(need, OtherLane):
            self.look_up([item])
            self.enter(item)
            return
        self.lanes.block(account_id, item)
        self._fulfil(item, need)

    def fulfilled(self, item: Item, fault: Fault | None) -> None:
        """What the first item of a lane needed is there, or can't be had; if it waits no more, nothing is done."""
        account_id = item.command.account_id
        if not self.lanes.first(account_id, item):
            return
        if fault is not None:
            self.lanes.shift(account_id)
            item.sink.answer(item.place, pack_fault(fault))
        self.lanes.unblock(account_id)
        self.pump()

    def came(self, account_id: str) -> None:
        """An account is in memory."""
        self.lanes.unblock(account_id)
        self.pump()

    def lost(self, account_id: str) -> None:
        """An account can't be read: nobody can say whether it is there."""
        body = pack_fault(store_away())
        for item in self.lanes.drop_lane(account_id):
            item.sink.answer(item.place, body)

    def pump(self) -> None:
        """Give lanes their turns while the open group has room."""
        self._around.look()
        # Each turn decides one command of one account. What must be read first blocks its lane alone; what can't be
        # decided in time is told so and takes no room in the group. It ends when no lane is ready or the group is full,
        # and goes on when the next group opens.
        while not self._groups.full:
            turn = self.lanes.pop()
            if turn is None:
                break
            account_id, item = turn
            if item.sink.deadline <= self._loop.time():
                item.sink.answer(item.place, pack_fault(expired()))
                continue
            cell = self._cells.get(account_id)
            if cell is None:
                self.lanes.block(account_id, item)
                self._load(account_id)
                continue
            need = self._desk.commit(item, cell)
            if need is not None:
                self._block(account_id, item, need)
        self._decided()

    def refuse(self, fault: Fault) -> None:
        """Answer all that wait in lanes."""
        body = pack_fault(fault)
        for item in self.lanes.drain():
            item.sink.answer(item.place, body)

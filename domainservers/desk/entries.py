"""What becomes of a decision: an entry in the open group, its answer waiting with it.

Every answer that rests on a group is released when the group is applied, so no caller ever sees what could still be
lost.
"""

from msgspec import Raw

from charging.base.account import Account
from charging.errors import Fault, Invalid
from charging.ledger.entry import Entry
from charging.ledger.kinds import TAGS, Event
from charging.ledger.outcome import ChargedFact
from domainservers.accounts.accounts import Cell
from domainservers.accounts.memory import Memory
from domainservers.base.surroundings import Surroundings
from domainservers.desk.answers import pack_fault
from domainservers.desk.item import Item
from domainservers.journal.groups import Groups, WhenOurs
from domainservers.journal.keys import KeyIndex
from runtime.telemetry import logger

log = logger("domainservers.desk.entries")


class Entries:
    """Puts entries into a slot's groups."""

    def __init__(
        self, memory: Memory, keys: KeyIndex, groups: Groups, around: Surroundings, when_ours: WhenOurs
    ) -> None:
        self._memory = memory
        self._keys = keys
        self._groups = groups
        self._around = around
        self._when_ours = when_ours

    def keep(
        self,
        item: Item,
        cell: Cell,
        version: int,
        events: tuple[Event, ...],
        outcome: bytes,
        charged: ChargedFact | None = None,
    ) -> int:
        """Put an item's entry into the open group and give the group's sequence; `version` is the account's after it.

        The caller sets the state. Raises `Invalid` with nothing done when the journal can't take it.
        """
        command = item.command
        groups = self._groups
        entry = Entry(
            command.account_id,
            command.key,
            command.digest,
            version,
            cell.seq,
            self._around.newest_ms,
            TAGS[type(command.action)],
            item.identity,
            command.actor,
            command.channel,
            events,
            Raw(outcome),
            charged,
            command.principal,
        )
        self._keys.add(item.mark, groups.add(entry))
        group = groups.open
        group.waiters.append((item.sink, item.place, outcome))
        return group.seq

    def note(
        self, item: Item, cell: Cell, account: Account | None, outcome: bytes, charged: ChargedFact | None = None
    ) -> None:
        """Keep an outcome under its key that leaves the account as it is."""
        version = account.version if account is not None else 0
        try:
            self._memory.touch(cell, self.keep(item, cell, version, (), outcome, charged))
        except Invalid as refused:
            self.not_kept(item, cell, refused)

    def not_kept(self, item: Item, cell: Cell, fault: Fault) -> None:
        """Answer what the journal can't take: nothing was done."""
        log.error("nothing is kept of a command", kind=TAGS[type(item.command.action)], reason=fault.reason)
        self.reply(item, cell, pack_fault(fault))

    def reply(self, item: Item, cell: Cell, body: bytes) -> None:
        """Answer with something that rests on the account's newest state and is not journaled."""
        seq, sink, place = cell.seq, item.sink, item.place
        self._when_ours(sink, place, lambda: self._groups.reply(seq, sink, place, body))

"""A slot that is owned: takes requests, gets what they need into memory, lets the desk decide, journals in groups.

While a group is in flight, what arrives becomes the next group; there is no timer. Every wait is bounded: the queue by
items, a lane by items, reads under way by items, everything by the caller's deadline.
"""

import asyncio
from collections.abc import Callable, Sequence
from enum import Enum

from msgspec.structs import replace

from charging.base.account_id import asked_for
from charging.errors import Broken, Fault, Overloaded, Unavailable
from charging.wire import Ask, Commit, FetchHistory, FetchOutcomes, Lookup, Pull
from domainservers.desk.gate import let_in
from domainservers.desk.item import Item, Need, expired, pack_fault, slot_moving, store_away, unknown_identity
from domainservers.desk.lanes import Lanes
from domainservers.journal.groups import Sink
from domainservers.slot.committing import Committing
from domainservers.slot.fulfilling import Fulfilling
from domainservers.slot.opening import Openings
from domainservers.slot.parts import Parts
from runtime.telemetry import logger
from storage.unit import Stored, StoreRejected, StoreUnavailable

log = logger("domainservers.slot.slot")

CLOSE_TIMEOUT_S = 10.0
"""How long a slot may take to write itself down before it is given up all the same; the journal has everything."""


class State(Enum):
    """Where a slot is in its life."""

    SERVING = "serving"
    DRAINING = "draining"
    ENDED = "ended"


class Slot:
    """One owned slot. `close` gives it up in order; when it is fenced it steps down by itself."""

    def __init__(
        self, parts: Parts, on_end: Callable[["Slot"], None], fresh: Callable[[], bool] = lambda: True
    ) -> None:
        """`fresh` says whether nobody can have taken the slot over unnoticed; reads ask the journal first when not."""
        self.parts = parts
        self._fresh = fresh
        self.name = parts.name
        self.state = State.SERVING
        self.lanes: Lanes[Item] = Lanes(parts.limits.queue_entries_max, parts.limits.lane_entries_max)
        self._loop = asyncio.get_running_loop()
        self._on_end = on_end
        self._waiting: dict[str, list[Callable[[Fault | None], None]]] = {}
        self._accounts = parts.fetch_accounts(self._account_read, self._accounts_lost)
        self._contracts = parts.fetch_contracts(self._contract_read, self._contracts_lost)
        self._committing = Committing(parts, self._pump, self.end)
        self._fulfilling = Fulfilling(parts, self._fulfilled)
        self._openings = Openings(parts, self._want_contract, self._want_account, self.take)
        self._unproven: list[tuple[Sink, int, Ask]] = []
        self._proving: asyncio.Task[None] | None = None
        self._misses = 0
        self._tasks = [
            self._loop.create_task(self._committing.run()),
            self._loop.create_task(parts.contracts.write_behind()),
        ]

    # --- taking in ---

    def submit(self, sink: Sink, asks: Sequence[tuple[int, Ask]], origin: str = "") -> None:
        """Take requests of one batch. Each is answered once through the sink.

        `origin` is the role of whoever sent them through a data center; empty = they are this process's own.
        """
        refusal = self._refusal()
        if refusal is not None:
            body = pack_fault(refusal)
            for place, _ in asks:
                sink.answer(place, body)
            return
        self.parts.desk.look_around()
        work = let_in(sink, asks, origin, self.parts.desk, self.parts.metrics)
        self._look_up([item for item in work if type(item) is Item])
        misses = self._misses
        for each in work:
            try:
                if type(each) is Item:
                    self._enter(each)
                elif type(each) is tuple:
                    self._ask(sink, *each)
            except Exception:
                log.exception("a request could not be taken", slot=self.name)
                place = each.place if isinstance(each, Item) else each[0]
                sink.answer(place, pack_fault(Broken("INTERNAL", "an internal error; it is in the server's log")))
        misses = self._misses - misses
        self.parts.metrics.cache("account", hits=len(work) - misses, misses=misses)
        self._committing.wake()

    def take(self, items: Sequence[Item]) -> None:
        """Take commits whose account is named."""
        refusal = self._refusal()
        if refusal is not None:
            body = pack_fault(refusal)
            for item in items:
                item.sink.answer(item.place, body)
            return
        self.parts.desk.look_around()
        self._look_up(items)
        for item in items:
            self._enter(item)
        self._committing.wake()

    def _look_up(self, items: Sequence[Item]) -> None:
        """Ask the sorted arrays of old keys once for many items."""
        keys = self.parts.keys
        old = keys.find_old([item.mark for item in items]) if items else []
        for item, position in zip(items, old, strict=True):
            item.old_position = position
            item.generation = keys.generation

    def _enter(self, item: Item) -> None:
        account_id = item.command.account_id
        if not account_id:
            self._openings.name(item)
            return
        if self.lanes.busy(account_id) or self.parts.groups.full:
            self._queue(account_id, item)
            return
        cell = self.parts.accounts.cells.get(account_id)
        if cell is None:
            if self._queue(account_id, item):
                self.lanes.block(account_id)
                self._load(account_id)
            return
        need = self.parts.desk.commit(item, cell)
        if need is not None:
            self._block(account_id, item, need)

    def _refusal(self) -> Fault | None:
        if self.state is not State.SERVING:
            return slot_moving(self.name, self.parts.limits.retry_ms)
        if self._committing.stalled:
            return store_away()
        return None

    def _queue(self, account_id: str, item: Item) -> bool:
        if self.lanes.push(account_id, item):
            return True
        fault = Overloaded(
            "SLOT_OVERLOADED", f"slot {self.name} has no room", retry_ms=self._committing.drain_ms(self.lanes.size)
        )
        item.sink.answer(item.place, pack_fault(fault))
        return False

    def _block(self, account_id: str, item: Item, need: Need) -> None:
        if need is Need.NAME:
            self._look_up([item])
            self._enter(item)
            return
        self.lanes.block(account_id, item)
        if need is Need.CONTRACT:
            self._want_contract(item.missing, lambda fault: self._fulfilled(item, fault))
        else:
            self._fulfilling.begin(item, need)

    def _fulfilled(self, item: Item, fault: Fault | None) -> None:
        """What the first item of a lane needed is there, or can't be had."""
        account_id = item.command.account_id
        if fault is not None:
            self.lanes.shift(account_id)
            item.sink.answer(item.place, pack_fault(fault))
        self.lanes.unblock(account_id)
        self._pump()

    def _pump(self) -> None:
        """Give lanes their turns while the open group has room."""
        parts = self.parts
        groups = parts.groups
        parts.desk.look_around()
        while not groups.full:
            turn = self.lanes.pop()
            if turn is None:
                break
            account_id, item = turn
            if item.sink.deadline <= self._loop.time():
                item.sink.answer(item.place, pack_fault(expired()))
                continue
            cell = parts.accounts.cells.get(account_id)
            if cell is None:
                self.lanes.block(account_id, item)
                self._load(account_id)
                continue
            need = parts.desk.commit(item, cell)
            if need is not None:
                self._block(account_id, item, need)
        self._committing.wake()

    # --- reads ---

    def _ask(self, sink: Sink, place: int, ask: Ask) -> None:
        if isinstance(ask, Commit):
            self._resolve(sink, place, ask)
        elif not self._fresh():
            self._prove(sink, place, ask)
        else:
            self._look(sink, place, ask)

    def _look(self, sink: Sink, place: int, ask: Ask) -> None:
        """Read: the slot is known to be ours."""
        if isinstance(ask, Pull):
            self._pull(sink, place, ask)
        elif isinstance(ask, FetchHistory | FetchOutcomes | Lookup):
            self._with_account(sink, place, ask.identity, lambda account_id: self._read(sink, place, ask, account_id))

    def _prove(self, sink: Sink, place: int, ask: Ask) -> None:
        """Let a read wait until the journal has said that nobody took it over meanwhile; one question for all that
        wait.

        An owner that was stopped or cut off for long must not tell old balances, though it could never commit on them.
        """
        self._unproven.append((sink, place, ask))
        if self._proving is None:
            self._proving = self._loop.create_task(self._ask_journal())

    async def _ask_journal(self) -> None:
        while self._unproven:
            waiting, self._unproven = self._unproven, []
            try:
                owned = await self.parts.journal.still_owned()
            except (StoreUnavailable, StoreRejected):
                body = pack_fault(store_away())
                for sink, place, _ in waiting:
                    sink.answer(place, body)
                continue
            if not owned:
                self._unproven = waiting + self._unproven
                self.end()
                return
            for sink, place, ask in waiting:
                self._look(sink, place, ask)
        self._proving = None

    def _pull(self, sink: Sink, place: int, ask: Pull) -> None:
        parts = self.parts
        identity = ask.identity
        known = parts.contracts.get(identity)
        account_id = known.contract.account_id if known is not None and known.contract else asked_for(identity)
        cell = parts.accounts.cells.get(account_id)
        if cell is not None:
            parts.desk.look_around()
            parts.desk.pull(sink, place, identity, cell, moved=ask.moved)
        else:
            self._with_account(sink, place, identity, lambda _: self._pull(sink, place, ask))

    def _resolve(self, sink: Sink, place: int, ask: Commit) -> None:
        """A commit that names only the identity (the other half of a transfer)."""

        def found(account_id: str) -> None:
            self._fulfilling.receive(
                Item(sink, place, ask.identity, replace(ask.command, account_id=account_id)), self.take
            )

        self._with_account(sink, place, ask.identity, found)

    def _read(self, sink: Sink, place: int, ask: FetchHistory | FetchOutcomes | Lookup, account_id: str) -> None:
        self._fulfilling.read(sink, place, ask, self.parts.accounts.cells[account_id])

    def _with_account(self, sink: Sink, place: int, identity: str, then: Callable[[str], None]) -> None:
        """Call `then` with the identity's account id once contract and account are in memory."""
        account_id = asked_for(identity)
        if not account_id:
            known = self.parts.contracts.get(identity)
            if known is None:
                self._want_contract(identity, self._retry(sink, place, identity, then))
                return
            if known.contract is None:
                sink.answer(place, unknown_identity(identity))
                return
            account_id = known.contract.account_id
        if account_id in self.parts.accounts.cells:
            then(account_id)
        else:
            self._want_account(account_id, self._retry(sink, place, identity, then))

    def _retry(
        self, sink: Sink, place: int, identity: str, then: Callable[[str], None]
    ) -> Callable[[Fault | None], None]:
        def resume(fault: Fault | None) -> None:
            if fault is not None:
                sink.answer(place, pack_fault(fault))
            else:
                self._with_account(sink, place, identity, then)

        return resume

    # --- what the store gave ---

    def _load(self, account_id: str) -> None:
        self._misses += 1
        self._accounts.want(account_id)

    def want_account(self, account_id: str) -> None:
        """Get an account into memory, for its own sake."""
        if account_id not in self.parts.accounts.cells:
            self._load(account_id)

    def _want_account(self, account_id: str, then: Callable[[Fault | None], None]) -> None:
        self._want(f"account {account_id}", then)
        self._load(account_id)

    def _want_contract(self, identity: str, then: Callable[[Fault | None], None]) -> None:
        self._want(f"contract {identity}", then)
        self._contracts.want(identity)

    def _want(self, what: str, then: Callable[[Fault | None], None]) -> None:
        if len(self._waiting) >= self.parts.limits.reads_in_flight_max:
            then(Overloaded("SLOT_OVERLOADED", f"slot {self.name} reads too much", retry_ms=self.parts.limits.retry_ms))
            return
        self._waiting.setdefault(what, []).append(then)

    def _tell(self, what: str, fault: Fault | None) -> None:
        for then in self._waiting.pop(what, ()):
            then(fault)

    def _account_read(self, account_id: str, stored: Stored | None) -> None:
        self.parts.accounts.take(account_id, stored)
        self.lanes.unblock(account_id)
        self._tell(f"account {account_id}", None)
        self._pump()

    def _accounts_lost(self, account_ids: Sequence[str]) -> None:
        fault = store_away()
        for account_id in account_ids:
            for item in self.lanes.drop_lane(account_id):
                item.sink.answer(item.place, pack_fault(fault))
            self._tell(f"account {account_id}", fault)

    def _contract_read(self, identity: str, stored: Stored | None) -> None:
        self.parts.contracts.take(identity, stored)
        self._tell(f"contract {identity}", None)

    def _contracts_lost(self, identities: Sequence[str]) -> None:
        fault = store_away()
        for identity in identities:
            self._tell(f"contract {identity}", fault)

    # --- the end ---

    def tend(self) -> None:
        """Look after what time brings: a store that is away, a snapshot that is due though nothing moves."""
        self._committing.relieve()
        self._committing.write_down_if_idle()

    async def close(self) -> None:
        """Give the slot up in order: take nothing new, journal what was decided, write everything down."""
        if self.state is State.SERVING:
            self.state = State.DRAINING
            self._refuse_queued()
            try:
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await self._committing.settle()
            except TimeoutError:
                log.warning("a slot is given up though the store did not answer", slot=self.name)
        self.end()

    def _refuse_queued(self) -> None:
        fault = pack_fault(slot_moving(self.name, self.parts.limits.retry_ms))
        for item in self.lanes.drain():
            item.sink.answer(item.place, fault)

    def end(self) -> None:
        """Stop at once: what is not known to be applied is answered UNAVAILABLE, its repeat will tell."""
        if self.state is State.ENDED:
            return
        self.state = State.ENDED
        for task in (*self._tasks, self._proving):
            if task is not None and task is not asyncio.current_task():
                task.cancel()
        for helper in (self._accounts, self._contracts, self._fulfilling, self.parts.snapshots):
            helper.stop()
        fault = Unavailable(
            "OWNER_CHANGED",
            f"slot {self.name} has another owner now; repeat the same request key",
            retry_ms=self.parts.limits.retry_ms,
        )
        body = pack_fault(fault)
        for sink, place, _ in self.parts.groups.take_waiters():
            sink.answer(place, body)
        self._refuse_queued()
        for sink, place, _ in self._unproven:
            sink.answer(place, body)
        self._unproven = []
        for what in list(self._waiting):
            self._tell(what, fault)
        self._on_end(self)

"""Reads from the journal on behalf of requests: old outcomes, charges to refund, history, look-ups."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing

import msgspec
from msgspec.structs import replace

from charging import wire
from charging.errors import Broken, Fault, NotFound, Overloaded, Refused, Unavailable
from charging.ledger.approvals import outcome_now
from charging.ledger.commands.move_in import MovedIn
from charging.ledger.commands.receive_transfer import ReceiveTransfer
from charging.ledger.commands.refund import Refund
from charging.ledger.commands.remember import Remember
from charging.ledger.entry import Entry
from charging.ledger.history import line
from charging.ledger.originals import Falls, charged_fact, with_original
from charging.wire import FetchHistory, FetchOutcomes, Lookup
from domainservers.accounts.accounts import Cell
from domainservers.desk.item import Item, Need, key_reused, pack_fault, store_away, stored, told_again, told_by_account
from domainservers.journal.frames import Frames
from domainservers.journal.groups import Sink
from domainservers.journal.keys import POSITIONS_PER_GROUP, fingerprint
from domainservers.reads import reading
from domainservers.reads.arrivals import find_arrival, is_late
from domainservers.reads.histories import history_page
from domainservers.reads.outcomes import PAGE_OUTCOMES_MAX, page
from domainservers.reads.turns import Turns
from domainservers.slot.parts import Parts
from runtime.telemetry import logger
from storage.unit import StoreRejected, StoreUnavailable

log = logger("domainservers.slot.fulfilling")

NEVER_S = float("inf")
"""Deadline of a search whose end is wanted though its caller may have gone."""


class Landing:
    """Waits for a group as a caller does: a `domainservers.journal.groups.Sink`."""

    def __init__(self) -> None:
        self.deadline = float("inf")
        self.done = asyncio.Event()

    def answer(self, position: int, body: bytes) -> None:
        """The group is applied (or the slot is lost, and the waiting read with it)."""
        self.done.set()


class Fulfilling:
    """One task a read, bounded by `reads_in_flight_max`."""

    def __init__(self, parts: Parts, fulfilled: Callable[[Item, Fault | None], None]) -> None:
        """`fulfilled` is told when what an item needed is in it, or why it can't be had."""
        self._parts = parts
        self._fulfilled = fulfilled
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._frames = Frames(parts.private, parts.journal)
        self._turns = Turns()
        self._searches: set[int] = set()
        """Keys of late transfers that are looked for."""

    def begin(self, item: Item, need: Need) -> None:
        """Read what an item needs; `fulfilled` is called later, never at once."""
        self._spawn(self._fulfil(item, need), lambda fault: self._fulfilled(item, fault))

    def read(self, sink: Sink, place: int, ask: FetchHistory | FetchOutcomes | Lookup, cell: Cell) -> None:
        """Answer a read of the journal."""
        if isinstance(ask, FetchHistory):
            work = self._history(sink, place, ask, cell)
        elif isinstance(ask, Lookup):
            work = self._lookup(sink, place, ask, cell)
        else:
            work = self._outcomes(sink, place, ask, cell)
        self._spawn(
            work, lambda fault: sink.answer(place, pack_fault(fault or Broken("READ_FAILED", "nothing was read")))
        )

    def receive(self, item: Item, take: Callable[[list[Item]], None]) -> None:
        """Take the other half of a transfer in; one that is late only when it has not arrived before."""
        action = item.command.action
        parts = self._parts
        now_ms = max(parts.clock.now_ms(), parts.desk.newest_ms)
        if isinstance(action, ReceiveTransfer) and is_late(action.sent_ms, now_ms, parts.limits.outcomes_keep_ms):
            work = self._receive_late(item, action.sent_ms, take)
            broken = Broken("READ_FAILED", "the journal could not be read")
            self._spawn(work, lambda fault: item.sink.answer(item.place, pack_fault(fault or broken)))
        else:
            take([item])

    async def _receive_late(self, item: Item, sent_ms: int, take: Callable[[list[Item]], None]) -> None:
        """Look for the arrival, then decide on it. A long search outlives its caller: the next offer meets its end."""
        parts, command = self._parts, item.command
        cell = parts.accounts.cells.get(command.account_id)
        if cell is None or item.mark in self._searches:
            raise Unavailable("ARRIVAL_SOUGHT", "the journal is searched; repeat the same request key", retry_ms=1_000)
        self._searches.add(item.mark)
        try:
            newest = await self._applied(cell.seq)
            keep_ms = parts.limits.outcomes_keep_ms
            async with self._turns.reader(NEVER_S):
                found = await find_arrival(
                    self._frames, self._turns, command.account_id, newest, command.key, sent_ms, keep_ms
                )
        except Unavailable as unknown:
            log.warning("a late transfer can't be decided", slot=parts.name, reason=unknown.reason)
            raise
        finally:
            self._searches.discard(item.mark)
        if found is None:
            take([item])
        else:
            # Known again from here on, for as long as any key.
            known = replace(command, action=Remember(bytes(found.outcome)))
            take([Item(item.sink, item.place, item.identity, known, internal=True)])

    def _spawn(self, work: Coroutine[None, None, None], failed: Callable[[Fault | None], None]) -> None:
        loop = asyncio.get_running_loop()
        if len(self._tasks) >= self._parts.limits.reads_in_flight_max:
            work.close()
            busy = Overloaded("SLOT_OVERLOADED", "too many reads of the journal", retry_ms=self._parts.limits.retry_ms)
            loop.call_soon(failed, busy)
            return
        task = loop.create_task(self._guard(work, failed))
        self._tasks[task] = None
        task.add_done_callback(self._forget)
        # One that is cancelled before its first step would leave its work never begun, with a warning.
        task.add_done_callback(lambda _: work.close())

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)

    async def _guard(self, work: Coroutine[None, None, None], failed: Callable[[Fault | None], None]) -> None:
        try:
            await work
        except (StoreUnavailable, StoreRejected):
            failed(store_away())
        except Fault as fault:
            failed(fault)
        except msgspec.DecodeError as error:
            log.error("an entry of the journal can't be read", slot=self._parts.name, why=str(error))
            failed(Broken("JOURNAL_UNREADABLE", "an entry of the account's journal can't be read; tell an operator"))
        except Exception:
            log.exception("a read of the journal failed", slot=self._parts.name)
            failed(Broken("READ_FAILED", "the journal could not be read"))

    async def _fulfil(self, item: Item, need: Need) -> None:
        if need is Need.OUTCOME:
            item.found = await reading.entry_at(self._frames, item.old_position)
            if item.found is None:
                item.cleared = item.old_position  # Older than the journal is kept: unknown again.
        elif need is Need.ORIGINAL and isinstance(item.command.action, Refund):
            await self._find_original(item, item.command.action.charge_key)
        elif need is Need.HOLDER:
            await self._take_identities(item)
        self._fulfilled(item, None)

    async def _take_identities(self, item: Item) -> None:
        """Take what the command needs; that another account has one is the command's refusal."""
        identities, version = item.taking
        fault = await self._parts.registry.take(identities, item.command.account_id, version)
        if fault is not None and not isinstance(fault, Refused):
            raise fault
        item.refusal, item.taken = fault, True

    async def _find_original(self, item: Item, charge_key: str) -> None:
        """Find the charge by the key index, else along the account's chain. Raises `NotFound`."""
        account_id = item.command.account_id
        entry, ported = await self._entry(account_id, charge_key)
        told = charged_fact(entry) if entry is not None else None
        falls = None
        if entry is not None and told is not None and told.session_id:
            if entry.charged is not None:
                entry, ported = None, True  # The later steps of the session are in the journal that it left.
            else:
                falls = await self._falls(entry, told.session_id)
        item.command = with_original(item.command, entry, falls)
        if isinstance(item.command.action, Refund) and item.command.action.original is None:
            if entry is None and ported:
                text = f"the account was ported, and its journal here has no charge under the key {charge_key[:64]!r}"
                raise NotFound("CHARGE_BEFORE_PORT", f"{text}: correct one from before by an adjustment")
            raise NotFound("CHARGE_UNKNOWN", f"the account has no charge under the key {charge_key[:64]!r}")

    async def _falls(self, step: Entry, session_id: str) -> Falls:
        """Walk back to a step of a session; nothing else is done to the account meanwhile. Raises `NotFound`."""
        falls = Falls(session_id)
        cell = self._parts.accounts.cells.get(step.account_id)
        if cell is None:
            raise Unavailable("CHARGE_SOUGHT", "the journal is searched; repeat the same request key", retry_ms=1_000)
        newest = await self._applied(cell.seq)
        async with (
            self._turns.reader(NEVER_S),
            aclosing(reading.chain(self._frames, self._turns, step.account_id, newest)) as entries,
        ):
            async for _, entry in entries:
                if (entry.key, entry.version) == (step.key, step.version):
                    break
                falls.pass_over(entry)
        return falls

    async def _entry(self, account_id: str, key: str) -> tuple[Entry | None, bool]:
        """Find the entry of a key, and say whether the account has come from another domain since."""
        parts = self._parts
        known = await self._known(account_id, key)
        if known is not None:
            return known, False
        cell = parts.accounts.cells.get(account_id)
        ported = False
        if cell is None:
            return None, ported
        newest = await self._applied(cell.seq)
        async with (
            self._turns.reader(NEVER_S),
            aclosing(reading.chain(self._frames, self._turns, account_id, newest)) as entries,
        ):
            async for _, entry in entries:
                if entry.key == key:
                    return entry, ported
                ported = ported or any(isinstance(event, MovedIn) for event in entry.events)
        return None, ported

    async def _known(self, account_id: str, key: str) -> Entry | None:
        """Find the entry of a key by the index, which holds every key whose outcome must still be known."""
        position = self._parts.keys.find(fingerprint(account_id, key))
        if position < 0:
            return None
        entry = self._parts.groups.entry_at(position) or await reading.entry_at(self._frames, position)
        return entry if entry is not None and (entry.account_id, entry.key) == (account_id, key) else None

    async def _applied(self, seq: int) -> int:
        """Wait until a group is applied. When the slot is lost meanwhile, the read is cancelled."""
        landed = Landing()
        self._parts.groups.reply(seq, landed, 0, b"")
        await landed.done.wait()
        return seq

    async def _history(self, sink: Sink, place: int, ask: FetchHistory, cell: Cell) -> None:
        if ask.key:
            entry = await self._known(cell.account_id, ask.key)
            told = wire.History(() if entry is None else (line(entry),))
            self._parts.groups.reply(cell.seq, sink, place, wire.pack(told))
            return
        newest = await self._applied(cell.seq)
        if ask.before_position:
            newest = min(newest, ask.before_position // POSITIONS_PER_GROUP)
        async with self._turns.reader(sink.deadline):
            told = await history_page(self._frames, self._turns, cell.account_id, newest, ask)
        sink.answer(place, wire.pack(told))

    async def _outcomes(self, sink: Sink, place: int, ask: FetchOutcomes, cell: Cell) -> None:
        parts = self._parts
        newest = await self._applied(cell.seq)
        most = min(ask.outcomes_max, PAGE_OUTCOMES_MAX)
        keep_ms, keep_seq = parts.limits.outcomes_keep_ms, parts.snapshots.keys_from_seq
        async with self._turns.reader(sink.deadline):
            told = await page(self._frames, self._turns, cell.account_id, newest, ask.from_seq, most, keep_ms, keep_seq)
        sink.answer(place, wire.pack(told))

    async def _lookup(self, sink: Sink, place: int, ask: Lookup, cell: Cell) -> None:
        # The index holds every key whose outcome must still be known, so an unknown key costs no walk of the chain.
        position = self._parts.keys.find(fingerprint(cell.account_id, ask.key))
        entry, _ = await self._entry(cell.account_id, ask.key) if position >= 0 else (None, False)
        account = self._parts.accounts.state(cell)
        if entry is None:
            kept = told_by_account(account, ask.key, ask.digest)
            self._parts.groups.reply(cell.seq, sink, place, kept or wire.pack(wire.Unknown(ask.key)))
            return
        if ask.digest not in (b"", entry.digest):
            raise key_reused()
        decided = outcome_now(account, ask.key)
        if decided is not None:
            self._parts.groups.reply(cell.seq, sink, place, told_again(decided))
            return
        body = stored(entry, self._parts.desk.domain, account)
        self._parts.groups.reply(position // POSITIONS_PER_GROUP, sink, place, body)

    def stop(self) -> None:
        """Give up all reads; the slot answers who waits."""
        for task in list(self._tasks):
            task.cancel()

"""Taking a slot over: claim its journal, load the newest checkpoint, replay what came after it.

Accounts are loaded as the replay meets them, a window of groups at a time, so memory holds what the replay touched
and the rest stays in its snapshots.
"""

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from charging.base.contract import Contract
from charging.errors import Broken
from charging.ledger.entry import Entry
from charging.ledger.ledger import replay
from charging.ledger.permission import Policy, built_in_policy
from domainservers.base.clock import Clock
from domainservers.base.limits import Limits
from domainservers.contracts import contracts as contracts_of
from domainservers.contracts.contracts import contracts_in, unpack_contract
from domainservers.journal.framing import SetAside, account_mark
from domainservers.journal.groups import unpack_group
from domainservers.journal.journal import Corrupt, Fenced, Position, claim, read_chain
from domainservers.journal.keys import POSITIONS_PER_GROUP, fingerprint
from domainservers.journal.quarantine import Aside
from domainservers.slot.healing import heal
from domainservers.slot.parts import Parts, nowhere
from domainservers.slot.witness import NOTHING_TOLD, Witness
from domainservers.snapshots.snapshots import load_checkpoint, load_keys, load_watched
from evidence.keys import PROCESS_RING, KeyRing
from runtime.telemetry import Metrics, logger
from storage.unit import Stored, Unit

log = logger("domainservers.slot.recovery")

WINDOW_ENTRIES_MAX = 4_000
LOAD_ACCOUNTS_MAX = 4_000
BREATH_ENTRIES = 500
"""Other slots of the process get their turn after so many replayed entries."""


async def recover(
    name: str,
    owner: str,
    shared: Unit,
    private: Unit,
    limits: Limits,
    clock: Clock,
    permits: asyncio.Semaphore,
    revision: Callable[[], int],
    metrics: Metrics,
    ring: KeyRing = PROCESS_RING,
    witness: Witness | None = None,
    policy: Callable[[], Policy] = built_in_policy,
    domain_of: Callable[[str], str] = nowhere,
    national: Unit | None = None,
) -> Parts:
    """Own slot `name` and stand where its journal stands; `ring` holds the keys of its chain.

    What `witness` knows of it is asked first: a journal that falls short of that is not taken over.

    `owner` is unique to this call. Raises `Fenced`, `JournalMoved`, `Corrupt`, `StoreUnavailable`.
    """
    told = await witness.told(name) if witness is not None else NOTHING_TOLD
    checkpoint = await load_checkpoint(private, name)
    if witness is not None:
        await witness.vet(told, shared, private, checkpoint)
    known = checkpoint.segments if checkpoint is not None else ()
    age_ms = checkpoint.age_ms if checkpoint is not None else 0
    journal = await claim(private, name, owner, known, age_ms, ring, told.epoch)
    known_aside = list(checkpoint.set_aside) if checkpoint is not None else []
    stores = (shared, private, journal, checkpoint)
    parts = Parts(name, *stores, limits, clock, permits, revision, metrics, policy, domain_of, national)
    keys = await load_keys(private, name, checkpoint)
    await parts.keys.load(list(keys.named.values()))
    parts.snapshots.forgotten += keys.forgotten
    start = Position(0, -1, journal.segments[0].start_tip)
    if checkpoint is not None:
        start = checkpoint.position
        parts.desk.newest_ms = checkpoint.newest_ms
    parts.accounts.pinned = True
    await parts.snapshots.deltas.load(parts.accounts)
    replayer = _Replayer(parts, start.seq)
    if checkpoint is not None:
        await replayer.load(await load_watched(private, name, checkpoint), watch=True)
    async for segment, groups in read_chain(private, name, start, ring, told.marks):
        if segment.number == journal.segments[-1].number:
            journal.segment_bytes += sum(len(group.payload) for group in groups)
        for group in groups:
            try:
                entries, aside = unpack_group(group.payload)
            except msgspec.DecodeError as error:
                raise Corrupt(f"{name}: group {group.seq} can't be opened: {error}") from error
            await replayer.take(group.seq, entries, aside)
    await replayer.finish()
    await heal(parts, known_aside)
    parts.accounts.pinned = False
    if not await journal.still_owned():
        # What was read may be another owner's already: keys and entries beyond our own head.
        raise Fenced(f"{name}: taken over by another server during recovery")
    parts.snapshots.entries = replayer.entries
    if replayer.entries:
        log.info("recovered", slot=name, entries=replayer.entries, seq=journal.head.seq, epoch=journal.head.epoch)
    return parts


class _Replayer:
    """Repeats journal entries on the state in memory."""

    def __init__(self, parts: Parts, start_seq: int) -> None:
        self._parts = parts
        self._start_seq = start_seq
        self._window: list[tuple[int, list[tuple[int, Entry]], list[SetAside]]] = []
        self._window_entries = 0
        self._contracts: dict[str, tuple[Contract, int]] = {}
        self._fetcher = parts.fetch_accounts(_nothing, _nothing_lost)
        self.entries = 0

    async def load(self, account_ids: Sequence[str], *, watch: bool = False) -> None:
        """Get accounts into memory; `watch` those that the checkpoint says have something open."""
        accounts = self._parts.accounts
        missing = list(dict.fromkeys(each for each in account_ids if each not in accounts.cells))
        for start in range(0, len(missing), LOAD_ACCOUNTS_MAX):
            some = missing[start : start + LOAD_ACCOUNTS_MAX]
            found = await self._fetcher.read(some)
            for account_id in some:
                cell = accounts.take(account_id, found.get(account_id))
                if cell.saved > self._start_seq:
                    # Written after the checkpoint, whose watch list can't know what it has open.
                    self._look(account_id)
        if watch:
            for account_id in account_ids:
                self._look(account_id)

    def _look(self, account_id: str) -> None:
        accounts = self._parts.accounts
        try:
            account = self._parts.desk.state(accounts.cells[account_id])
        except Broken:
            return  # It is set aside.
        if account is not None:
            self._parts.watch.look(account, None)

    async def take(self, seq: int, entries: list[tuple[int, Entry]], aside: list[SetAside]) -> None:
        """Queue a group; replays when the window is full."""
        self._window.append((seq, entries, aside))
        self._window_entries += len(entries)
        if self._window_entries >= WINDOW_ENTRIES_MAX:
            await self._replay()

    async def _replay(self) -> None:
        window, self._window, self._window_entries = self._window, [], 0
        await self.load([entry.account_id for _, entries, _ in window for _, entry in entries])
        for seq, entries, aside in window:
            for bad in aside:
                position = seq * POSITIONS_PER_GROUP + bad.index
                self._parts.quarantine.add(Aside(position, bad.mark, bad.account_id, bad.why))
            for index, entry in entries:
                self._one(seq, index, entry)
                self.entries += 1
                if self.entries % BREATH_ENTRIES == 0:
                    await asyncio.sleep(0)
            self._parts.keys.tidy()

    def _one(self, seq: int, index: int, entry: Entry) -> None:
        parts = self._parts
        parts.keys.add(fingerprint(entry.account_id, entry.key), seq * POSITIONS_PER_GROUP + index)
        if entry.time_ms > parts.desk.newest_ms:
            parts.desk.newest_ms = entry.time_ms
        if entry.events and entry.kind != "c":
            for contract in contracts_in(entry.events):
                self._contracts[contract.identity] = contract, entry.time_ms
                # Every one: a later contract of the identity does not undo an earlier order.
                parts.contracts.order(contract, entry.time_ms)
        accounts = parts.accounts
        cell = accounts.cells[entry.account_id]
        if cell.saved >= seq:
            return  # The snapshot is newer than the checkpoint.
        quarantine = parts.quarantine
        if quarantine.rows and quarantine.holds(entry.account_id):
            self._set_aside(seq, index, entry, "an entry before it was set aside")
            return
        if not entry.events:
            accounts.touch(cell, seq)
            return
        try:
            before = accounts.state(cell)
            after = replay(before, entry)
        except Exception as error:
            self._set_aside(seq, index, entry, f"it does not fit: {error}")
            return
        accounts.change(cell, after, seq)
        if after.sessions or after.outgoing or (before is not None and (before.sessions or before.outgoing)):
            parts.watch.look(after, before)

    def _set_aside(self, seq: int, index: int, entry: Entry, why: str) -> None:
        account_id = entry.account_id
        position = seq * POSITIONS_PER_GROUP + index
        self._parts.quarantine.add(Aside(position, account_mark(account_id), account_id, why))

    async def finish(self) -> None:
        """Replay the rest, then write the contracts again that may not have been written."""
        await self._replay()
        known = self._parts.contracts
        identities = list(self._contracts)
        written: list[Contract] = []
        fetcher = self._parts.fetch_contracts(_nothing, _nothing_lost)
        for start in range(0, len(identities), contracts_of.RECORDS_PER_WRITE_MAX):
            some = identities[start : start + contracts_of.RECORDS_PER_WRITE_MAX]
            found = await fetcher.read(some)
            for identity in some:
                stored = found.get(identity)
                known.take(identity, stored)
                contract, changed_ms = self._contracts[identity]
                if _is_newer(contract, stored):
                    known.applied([known.set(contract, changed_ms)])
                else:
                    written.append(contract)
        # Whoever wrote them may have died before the registry knew it.
        await self._parts.registry.settle(written)


def _is_newer(contract: Contract, stored: Stored | None) -> bool:
    """Whether a replayed contract still has to be written: the record may be ours and newer, or of another account."""
    if stored is None:
        return True
    there = unpack_contract(stored.value)
    if there.account_id == contract.account_id:
        return there.version < contract.version
    return contract.status != "ended" and there.status == "ended"


def _nothing(_: str, __: Stored | None) -> None:
    """Fetchers of recovery read at once and never call back."""


def _nothing_lost(_: Sequence[str]) -> None:
    """As `_nothing`."""

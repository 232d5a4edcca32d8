"""The audit of journals, straight from the storage units: no server has to run, and none is believed.

For each slot: the hash chain from its first segment to the head; for each account its entries in order
(`charging.auditing`); and each snapshot against the state replayed up to it. Over a whole country, also both halves of
each transfer. `onetier audit ACCOUNT` follows one account, `--all` all of them, with a process for each core.

It may run while the slots are served: what is checked against another journal is what was there when the audit began.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from queue import Empty, Queue

import msgspec
from msgspec import Struct, field

from charging.account import MONEY, Account
from charging.auditing import Audit, Transfers, begins
from charging.entry import Entry
from charging.history import line
from charging.wire import HistoryLine
from domainservers.accounts import COLLECTION, partitions, unpack_account
from domainservers.deltas import load_delta
from domainservers.groups import unpack_group
from domainservers.journal import Corrupt, Position, genesis, read_chain
from domainservers.snapshots import load_checkpoint
from evidence.keys import PROCESS_RING, KeyRing
from evidence.seals import SealedUnit
from storage.open import open_to_read
from storage.unit import Stored, Unit

FINDINGS_MAX = 50
NEVER = 1 << 62

Advance = Callable[[int], None]


class JournalRef(Struct, frozen=True):
    """A journal and where it is."""

    url: str
    name: str
    head_seq: int = NEVER
    """Its newest group when the audit began."""
    ring: KeyRing = PROCESS_RING
    """Keys of its chain."""


class SlotReport(Struct):
    """What the audit of one slot's journal found; money in micro-units."""

    name: str
    groups: int = 0
    entries: int = 0
    refusals: int = 0
    accounts: int = 0
    later: int = 0
    """Accounts whose beginning is in segments that are gone: followed from their first entry that is there."""
    snapshots: int = 0
    """Snapshots that were compared with the replayed state."""
    money: int = 0
    """In the books of the accounts that are here, replayed."""
    revenue: int = 0
    since_ms: int = 0
    """Time of the first entry when older segments are gone; 0 = the journal is whole."""
    broken: bool = False
    """The chain does not hold, so its end was not read."""
    transfers: Transfers = field(default_factory=Transfers)
    """All halves of transfers that were met."""
    claims: Transfers = field(default_factory=Transfers)
    """Those that were there when the audit began: their other halves must be found."""
    findings: list[str] = []


class _Follower:
    """Follows the accounts of one journal."""

    def __init__(self, ref: JournalRef, start: Position, only: str, lines_max: int) -> None:
        self.report = SlotReport(ref.name)
        self.audits: dict[str, Audit] = {}
        self.lines: deque[HistoryLine] = deque(maxlen=lines_max)
        self.snapshots: dict[str, Stored] = {}
        self.only = only
        self._first_seq = start.seq + 1
        self._head_seq = ref.head_seq
        self._claimed = False
        self._met: set[str] = set()

    def take(self, seq: int, entries: list[Entry]) -> None:
        """Follow one group, then compare the snapshots that were written at it."""
        report = self.report
        if seq > self._head_seq and not self._claimed:
            self._claim()
        if not report.groups and self._first_seq and entries:
            report.since_ms = entries[0].time_ms
        report.groups += 1
        touched: dict[str, Audit] = {}
        for entry in entries:
            if self.only and entry.account_id != self.only:
                continue
            report.entries += 1
            audit = self.audits.get(entry.account_id) or self._begin(entry)
            if audit is None:
                report.refusals += 1  # Of what does not exist yet.
                continue
            audit.add(entry)
            touched[entry.account_id] = audit
            if self.lines.maxlen:
                self.lines.append(line(entry))
        for account_id, audit in touched.items():
            stored = self.snapshots.get(account_id)
            if stored is not None and stored.timestamp == seq:
                self._met.add(account_id)
                report.snapshots += 1
                self._meet(audit, stored)

    def _begin(self, entry: Entry) -> Audit | None:
        if not entry.events and not entry.version:
            return None
        account_id = entry.account_id
        start = None
        if not begins(entry):
            self.report.later += 1
            stored = self.snapshots.get(account_id)
            if not self._first_seq:
                self.report.findings.append(f"{account_id}: its first entry {entry.key} is not its opening")
            elif stored is not None and stored.timestamp < self._first_seq:
                start = self._unpack(account_id, stored)
        audit = self.audits[account_id] = Audit(account_id, start)
        return audit

    def _meet(self, audit: Audit, stored: Stored) -> None:
        account = self._unpack(audit.account_id, stored)
        if account is not None and not audit.meet(account):
            self.report.findings.append(f"{audit.account_id}: its snapshot is not what the journal says")

    def _unpack(self, account_id: str, stored: Stored) -> Account | None:
        try:
            return unpack_account(stored.value)
        except msgspec.MsgspecError as error:
            self.report.findings.append(f"{account_id}: its snapshot can't be read: {error}")
            return None

    def _claim(self) -> None:
        self._claimed = True
        _gather(self.audits, self.report.claims)

    def finish(self) -> None:
        """Sum up."""
        report = self.report
        if not self._claimed:
            self._claim()
        _gather(self.audits, report.transfers)
        if not report.broken:
            self._look_at_the_rest()
        for audit in self.audits.values():
            found = audit.report()
            report.accounts += 1
            report.refusals += found.refusals
            report.revenue += found.totals.get("revenue", 0)
            report.money += _money(found.account)
            report.findings += [f"{found.account_id}: {finding}" for finding in found.findings]
        del report.findings[FINDINGS_MAX:]

    def _look_at_the_rest(self) -> None:
        """Look at accounts without a beginning, and at snapshots that the journal led to nowhere."""
        report = self.report
        for account_id, audit in self.audits.items():
            if audit.state is None:
                report.findings.append(f"{account_id}: neither an opening nor a snapshot shows what it began with")
        for account_id, stored in self.snapshots.items():
            if account_id in self._met:
                continue
            if stored.timestamp >= self._first_seq:
                where = f"group {stored.timestamp}, in which the journal has no entry of it"
                report.findings.append(f"{account_id}: its snapshot is said to be of {where}")
            elif account_id not in self.audits:
                report.later += 1
                self.audits[account_id] = Audit(account_id, self._unpack(account_id, stored))


def _gather(audits: dict[str, Audit], into: Transfers) -> None:
    for audit in audits.values():
        into.sent.update(audit.transfers.sent)
        into.received.update(audit.transfers.received)
        into.settled.update(audit.transfers.settled)


def _money(account: Account | None) -> int:
    if account is None or account.status == "moved":
        return 0
    return sum(book.amount for book in account.books if book.unit == MONEY)


class Followed(Struct, frozen=True):
    """What became of the audit of one journal."""

    report: SlotReport
    account: Audit | None
    """Of the one account that was asked for."""
    lines: tuple[HistoryLine, ...]
    """Its newest entries, oldest first."""


async def audit_journal(ref: JournalRef, only: str, advance: Advance, lines_max: int = 0) -> Followed:
    """Audit one journal; `only` narrows it to one account. Raises `StoreUnavailable`."""
    unit = SealedUnit(await open_to_read(ref.url), ref.ring)
    try:
        while True:
            start = await _start(unit, ref.name)
            follower = _Follower(ref, start, only, lines_max)
            await _read(unit, ref, start, follower, advance)
            # An owner may have dropped the first segments while they were read: then begin again after them.
            if not follower.report.broken or await _start(unit, ref.name) == start:
                break
    finally:
        await unit.close()
    follower.finish()
    return Followed(follower.report, follower.audits.get(only), tuple(follower.lines))


async def _read(unit: Unit, ref: JournalRef, start: Position, follower: _Follower, advance: Advance) -> None:
    name = ref.name
    report = follower.report
    seq = start.seq
    try:
        await _read_snapshots(unit, name, follower)
        if start == _genesis(name) and not follower.snapshots and await unit.head(name, 0) is None:
            return  # Nothing was ever done in this slot.
        async for _, groups in read_chain(unit, name, start, ref.ring):
            for group in groups:
                seq = group.seq
                entries, aside = unpack_group(group.payload)
                report.findings += [
                    f"{bad.account_id or 'unknown account'}: entry {bad.index} of group {seq} can't be read: {bad.why}"
                    for bad in aside
                ]
                follower.take(seq, [entry for _, entry in entries])
            advance(len(groups))
    except Corrupt as broken:
        report.broken = True
        report.findings.append(str(broken))
    except msgspec.MsgspecError as error:
        report.broken = True
        report.findings.append(f"{name}: group {seq} can't be read: {error}")


def _genesis(name: str) -> Position:
    return Position(0, -1, genesis(name))


async def _start(unit: Unit, name: str) -> Position:
    """Where the journal that is still there begins; earlier segments may have been dropped."""
    checkpoint = await load_checkpoint(unit, name)
    if checkpoint is None:
        return _genesis(name)
    first = checkpoint.segments[0]
    return Position(first.number, first.first_seq - 1, first.start_tip)


async def _read_snapshots(unit: Unit, name: str, follower: _Follower) -> None:
    """Read the newest state that was written down of each account. Raises `Corrupt` when a delta is missing."""
    only, newest = follower.only, follower.snapshots
    for partition in partitions(name):
        async for page in unit.scan(COLLECTION, partition):
            newest.update((stored.key, stored) for stored in page if only in ("", stored.key))
    checkpoint = await load_checkpoint(unit, name)
    while checkpoint is not None:
        try:
            for delta in checkpoint.deltas:
                async for states in load_delta(unit, name, delta):
                    for stored in states:
                        before = newest.get(stored.key)
                        if only in ("", stored.key) and (before is None or before.timestamp <= stored.timestamp):
                            newest[stored.key] = stored
            return
        except Corrupt:
            # A slot that is served writes on: what an older checkpoint named is deleted when two newer ones are there.
            again = await load_checkpoint(unit, name)
            if again == checkpoint:
                raise
            checkpoint = again


async def stand_of(refs: Sequence[JournalRef]) -> tuple[list[JournalRef], int]:
    """Note where each journal ends now, and how many groups all of them hold. Raises `StoreUnavailable`."""
    noted: list[JournalRef] = []
    count = 0
    for url in dict.fromkeys(ref.url for ref in refs):
        ring = next(ref.ring for ref in refs if ref.url == url)
        unit = SealedUnit(await open_to_read(url), ring)
        try:
            for ref in refs:
                if ref.url == url:
                    first, newest = await _ends(unit, ref.name)
                    noted.append(JournalRef(url, ref.name, newest, ref.ring))
                    count += newest - first + 1
        finally:
            await unit.close()
    return noted, count


async def _ends(unit: Unit, name: str) -> tuple[int, int]:
    """Give the first and the newest group of a journal."""
    checkpoint = await load_checkpoint(unit, name)
    number = checkpoint.segments[-1].number if checkpoint is not None else 0
    first = checkpoint.segments[0].first_seq if checkpoint is not None else 0
    newest = first - 1
    while (head := await unit.head(name, number)) is not None:
        number, newest = number + 1, head.seq
    return first, newest


def audit_all(refs: Sequence[JournalRef], workers: int, advance: Advance) -> list[SlotReport]:
    """Audit journals in processes of their own; `advance` is called with groups as they are read."""
    # A fork of a process that has called over gRPC waits for threads that it does not have.
    fresh = get_context("spawn")
    with fresh.Manager() as manager, ProcessPoolExecutor(workers, fresh) as pool:
        progress: Queue[int] = manager.Queue()
        waiting = [pool.submit(_in_process, ref, progress) for ref in refs]
        while not all(future.done() for future in waiting):
            _drain(progress, advance)
        _drain(progress, advance)
        return [future.result() for future in waiting]


def _drain(progress: "Queue[int]", advance: Advance) -> None:
    try:
        while True:
            advance(progress.get(timeout=0.1))
    except Empty:
        return


def _in_process(ref: JournalRef, progress: "Queue[int]") -> SlotReport:
    return asyncio.run(audit_journal(ref, "", partial(_note, progress))).report


def _note(progress: "Queue[int]", groups: int) -> None:
    progress.put(groups)


def match_transfers(slots: Sequence[SlotReport]) -> None:
    """Look for the other half of each transfer in the journals of the whole country; findings go to the reports.

    Where older segments are gone, only transfers sent since the youngest beginning of a journal can be judged.
    """
    if any(slot.broken for slot in slots):
        return
    since_ms = max((slot.since_ms for slot in slots), default=0)
    sent = {key: send for slot in slots for key, send in slot.transfers.sent.items()}
    received: dict[str, list[int]] = {}
    for slot in slots:
        for key, (amount, _) in slot.transfers.received.items():
            received.setdefault(key, []).append(amount)
    for slot in slots:
        for key, amount in slot.claims.settled.items():
            known = since_ms == 0 or (key in sent and sent[key][2] >= since_ms)
            if known and received.get(key) != [amount]:
                slot.findings.append(f"transfer {key} of {amount} is told to have arrived; {_arrivals(received, key)}")
        for key, arrived in slot.claims.received.items():
            amount, currency = arrived
            if key in sent and sent[key][:2] != arrived:
                left, of = sent[key][:2]
                slot.findings.append(f"transfer {key} of {left} {of} arrived as {amount} {currency}")
            elif key not in sent and since_ms == 0:
                slot.findings.append(f"transfer {key} of {amount} arrived and was never sent")


def _arrivals(received: dict[str, list[int]], key: str) -> str:
    return f"the journals say: {', '.join(map(str, received[key]))}" if key in received else "no journal has it"

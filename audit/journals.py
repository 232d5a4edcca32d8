"""The audit of journals, straight from the storage units: no server has to run, and none is believed.

For each slot: the hash chain from its first segment to the head; for each account its entries in order
(`charging.ledger.auditing`); and each snapshot against the state replayed up to it. Over a whole country, also both
halves of each transfer. `onetier audit ACCOUNT` follows one account, `--all` all of them, with a process for each core.

It may run while the slots are served: what is checked against another journal is what was there when the audit began.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from queue import Empty, Queue

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from audit.backups import BackupCheck, read_backups
from audit.beside import Beside, check_bills, check_keys, check_shared, check_snapshots
from audit.following import Follower, SlotReport
from audit.rerating import RegionCatalogues, Rerater
from audit.vouchers import joined, match
from business.auditing import SubjectAudit
from charging.ledger.auditing import Audit
from charging.wire import HistoryLine
from domainservers.accounts.accounts import COLLECTION, partitions
from domainservers.journal.framing import SetAside
from domainservers.journal.groups import unpack_group
from domainservers.journal.journal import Corrupt, Mark, Position, end_of, genesis, read_chain
from domainservers.slot.witness import Told, shortfall
from domainservers.snapshots.checkpoint import Checkpoint, load_checkpoint, load_watched
from domainservers.snapshots.deltas import load_delta
from domainservers.snapshots.key_records import load_keys
from evidence.anchors import Anchor, in_force, newest_of
from evidence.keys import PROCESS_RING, KeyRing
from evidence.seals import SealedUnit
from house.stores import STORES
from storage.unit import StoreRejected, Unit

NEVER = 1 << 62
STABLE_TRIES = 5
"""A slot that is served writes itself down now and then; so often its snapshots are read again."""

Advance = Callable[[int], None]


class JournalRef(Struct, frozen=True):
    """A journal and where it is."""

    url: str
    name: str
    head_seq: int = NEVER
    """Its newest group when the audit began."""
    ring: KeyRing = PROCESS_RING
    """Keys of its chain."""
    shared: str = ""
    """URL of the unit of its contracts; empty = they are not looked at."""
    anchors: tuple[Anchor, ...] = ()
    owner_epoch: int = 0
    """Of its owner record."""
    published: RegionCatalogues | None = None
    """What charges are to be rated again by; None = they are not."""
    backups: str = ""
    """Folder of the backups of its books; empty = they are not looked at."""


class Followed(Struct, frozen=True):
    """What became of the audit of one journal."""

    report: SlotReport
    account: Audit | None
    """Of the one account that was asked for."""
    subject: SubjectAudit | None
    """Of the one subject that was asked for."""
    lines: tuple[HistoryLine, ...]
    """Its newest entries, oldest first."""


async def audit_journal(ref: JournalRef, only: str, advance: Advance, lines_max: int = 0) -> Followed:
    """Audit one journal; `only` narrows it to one account. Raises `StoreUnavailable`."""
    told: list[str] = []
    try:
        unit = SealedUnit(await STORES.open_to_read(ref.url), ref.ring, told.append)
    except StoreRejected as error:
        finding = f"{ref.name}: its unit can't be read: {error}"
        return Followed(SlotReport(ref.name, broken=True, findings=[finding]), None, None, ())
    try:
        while True:
            slot = _Slot(unit, ref, only, lines_max)
            await slot.read(advance)
            # An owner may have dropped the first segments while they were read: then begin again after them.
            if not slot.follower.report.broken or await _start(unit, ref.name) == slot.start:
                break
        await slot.compare()
    finally:
        await unit.close()
    slot.follower.report.findings[:0] = dict.fromkeys(told)
    slot.follower.finish()
    return Followed(
        slot.follower.report,
        slot.follower.audits.get(only),
        slot.follower.subjects.audits.get(only),
        tuple(slot.follower.lines),
    )


class _Slot:
    """One slot as it is read."""

    def __init__(self, unit: Unit, ref: JournalRef, only: str, lines_max: int) -> None:
        self._unit = unit
        self._ref = ref
        self._only = only
        self._lines_max = lines_max
        self._checkpoint: Checkpoint | None = None
        self._stable = False
        """The snapshots are those of the checkpoint."""
        self.start = _genesis(ref.name)
        self.beside = Beside(ref.name, None, only)
        self.follower = Follower(ref.name, ref.head_seq, self.start, only, lines_max)

    async def read(self, advance: Advance) -> None:
        """Read snapshots, then the journal."""
        ref, unit = self._ref, self._unit
        checkpoint = self._checkpoint = await load_checkpoint(unit, ref.name)
        self.start = start_of(ref.name, checkpoint)
        self.beside = Beside(ref.name, checkpoint, self._only)
        follower = self.follower = Follower(ref.name, ref.head_seq, self.start, self._only, self._lines_max)
        follower.rerater = Rerater(ref.published) if ref.published is not None else None
        if ref.backups:
            found = read_backups(Path(ref.backups), ref.name)
            follower.backups, follower.report.backups = BackupCheck(ref.name, found), len(found)
        report, seq = follower.report, self.start.seq
        try:
            self._stable = await _read_snapshots(unit, ref.name, follower, checkpoint)
            number = checkpoint.segments[-1].number if checkpoint is not None else 0
            head = await end_of(unit, ref.name, number)
            anchor = newest_of(in_force(ref.anchors))
            durable = checkpoint.position.seq if checkpoint is not None else -1
            fault = shortfall(Told(ref.name, anchor, ref.owner_epoch), head, durable)
            if fault is not None:
                report.findings.append(f"{ref.name}: {fault}")
            if head is None and not follower.snapshots and self.start == _genesis(ref.name):
                report.broken = fault is not None
                return  # Nothing was ever done in this slot, as far as its own unit says.
            async for _, groups in read_chain(unit, ref.name, self.start, ref.ring, _marks(ref, checkpoint)):
                for group in groups:
                    seq = group.seq
                    packed, aside = unpack_group(group.payload)
                    report.findings += [_unreadable(seq, bad) for bad in aside]
                    entries = [entry for _, entry in packed]
                    self.beside.take(seq, entries)
                    follower.take(seq, entries)
                advance(len(groups))
        except Corrupt as broken:
            report.broken = True
            report.findings.append(str(broken))
        except msgspec.MsgspecError as error:
            report.broken = True
            report.findings.append(f"{ref.name}: group {seq} can't be read: {error}")

    async def compare(self) -> None:
        """Hold what is written beside the journal against it."""
        report, ref = self.follower.report, self._ref
        if report.broken:
            return
        audits = self.follower.audits
        report.identities.update(self.beside.contracts)
        for audit in audits.values():
            report.identities.update(audit.state.members if audit.state is not None else ())
        if self._stable:
            report.findings += check_snapshots(self.beside, self.follower.snapshots)
        report.findings += await check_bills(self._unit, self.beside)
        if not self._only:
            await self._compare_index()
        if ref.shared:
            shared = SealedUnit(await STORES.open_to_read(ref.shared), ref.ring, lambda _: None)  # The survey tells.
            try:
                report.findings += await check_shared(shared, self.beside, audits, self._catch_up)
            finally:
                await shared.close()

    async def _compare_index(self) -> None:
        """Look at key index and watch list, unless the owner has written new ones meanwhile."""
        checkpoint, report = self._checkpoint, self.follower.report
        if checkpoint is None:
            return
        try:
            loaded = await load_keys(self._unit, report.name, checkpoint)
            await load_watched(self._unit, report.name, checkpoint)
            report.findings += check_keys(report.name, self.beside, loaded)
        except Corrupt as missing:
            if await load_checkpoint(self._unit, report.name) == checkpoint:
                report.findings.append(str(missing))

    async def _catch_up(self) -> None:
        """Take the contracts that were journaled since the checkpoint, once more."""
        position = self._checkpoint.position if self._checkpoint is not None else self.start
        async for _, groups in read_chain(self._unit, self._ref.name, position, self._ref.ring):
            for group in groups:
                for _, entry in unpack_group(group.payload)[0]:
                    if entry.events and self._only in ("", entry.account_id):
                        self.beside.take_contracts(entry)


def _unreadable(seq: int, bad: SetAside) -> str:
    return f"{bad.account_id or 'unknown account'}: entry {bad.index} of group {seq} can't be read: {bad.why}"


def _marks(ref: JournalRef, checkpoint: Checkpoint | None) -> Mapping[int, Mark]:
    """Say what is known of a chain's groups: by the checkpoint that its owner sealed, and by anchors in force."""
    marks: dict[int, Mark] = {}
    if checkpoint is not None:
        for segment in checkpoint.segments:
            marks[segment.first_seq - 1] = Mark(segment.start_tip, "the checkpoint")
        marks[checkpoint.position.seq] = Mark(checkpoint.position.tip, "the checkpoint")
    marks.update((anchor.seq, Mark(anchor.tip, anchor.where)) for anchor in in_force(ref.anchors))
    return marks


def _genesis(name: str) -> Position:
    return Position(0, -1, genesis(name))


async def _start(unit: Unit, name: str) -> Position:
    return start_of(name, await load_checkpoint(unit, name))


def start_of(name: str, checkpoint: Checkpoint | None) -> Position:
    """Say where the journal that is still there begins; earlier segments may have been dropped."""
    if checkpoint is None:
        return _genesis(name)
    first = checkpoint.segments[0]
    return Position(first.number, first.first_seq - 1, first.start_tip)


async def _read_snapshots(unit: Unit, name: str, follower: Follower, checkpoint: Checkpoint | None) -> bool:
    """Read the newest state that was written down of each account; False = the owner wrote new ones all the time.

    Raises `Corrupt` when a delta is missing.
    """
    # The snapshots of a slot that is served change while they are read. They belong together when the checkpoint was
    # the same before and after.
    for _ in range(STABLE_TRIES):
        follower.snapshots.clear()
        try:
            await _read_once(unit, name, follower, checkpoint)
        except Corrupt:
            # A slot that is served writes on: what an older checkpoint named is deleted when two newer ones are there.
            again = await load_checkpoint(unit, name)
            if again == checkpoint:
                raise
            checkpoint = again
            continue
        again = await load_checkpoint(unit, name)
        if again == checkpoint:
            return True
        checkpoint = again
    return False


async def _read_once(unit: Unit, name: str, follower: Follower, checkpoint: Checkpoint | None) -> None:
    only, newest = follower.only, follower.snapshots
    for partition in partitions(name):
        async for page in unit.scan(COLLECTION, partition):
            newest.update((stored.key, stored) for stored in page if only in ("", stored.key))
    for delta in checkpoint.deltas if checkpoint is not None else ():
        async for states in load_delta(unit, name, delta):
            for stored in states:
                before = newest.get(stored.key)
                if only in ("", stored.key) and (before is None or before.timestamp <= stored.timestamp):
                    newest[stored.key] = stored


async def stand_of(refs: Sequence[JournalRef]) -> tuple[list[JournalRef], int]:
    """Note where each journal ends now, and how many groups all of them hold. Raises `StoreUnavailable`."""
    noted: list[JournalRef] = []
    count = 0
    for url in dict.fromkeys(ref.url for ref in refs):
        ring = next(ref.ring for ref in refs if ref.url == url)
        try:
            unit = SealedUnit(await STORES.open_to_read(url), ring, lambda _: None)
        except StoreRejected:
            noted += [ref for ref in refs if ref.url == url]  # Its audit tells.
            continue
        try:
            for ref in refs:
                if ref.url == url:
                    first, newest = await _ends(unit, ref.name)
                    noted.append(replace(ref, head_seq=newest))
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
    """Audit journals in processes of their own, one worker in this one; reports come in the order of `refs`.

    `advance` is called in this process with groups as read. Call it outside of any event loop. Raises what
    `audit_journal` raises, when the others are through.
    """
    if workers == 1:
        return [asyncio.run(audit_journal(ref, "", advance)).report for ref in refs]
    # A fork of a process that has called over gRPC waits for threads that it does not have.
    fresh = get_context("spawn")
    with fresh.Manager() as manager, ProcessPoolExecutor(workers, fresh) as pool:
        progress: Queue[int] = manager.Queue()
        waiting = [pool.submit(_in_process, ref, progress) for ref in refs]
        # `_drain` waits a moment for news, so this is no busy loop; the last call takes what came after the last look.
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


def match_vouchers(slots: Sequence[SlotReport]) -> None:
    """Hold the vouchers that sheets say were used against what accounts were credited; findings go to the reports.

    Where older segments are gone, nothing can be said.
    """
    if any(slot.broken or slot.since_ms for slot in slots):
        return
    whole = joined([slot.vouchers for slot in slots])
    for slot in slots:
        slot.findings += match(slot.voucher_claims, whole)


def _arrivals(received: dict[str, list[int]], key: str) -> str:
    return f"the journals say: {', '.join(map(str, received[key]))}" if key in received else "no journal has it"

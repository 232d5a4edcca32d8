"""The audit of journals, straight from the storage units: no server has to run, and none is believed.

For each slot: the hash chain from its first segment to the head; for each account its entries in order (versions, keys
used once, postings that add up to zero, movements that follow from them); and each snapshot against the state replayed
up to it. `onetier audit ACCOUNT` follows one account, `--all` every account of every slot, a process for each core.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import Manager
from queue import Empty, Queue

from msgspec import Struct

from charging.account import MONEY, Account
from charging.entry import Entry
from charging.events import MovedIn, Opened
from charging.history import Audit
from domainservers.accounts import COLLECTION, partitions, unpack_account
from domainservers.groups import unpack_entries
from domainservers.journal import Corrupt, Position, genesis, read_chain
from domainservers.snapshots import load_checkpoint
from storage.open import open_unit
from storage.unit import Stored, Unit

FINDINGS_MAX = 50
PROGRESS_GROUPS = 20

Advance = Callable[[int], None]


class JournalRef(Struct, frozen=True):
    """A journal and where it is."""

    url: str
    name: str


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
    findings: list[str] = []


class _Follower:
    """Follows the accounts of one journal."""

    def __init__(self, report: SlotReport, only: str, snapshots: dict[str, Stored]) -> None:
        self.audits: dict[str, Audit] = {}
        self._report = report
        self._only = only
        self._snapshots = snapshots
        self._skipped: set[str] = set()

    def take(self, seq: int, entries: list[Entry]) -> None:
        """Follow one group, then compare the snapshots that were written at it."""
        self._report.groups += 1
        touched: dict[str, None] = {}
        for entry in entries:
            if self._only and entry.account_id != self._only:
                continue
            self._report.entries += 1
            audit = self._audit_of(entry)
            if audit is not None:
                audit.add(entry)
                touched[entry.account_id] = None
        for account_id in touched:
            stored = self._snapshots.get(account_id)
            if stored is not None and stored.timestamp == seq:
                self._compare(account_id, stored)

    def finish(self) -> None:
        """Sum up."""
        report = self._report
        for audit in self.audits.values():
            found = audit.report()
            report.accounts += 1
            report.refusals += found.refusals
            report.revenue += found.totals.get("revenue", 0)
            report.money += _money(found.account)
            report.findings += [f"{found.account_id}: {finding}" for finding in found.findings]
        report.later = len(self._skipped)
        del report.findings[FINDINGS_MAX:]

    def _audit_of(self, entry: Entry) -> Audit | None:
        audit = self.audits.get(entry.account_id)
        if audit is None:
            begins = any(isinstance(event, Opened | MovedIn) for event in entry.events)
            if not begins:
                # A refusal of what does not exist yet, or an account whose beginning was dropped with its segment.
                if entry.events:
                    self._skipped.add(entry.account_id)
                return None
            audit = self.audits[entry.account_id] = Audit(entry.account_id)
        return audit

    def _compare(self, account_id: str, stored: Stored) -> None:
        self._report.snapshots += 1
        if unpack_account(stored.value) != self.audits[account_id].state:
            self._report.findings.append(f"{account_id}: its snapshot is not what the journal says")


def _money(account: Account | None) -> int:
    if account is None or account.status == "moved":
        return 0
    return sum(book.amount for book in account.books if book.unit == MONEY)


async def audit_journal(ref: JournalRef, only: str, advance: Advance) -> tuple[SlotReport, Audit | None]:
    """Audit one journal; `only` narrows it to one account, whose audit is given back too.

    Raises `StoreUnavailable`.
    """
    report = SlotReport(ref.name, findings=[])
    unit = await open_unit(ref.url)
    try:
        follower = _Follower(report, only, await _snapshots(unit, ref.name, only))
        try:
            async for _, groups in read_chain(unit, ref.name, await _start(unit, ref.name)):
                for group in groups:
                    follower.take(group.seq, unpack_entries(group.payload))
                advance(len(groups))
        except Corrupt as broken:
            if await unit.head(ref.name, 0) is not None or report.groups:
                report.findings.append(str(broken))
    finally:
        await unit.close()
    follower.finish()
    return report, follower.audits.get(only)


async def _start(unit: Unit, name: str) -> Position:
    """Where the journal that is still there begins; earlier segments may have been dropped."""
    checkpoint = await load_checkpoint(unit, name)
    if checkpoint is None:
        return Position(0, -1, genesis(name))
    first = checkpoint.segments[0]
    return Position(first.number, first.first_seq - 1, first.start_tip)


async def _snapshots(unit: Unit, name: str, only: str) -> dict[str, Stored]:
    found: dict[str, Stored] = {}
    for partition in partitions(name):
        async for page in unit.scan(COLLECTION, partition):
            found.update((stored.key, stored) for stored in page if not only or stored.key == only)
    return found


def audit_all(refs: list[JournalRef], workers: int, advance: Advance) -> list[SlotReport]:
    """Audit journals in processes of their own; `advance` is called with groups as they are read."""
    with Manager() as manager, ProcessPoolExecutor(workers) as pool:
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
    report, _ = asyncio.run(audit_journal(ref, "", partial(_note, progress)))
    return report


def _note(progress: "Queue[int]", groups: int) -> None:
    progress.put(groups)

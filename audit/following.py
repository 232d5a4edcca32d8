"""Follows the accounts of one journal: each through its entries, each snapshot against the state replayed up to it."""

from collections import deque

import msgspec
from msgspec import Struct, field

from audit.backups import BackupCheck
from audit.rerating import Rerater
from audit.subjects import SubjectFollower, of_subject
from audit.vouchers import VoucherBooks
from business.kinds import KINDS
from business.subjects import tell
from charging.base.account import MONEY, Account
from charging.base.subject import kind_of
from charging.ledger.auditing import Audit, TransferHalves, begins
from charging.ledger.entry import Entry
from charging.ledger.history import line
from charging.ledger.reconciling import PeriodTotals, series_faults
from charging.wire import HistoryLine
from domainservers.accounts.accounts import unpack_account
from domainservers.journal.journal import Position
from storage.unit import Stored

FINDINGS_MAX = 50


class SlotReport(Struct):
    """What the audit of one slot's journal found; money in micro-units."""

    name: str
    groups: int = 0
    entries: int = 0
    refusals: int = 0
    accounts: int = 0
    subjects: int = 0
    """What the slot holds besides accounts."""
    later: int = 0
    """Accounts whose beginning is in segments that are gone: followed from their first entry that is there."""
    snapshots: int = 0
    """Snapshots that were compared with the replayed state."""
    money: int = 0
    """In the books of the accounts that are here, replayed."""
    bills: int = 0
    """Bills and credit notes that were numbered."""
    periods: dict[str, PeriodTotals] = {}
    """What the bills of each run come to, by period."""
    staged: int = 0
    """Came into stages of bill runs, or was in them when its account came."""
    replayed: int = 0
    """Of it; the rest is staged still, or moved away with its account."""
    backups: int = 0
    """Backups of its books that were held to the journal."""
    revenue: int = 0
    since_ms: int = 0
    """Time of the first entry when older segments are gone; 0 = the journal is whole."""
    broken: bool = False
    """The chain does not hold, so its end was not read."""
    transfers: TransferHalves = field(default_factory=TransferHalves)
    """All halves of transfers that were met."""
    claims: TransferHalves = field(default_factory=TransferHalves)
    """Those that were there when the audit began: their other halves must be found."""
    vouchers: VoucherBooks = field(default_factory=VoucherBooks)
    """What sheets and accounts say of vouchers; and of those that were there when the audit began."""
    voucher_claims: VoucherBooks = field(default_factory=VoucherBooks)
    identities: set[str] = set()
    """Whose contracts the journal made, or its accounts have as members."""
    rerated: int = 0
    """Charges that were rated again."""
    left_out: dict[str, int] = {}
    """Why charges were not rated again → how many."""
    findings: list[str] = []
    notes: list[str] = []
    """What is no finding and yet to be known: losses that somebody accepted."""


class Follower:
    """Follows the accounts of one journal."""

    def __init__(self, name: str, head_seq: int, start: Position, only: str, lines_max: int) -> None:
        """`head_seq` is the journal's newest group when the audit began; `only` narrows it to one account."""
        self.report = SlotReport(name)
        self.audits: dict[str, Audit] = {}
        self.lines: deque[HistoryLine] = deque(maxlen=lines_max)
        self.snapshots: dict[str, Stored] = {}
        self.subjects = SubjectFollower(start.seq + 1)
        self.only = only
        self.rerater: Rerater | None = None
        self.backups: BackupCheck | None = None
        self._first_seq = start.seq + 1
        self._head_seq = head_seq
        self._claimed = False
        self._met: set[str] = set()

    def take(self, seq: int, entries: list[Entry]) -> None:
        """Follow one group, then compare the snapshots that were written at it."""
        report = self.report
        # Whoever is paid is noted at another slot, which may be read earlier or later: of what came after the audit
        # began the other half may be missing without any fault, so only what was there then is claimed.
        if seq > self._head_seq and not self._claimed:
            self._claim()
        if not report.groups and self._first_seq and entries:
            report.since_ms = entries[0].time_ms
        report.groups += 1
        touched: dict[str, Audit] = {}
        of_subjects: list[Entry] = []
        for entry in entries:
            if self.only and entry.account_id != self.only:
                continue
            report.entries += 1
            if of_subject(entry):
                if self.backups is not None:
                    self.backups.note_runs(entry)
                of_subjects.append(entry)
                if self.lines.maxlen:
                    self.lines.append(tell(entry, KINDS))
                continue
            audit = self.audits.get(entry.account_id) or self._begin(entry)
            if audit is None:
                report.refusals += 1  # Of what does not exist yet.
                continue
            if self.rerater is not None:
                again = self.rerater.take(entry, audit.state)
                report.findings += [f"{entry.account_id}: {finding}" for finding in again]
            audit.add(entry)
            if self.backups is not None:
                self.backups.note(entry)
            report.vouchers.note(entry)
            touched[entry.account_id] = audit
            if self.lines.maxlen:
                self.lines.append(line(entry))
        self.subjects.take(seq, of_subjects, self.snapshots)
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
        self.report.voucher_claims = self.report.vouchers.claimed(self.subjects.audits)

    def finish(self) -> None:
        """Sum up."""
        report = self.report
        if not self._claimed:
            self._claim()
        _gather(self.audits, report.transfers)
        if self.rerater is not None:
            report.rerated, report.left_out = self.rerater.rated, dict(self.rerater.left_out)
        if not report.broken:
            self._look_at_the_rest()
        for audit in self.audits.values():
            found = audit.report()
            report.accounts += 1
            report.refusals += found.refusals
            report.staged += audit.stages.staged
            report.replayed += audit.stages.replayed
            report.revenue += found.totals.get("revenue", 0)
            report.money += _money(found.account)
            for period, totals in audit.bills.periods.items():
                report.periods.setdefault(period, PeriodTotals()).add(totals)
            report.findings += [f"{found.account_id}: {finding}" for finding in found.findings]
        numbers = [number for audit in self.audits.values() for number in audit.numbers]
        report.findings += [] if self.only else _series(report.name, numbers, whole=not self._first_seq)
        report.bills += len(numbers)
        self._sum_up_subjects()
        if self.backups is not None:
            report.findings += self.backups.finish({name: audit.state for name, audit in self.audits.items()})
        states = [audit.state for audit in self.audits.values()]
        report.findings += report.vouchers.summed_up(report.name, self.subjects.audits, states)
        del report.findings[FINDINGS_MAX:]

    def _sum_up_subjects(self) -> None:
        report, subjects = self.report, self.subjects
        if not report.broken:
            subjects.finish(self.snapshots)
        report.subjects = len(subjects.audits)
        report.refusals += sum(audit.refusals for audit in subjects.audits.values())
        report.snapshots += subjects.compared
        report.findings += subjects.findings

    def _look_at_the_rest(self) -> None:
        """Look at accounts without a beginning, and at snapshots that the journal led to nowhere."""
        report = self.report
        for account_id, audit in self.audits.items():
            if audit.state is None:
                report.findings.append(f"{account_id}: neither an opening nor a snapshot shows what it began with")
        for account_id, stored in self.snapshots.items():
            if account_id in self._met or kind_of(account_id):
                continue
            if stored.timestamp >= self._first_seq:
                where = f"group {stored.timestamp}, in which the journal has no entry of it"
                report.findings.append(f"{account_id}: its snapshot is said to be of {where}")
            elif account_id not in self.audits:
                report.later += 1
                self.audits[account_id] = Audit(account_id, self._unpack(account_id, stored))


def _series(name: str, numbers: list[str], *, whole: bool) -> list[str]:
    """Say of a journal which series of numbers are not as they should be; one account alone has not all of them."""
    return [f"{name}: {fault}" for fault in series_faults(numbers, whole=whole)]


def _gather(audits: dict[str, Audit], into: TransferHalves) -> None:
    for audit in audits.values():
        into.sent.update(audit.transfers.sent)
        into.received.update(audit.transfers.received)
        into.settled.update(audit.transfers.settled)


def _money(account: Account | None) -> int:
    if account is None or account.terms.status == "moved":
        return 0
    return sum(book.amount for book in account.books if book.unit == MONEY)

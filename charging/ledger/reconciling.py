"""The reconciliation of an account's bills from its journal: every line and sum of a bill is added up again.

    line by line: what was posted in the period + what the bill itself adds    (late fees, discounts of the bill)
    bills = revenue of the period + tax on top, late fees, discounts of the bill − carried out + carried in
    closing = opening + in − charged − out, and a period opens where the one before left the books
    tax of lines = tax of groups, group by group
    receivables = opened − settled, credited and written off

All to the micro-unit. It believes no bucket: postings are put into their periods again (`posted_sums`).
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from charging.base.account import Account
from charging.base.localtime import month_text
from charging.base.receivables import RECEIVABLE
from charging.bills.bill import DISCOUNT, LATE_FEE, PAYEE, PERCENT_PARTS, Bill
from charging.bills.checking import check_bill
from charging.bills.taxing import grouped
from charging.errors import Invalid
from charging.ledger.commands.close_period import PeriodClosed
from charging.ledger.entry import Entry
from charging.ledger.event import BaseArrival, BaseEvent
from charging.ledger.passing import TRANSIT, BillAssumed
from charging.ledger.period_closing import opening_of
from charging.ledger.posted_sums import PeriodPosted, PostedSums, lines_of

REVENUE = "revenue"


class PeriodTotals(Struct):
    """What the bills of a period come to, micro-units: of one account, or summed up to a run."""

    closed: int = 0
    """Accounts whose period is closed, with a bill or without."""
    bills: int = 0
    gross: int = 0
    tax: int = 0
    asked: int = 0
    """Gross, less what is carried out, more what came in carried."""
    carried: int = 0
    """Out, less in."""

    def add(self, other: "PeriodTotals") -> None:
        """Sum up."""
        self.closed += other.closed
        self.bills += other.bills
        self.gross += other.gross
        self.tax += other.tax
        self.asked += other.asked
        self.carried += other.carried


class BillReconciling:
    """Follows the entries of one account, oldest first."""

    def __init__(self, start: Account | None = None) -> None:
        """`start` is the state before the first entry, when older segments of the journal are gone."""
        self._posted = PostedSums()
        self._owed: dict[str, int] = {}
        """What is owed by bills, by what moved it."""
        self._carried = 0
        self.periods: dict[str, PeriodTotals] = {}
        """By period, as bills write it."""
        if start is not None:
            self._begin(start, 0)

    def _begin(self, account: Account, time_ms: int) -> None:
        """Take over what an account comes with."""
        self._posted.begin(account, time_ms)
        self._owed = {"came with it": sum(bill.open for bill in account.open.bills)}
        self._carried = account.open.carried

    def note(self, before: Account | None, after: Account, entry: Entry) -> Iterator[str]:
        """Add an entry up; give what does not agree, in sentences."""
        closed = before.terms.closed if before is not None else after.terms.closed
        for event in entry.events:
            if isinstance(event, BaseArrival):
                self._begin(event.account, entry.time_ms)
                continue
            yield from self._revenue(entry, event)
            if isinstance(event, PeriodClosed):
                yield from self._closed(before, event)
                closed = event.month
            elif before is not None:
                self._posted.post(before, after, event, closed, entry.time_ms)
        owed, posted = sum(bill.open for bill in after.open.bills), sum(self._owed.values())
        if owed != posted:
            parts = ", ".join(f"{name} {amount}" for name, amount in sorted(self._owed.items()))
            yield f"entry {entry.key} leaves {owed} owed by bills, postings say {posted}: {parts}"

    def _revenue(self, entry: Entry, event: BaseEvent) -> Iterator[str]:
        """Follow what an event posts to what is owed, and hold its revenue against what it puts on the bill."""
        revenue, assumed = 0, 0
        for leg in event.legs():
            if leg.place == RECEIVABLE:
                what = str(type(event).__struct_config__.tag)
                self._owed[what] = self._owed.get(what, 0) - leg.delta
            elif leg.place == REVENUE:
                revenue += leg.delta
            elif leg.place == TRANSIT and isinstance(event, BillAssumed):
                assumed += leg.delta
        parts = event.billed()
        payees = sum(part.amount for part in parts if part.kind == PAYEE)
        if payees != assumed:
            yield f"entry {entry.key} takes {assumed} of other accounts' bills over and puts {payees} on the bill"
        billed = event.extra if isinstance(event, PeriodClosed) else sum(part.amount for part in parts) - payees
        if revenue != billed:
            yield f"entry {entry.key} posts {revenue} of revenue and puts {billed} on the bill"

    def _closed(self, before: Account | None, event: PeriodClosed) -> Iterator[str]:
        posted = self._posted.take(event.month)
        bill = event.bill
        if before is not None:
            period = f"{month_text(event.month)}/{before.terms.cycle_day}"
            self.periods.setdefault(period, PeriodTotals()).add(_totals(bill))
        if bill is None:
            for head, amount in posted.lines.items():
                if amount:
                    yield f"period {month_text(event.month)} is closed without a bill, {amount} were posted as {head}"
            return
        what = f"bill {bill.number} of {bill.period}"
        yield from _lines_agree(what, bill, posted, event)
        yield from _sums_agree(what, bill, posted)
        if before is not None and bill.balance is not None:
            opening = opening_of(before, event.month)
            if bill.balance.opening != opening:
                yield f"{what} opens at {bill.balance.opening}, the books were at {opening}"
        if bill.carried_in != self._carried:
            yield f"{what} carries {bill.carried_in} in, the one before carried {self._carried} out"
        self._carried = bill.carried_out


def _totals(bill: Bill | None) -> PeriodTotals:
    if bill is None:
        return PeriodTotals(1)
    return PeriodTotals(1, 1, bill.gross, bill.tax, bill.total, bill.carried_out - bill.carried_in)


def _lines_agree(what: str, bill: Bill, posted: PeriodPosted, event: PeriodClosed) -> Iterator[str]:
    """Hold each line against the postings: what differs must be what the bill itself adds."""
    lines, own = lines_of(bill), 0
    late = dict(event.late_fees)
    for head in dict.fromkeys((*lines, *posted.lines)):
        billed, charged = lines.get(head, 0), posted.lines.get(head, 0)
        added = billed - charged
        if head.kind == LATE_FEE:
            charged += late.pop(head.rule, 0)
            own += added
        elif head.kind == DISCOUNT and event.steps and (added < 0 or (head.origin and event.discounted)):
            # Of a closed period a discount may be taken back; how much is for who rates it again.
            own += added
            continue
        if billed != charged:
            yield f"{what}: line {head} is {billed}, the postings of the period are {charged}"
    for number, amount in late.items():
        yield f"{what}: late fee {amount} of bill {number} has no line"
    on_top = 0 if bill.prices == "include" else bill.tax
    if event.extra != own + on_top:
        yield f"{what} adds {event.extra} to what was posted: by its lines late fees and discounts {own}, tax {on_top}"


def _percent(rate: int) -> str:
    whole, rest = divmod(rate, PERCENT_PARTS)
    return f"{whole}.{rest:06}".rstrip("0").rstrip(".")


def _sums_agree(what: str, bill: Bill, posted: PeriodPosted) -> Iterator[str]:
    """Hold the sums of a bill against its lines, the coin that is carried, and the money that moved."""
    groups = {(group.category, group.rate): group.tax for group in bill.groups}
    by_lines = {(group.category, group.rate): group.tax for group in grouped(bill.lines)}
    for key in sorted({*groups, *by_lines}):
        if groups.get(key) != by_lines.get(key):
            name = f"{key[0] or 'no tax'} {_percent(key[1])} %"
            yield f"{what}: group {name} has tax {groups.get(key, 0)}, its lines have {by_lines.get(key, 0)}"
    gross = sum(line.gross for line in bill.lines)
    if bill.carried_in + gross != bill.total + bill.carried_out:
        yield f"{what} asks {bill.total} and carries {bill.carried_out} of lines {gross} and {bill.carried_in} before"
    if bill.balance is not None:
        moved = bill.balance.money_in - bill.balance.money_out
        if moved != posted.money:
            yield f"{what} tells of {moved} that came in and went out, postings say {posted.money}"
        closing = bill.balance.opening + moved - gross
        if bill.balance.closing != closing:
            yield f"{what} closes at {bill.balance.closing}: opening, money and lines come to {closing}"
    try:
        check_bill(bill)
    except Invalid as wrong:
        yield wrong.message


def series_faults(numbers: Iterable[str], *, whole: bool = False) -> Iterator[str]:
    """Say which series of numbers, of all that a journal still has, has gaps or doubles.

    `whole` says that the journal has all since its beginning, so every series begins with its first number.
    """
    series: dict[str, list[int]] = {}
    for number in numbers:
        name, _, count = number.rpartition("-")
        series.setdefault(name, []).append(int(count))
    for name, counts in sorted(series.items()):
        first, last = 1 if whole else min(counts), max(counts)
        if sorted(counts) != list(range(first, last + 1)):
            missing = sorted(set(range(first, last + 1)) - set(counts))[:5]
            doubles = sorted({count for count in counts if counts.count(count) > 1})[:5]
            yield f"series {name} has gaps {missing} and doubles {doubles}"

"""The reconciliation of an account's bills from its journal: every sum of a bill is added up again from the postings.

    lines = postings of the period + what the bill itself adds          (tax on top, late fees, discounts of the bill)
    carried in + lines = total + carried out, and what one bill carries out the next one carries in
    opening + money in − charged − money out = closing, and a period opens where the one before left the books
    receivables = opened − settled, credited and written off

All to the micro-unit. It believes no bucket: postings are put into their periods again.
"""

from collections.abc import Iterable, Iterator

from charging.base.account import Account
from charging.base.localtime import month_at, month_text
from charging.base.receivables import RECEIVABLE
from charging.bills.bill import Bill
from charging.bills.checking import check_bill
from charging.errors import Invalid
from charging.ledger.commands.close_period import PeriodClosed, is_money, opening_of
from charging.ledger.entry import Entry
from charging.ledger.event import BaseArrival, BaseEvent
from charging.ledger.events import Booked


class BillReconciling:
    """Follows the entries of one account, oldest first."""

    def __init__(self, start: Account | None = None) -> None:
        """`start` is the state before the first entry, when older segments of the journal are gone."""
        self._posted: dict[int, int] = {}
        self._owed = 0
        self._carried = 0
        if start is not None:
            self._begin(start)

    def _begin(self, account: Account) -> None:
        """Take over what an account comes with."""
        self._posted = {}
        for key, amount in zip(account.buckets.keys, account.buckets.amounts, strict=True):
            if not is_money(key):
                self._posted[key.month] = self._posted.get(key.month, 0) + amount
        self._owed = sum(bill.open for bill in account.open.bills)
        self._carried = account.open.carried

    def note(self, before: Account | None, after: Account, entry: Entry) -> Iterator[str]:
        """Add an entry up; give what does not agree, in sentences."""
        for event in entry.events:
            if isinstance(event, BaseArrival):
                self._begin(event.account)
                continue
            self._owed -= sum(leg.delta for leg in event.legs() if leg.place == RECEIVABLE)
            if isinstance(event, PeriodClosed):
                yield from self._closed(before, event)
                continue
            if before is not None:
                self._post(before, event, entry.time_ms)
        owed = sum(bill.open for bill in after.open.bills)
        if owed != self._owed:
            yield f"entry {entry.key} leaves {owed} owed by bills, postings say {self._owed}"

    def _post(self, account: Account, event: BaseEvent, time_ms: int) -> None:
        terms = account.terms
        parts = [(part.time_ms or time_ms, part.amount) for part in event.billed()]
        if isinstance(event, Booked) and event.kind == "adjust":
            money = {book.book_id for book in account.books if book.unit == "money" and not book.allowance}
            parts += [(time_ms, -amount) for book_id, amount in event.postings if book_id in money]
        for at_ms, amount in parts:
            month = max(month_at(terms.zone, terms.cycle_day, at_ms), terms.closed + 1)
            self._posted[month] = self._posted.get(month, 0) + amount

    def _closed(self, before: Account | None, event: PeriodClosed) -> Iterator[str]:
        posted = self._posted.pop(event.month, 0)
        bill = event.bill
        if bill is None:
            if posted:
                yield f"period {month_text(event.month)} is closed without a bill, {posted} were posted in it"
            return
        yield from _agrees(bill, posted, event.extra)
        if before is not None and bill.balance is not None:
            opening = opening_of(before, event.month)
            if bill.balance.opening != opening:
                yield f"bill {bill.number} opens at {bill.balance.opening}, the books were at {opening}"
        if bill.carried_in != self._carried:
            yield f"bill {bill.number} carries {bill.carried_in} in, the one before carried {self._carried} out"
        self._carried = bill.carried_out


def _agrees(bill: Bill, posted: int, extra: int) -> Iterator[str]:
    try:
        check_bill(bill)
    except Invalid as wrong:
        yield wrong.message
    if bill.gross != posted + extra:
        yield f"bill {bill.number} has lines of {bill.gross}, {posted} were posted and {extra} added by it"
    if bill.carried_in + bill.gross != bill.total + bill.carried_out:
        yield f"bill {bill.number} asks {bill.total} and carries {bill.carried_out}: that is not what it has"


def series_faults(numbers: Iterable[str]) -> Iterator[str]:
    """Say which series of numbers, of all that a journal still has, has gaps or doubles."""
    series: dict[str, list[int]] = {}
    for number in numbers:
        name, _, count = number.rpartition("-")
        series.setdefault(name, []).append(int(count))
    for name, counts in sorted(series.items()):
        first, last = min(counts), max(counts)
        if sorted(counts) != list(range(first, last + 1)):
            missing = sorted(set(range(first, last + 1)) - set(counts))[:5]
            doubles = sorted({count for count in counts if counts.count(count) > 1})[:5]
            yield f"series {name} has gaps {missing} and doubles {doubles}"

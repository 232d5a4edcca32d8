"""What a journal posted, put into billing periods again line by line: it believes no bucket.

Of each period: what was charged by line, as bills sum it, and money that came in or went out otherwise. Both are read
off the postings of events (`legs`, `billed`), by the clock and cycle day of the account.
"""

from typing import NamedTuple

from charging.base.account import MONEY, Account
from charging.base.localtime import month_at, month_text
from charging.bills.bill import ADJUSTMENT, USAGE, Bill
from charging.ledger.buckets import ADJUST, bill_money, place_of
from charging.ledger.event import BaseEvent
from charging.ledger.period_closing import is_money

_BOOK = "book:"


class LineHead(NamedTuple):
    """What one line is of."""

    item: str
    """As it was posted: of a bundle, not of its parts."""
    member: str
    kind: str
    rule: str
    level: str
    origin: str
    """Period, as bills write it; "" = the bill's own."""

    def __str__(self) -> str:
        """Name the line for people."""
        more = [each for each in (self.rule, self.level, self.origin and f"of {self.origin}") if each]
        return " ".join([self.kind, self.item, *more, *([f"of {self.member}"] if self.member else [])])


class PeriodPosted:
    """What was posted in one period, micro-units."""

    def __init__(self) -> None:
        self.lines: dict[LineHead, int] = {}
        self.money = 0
        """That came in, less what went out."""

    def add(self, head: LineHead, amount: int) -> None:
        """Add to a line."""
        self.lines[head] = self.lines.get(head, 0) + amount


class PostedSums:
    """The open periods of one account, as its journal is followed."""

    def __init__(self) -> None:
        self._periods: dict[int, PeriodPosted] = {}

    def begin(self, account: Account, time_ms: int) -> None:
        """Take over what an account comes with: its buckets, or the money that a new one begins with."""
        self._periods = {}
        cycle_day = account.terms.cycle_day
        for key, amount in zip(account.buckets.keys, account.buckets.amounts, strict=True):
            period = self._of(key.month)
            if is_money(key):
                period.money += amount
            else:
                origin = f"{month_text(key.origin)}/{cycle_day}" if key.origin else ""
                period.add(LineHead(key.item, key.member, key.kind or USAGE, key.rule, key.level, origin), amount)
        if not account.version:
            self._of(_month(account, account.terms.closed, time_ms)[0]).money += bill_money(account.books)

    def post(self, account: Account, after: Account, event: BaseEvent, closed: int, time_ms: int) -> None:
        """Add an event of an entry that led from one state to another; `closed` is the newest closed period."""
        charged = 0
        for part in event.billed():
            charged += part.amount
            month, origin = _month(account, closed, part.time_ms or time_ms)
            member = "" if account.account_id.endswith(part.member) else part.member
            head = LineHead(part.item, member, part.kind or USAGE, part.rule, part.level, origin)
            self._of(month).add(head, part.amount)
        if not event.moves_money:
            return
        moved = money_moved(account, after, event) + charged
        if not moved:
            return
        month, origin = _month(account, closed, event.moved_ms(time_ms))
        if place_of(event) == ADJUST:
            self._of(month).add(LineHead(ADJUSTMENT, "", ADJUSTMENT, "", "", origin), -moved)
        else:
            self._of(month).money += moved

    def take(self, month: int) -> PeriodPosted:
        """Give what was posted in a period that is closed now, and forget it."""
        return self._periods.pop(month, PeriodPosted())

    def _of(self, month: int) -> PeriodPosted:
        period = self._periods.get(month)
        if period is None:
            period = self._periods[month] = PeriodPosted()
        return period


def money_moved(before: Account, after: Account, event: BaseEvent) -> int:
    """Give what an event's postings add to the books that pay for anything."""
    books = (*before.books, *after.books)
    money = {f"{_BOOK}{book.book_id}" for book in books if book.unit == MONEY and not book.allowance}
    return sum(leg.delta for leg in event.legs() if leg.place in money)


def lines_of(bill: Bill) -> dict[LineHead, int]:
    """Sum a bill by what its lines are of, at the catalogue's prices; parts of a bundle are the bundle again."""
    found: dict[LineHead, int] = {}
    for line in bill.lines:
        head = LineHead(line.bundle or line.item, line.member, line.kind, line.rule, line.level, line.origin)
        found[head] = found.get(head, 0) + (line.gross if bill.prices == "include" else line.net)
    return found


def _month(account: Account, closed: int, time_ms: int) -> tuple[int, str]:
    """Give the period of a moment, and where it would have belonged, had that not been closed."""
    terms = account.terms
    month = month_at(terms.zone, terms.cycle_day, time_ms)
    return (month, "") if month > closed else (closed + 1, f"{month_text(month)}/{terms.cycle_day}")

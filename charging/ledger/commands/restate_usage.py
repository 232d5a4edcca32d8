"""Restate what the usage of an account came to: a cycle costs what one pass over it would, and one difference says so.

All of it was rated anew, in order, from the opening state of the first cycle; the owner posts the difference and sets
the counters in one entry. It is held against the account's version and against the sum that it knows itself, so usage
that came meanwhile makes it stale, never wrong. A restatement back to the former sums is a restatement like any other.
"""

from typing import Annotated

from msgspec import Struct
from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, MONEY, Account
from charging.base.asked import Asked, Own
from charging.base.bounds import AMOUNT_MAX, BOOK_MAX, TIME_MS_MAX, VERSION_MAX
from charging.base.buckets import MONEY_IN, Billed
from charging.base.fields import Reason
from charging.base.fieldtypes import MICRO_UNITS, NAME, Whole, refusal
from charging.base.localtime import month_at
from charging.errors import Refused
from charging.ledger import funds
from charging.ledger.accruals import accrue
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.books import check_room, require_book
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent, Leg, Pair, book_legs, legs_against
from charging.ledger.feeds import FeedMarked, require_new
from charging.ledger.standing import require_here

LINES_MAX, COUNTERS_MAX, TAKES_MAX = 200, 500, 100


class RestatedLine(Struct, frozen=True, array_like=True, gc=False):
    """What usage of one cycle, item and member came to more, or less."""

    time_ms: int
    """A moment of the cycle, UTC."""
    item: str
    member: str
    taxed_since: int
    """As of `charging.base.buckets.SumKey.since`."""
    difference: int
    """Micro-units."""


class RestatedAmount(Struct, frozen=True, array_like=True, gc=False):
    """What usage of one cycle added to a counter, or took of a book, more or less."""

    time_ms: int
    """A moment of the cycle, UTC: the one of its lines, if it has any."""
    name: str
    """Key of the accumulator, or id of the book."""
    difference: int


class UsageRestated(BaseEvent, frozen=True, tag="restated"):
    """Usage came to another sum."""

    feed: str
    batch: int
    lines: tuple[RestatedLine, ...]
    postings: tuple[Pair, ...]
    """Taken from money books, signed; they add up to the difference of all lines."""
    units: tuple[Pair, ...]
    """Taken from books of free units, signed."""
    counters: tuple[RestatedAmount, ...]
    """Added to accumulators, signed, cycle by cycle: a job that begins with a later one takes its own back."""
    reason: str
    takes: tuple[RestatedAmount, ...] = ()
    """What was taken of books that rating names, money and units, signed, cycle by cycle."""

    rerates = False

    def apply(self, account: Account) -> Account:
        """Take from the books and count; what is taken off a period that is gone is dropped with it."""
        books = funds.shift(funds.shift(account.books, self.postings, -1), self.units, -1)
        return replace(account, books=books, accumulators=accrue(account.accumulators, _summed(self.counters)))

    def legs(self) -> tuple[Leg, ...]:
        """Post money against revenue, units against use."""
        revenue = Leg("revenue", sum(line.difference for line in self.lines))
        return (*book_legs(self.postings, -1), revenue, *legs_against("use", self.units))

    def billed(self) -> tuple[Billed, ...]:
        """Bill each line in its cycle, or in the oldest open one with its origin."""
        return tuple(
            Billed(line.time_ms, line.item, line.member, line.difference, line.taxed_since) for line in self.lines
        )

    def words(self) -> str:
        """Say why, and which job it was."""
        return f"{self.reason or 'rated anew'} (job {self.batch} of {self.feed})"


class RestateUsage(BaseAction, frozen=True, tag="restate_usage"):
    """Restate what usage came to, by what a job rated anew."""

    feed: Annotated[str, NAME]
    batch: Annotated[int, Whole(1, VERSION_MAX, required=True)]
    expected_version: Annotated[int, Whole(1, VERSION_MAX, required=True)]
    from_ms: Annotated[int, Whole(1, TIME_MS_MAX, required=True)]
    """A moment of the first cycle that was rated anew, UTC."""
    expected_total: Annotated[int, Whole(-BOOK_MAX, BOOK_MAX, unit=MICRO_UNITS)]
    """Of the usage of open cycles from then on, before; `usage_total`."""
    lines: Annotated[tuple[RestatedLine, ...], Own()]
    counters: Annotated[tuple[RestatedAmount, ...], Own()]
    takes: Annotated[tuple[RestatedAmount, ...], Own()]
    """What more was taken of books that rating names, signed."""
    reason: Reason

    traits = Traits(
        sender=PLATFORM,
        permissions=("restate_usage",),
        predictable=False,
        proposable=True,
        of_subscribers=False,
        ports=False,
    )

    def checked(self, asked: Asked) -> "RestateUsage":
        """Raise `Invalid` LIST_TOO_LONG, RESTATEMENT_WRONG."""
        for name, rows, most in (
            ("lines", self.lines, LINES_MAX),
            ("counters", self.counters, COUNTERS_MAX),
            ("takes", self.takes, TAKES_MAX),
        ):
            if len(rows) > most:
                raise refusal("LIST_TOO_LONG", f"restate_usage.{name}", f"at most {most}")
        if not self.lines and not self.counters and not self.takes:
            raise refusal("RESTATEMENT_WRONG", "restate_usage.lines", "something that is another sum than before")
        return self

    def at_stake(self) -> int:
        """Give the difference, whichever way it goes."""
        return sum(abs(line.difference) for line in self.lines)

    def grounds(self) -> str:
        """Give the reason."""
        return self.reason

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Restate it. Refused BATCH_TAKEN, FEEDS_FULL, RESTATEMENT_STALE, INSUFFICIENT_FUNDS, UNITS_MISSING, BOOK_FULL;
        Invalid RESTATEMENT_WRONG.
        """
        require_here(account)
        require_new(account, self.feed, "", self.batch)
        total = usage_total(account, self.from_ms)
        if account.version != self.expected_version or total != self.expected_total:
            text = f"the account is at version {account.version} and its usage at {total}"
            facts = {"version": str(account.version), "total": str(total)}
            raise Refused("RESTATEMENT_STALE", f"{text}: rate it anew", facts=facts)
        self._check(account, now_ms)
        difference = sum(line.difference for line in self.lines)
        postings, units = _taken(account, _summed(self.takes), difference, now_ms)
        event = UsageRestated(
            self.feed, self.batch, self.lines, postings, units, self.counters, self.reason, self.takes
        )
        marked = FeedMarked(self.feed, "", self.batch)
        return Effect((event, marked), difference)

    def _check(self, account: Account, now_ms: int) -> None:
        first, last = _month(account, self.from_ms), _month(account, now_ms)
        for line in self.lines:
            known = line.member in account.members or not line.member
            inside = first <= _month(account, line.time_ms) <= last
            if not known or not inside or not line.item or line.item[0] == MONEY_IN:
                text = "usage of members, in cycles from from_ms to now, under an item of the catalogue"
                raise refusal("RESTATEMENT_WRONG", "restate_usage.lines", text)
            if abs(line.difference) > AMOUNT_MAX:
                raise refusal("RESTATEMENT_WRONG", "restate_usage.lines", f"at most {AMOUNT_MAX} each")
        for name, amounts in (("counters", self.counters), ("takes", self.takes)):
            if not all(first <= _month(account, each.time_ms) <= last for each in amounts):
                raise refusal("RESTATEMENT_WRONG", f"restate_usage.{name}", "of cycles from from_ms to now")
        for key, difference in _summed(self.counters):
            if key in account.accumulators and account.accumulators[key] + difference < 0:
                raise refusal("RESTATEMENT_WRONG", "restate_usage.counters", f"no less than there is of {key}")


def usage_total(account: Account, from_ms: int) -> int:
    """Give what usage of the cycles from a moment on comes to, as far as they are not closed; micro-units.

    What is of an earlier cycle, and stands in an open one because its own is closed, counts by its origin.
    """
    first, buckets = _month(account, from_ms), account.buckets
    return sum(
        amount
        for key, amount in zip(buckets.keys, buckets.amounts, strict=True)
        if not key.kind and key.item[:1] != MONEY_IN and (key.origin or key.month) >= first
    )


def _summed(amounts: tuple[RestatedAmount, ...]) -> tuple[Pair, ...]:
    """Add up by name: what is checked and taken is the sum, however it is divided."""
    sums: dict[str, int] = {}
    for each in amounts:
        sums[each.name] = sums.get(each.name, 0) + each.difference
    return tuple([pair for pair in sums.items() if pair[1]])


def _month(account: Account, time_ms: int) -> int:
    return month_at(account.terms.zone, account.terms.cycle_day, time_ms)


def _taken(
    account: Account, takes: tuple[Pair, ...], difference: int, now_ms: int
) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """Say what is taken, signed: of money books, those that are named and others for the rest, and of books of units.

    Raises Refused INSUFFICIENT_FUNDS, UNITS_MISSING, BOOK_FULL; `NotFound` for a book that is not there.
    """
    paid: list[Pair] = []
    units: list[Pair] = []
    for book_id, amount in takes:
        book = require_book(account, book_id)
        if book.amount - book.reserved < amount:
            raise Refused("UNITS_MISSING", f"book {book_id!r} has too little for {amount}", facts={"book": book_id})
        (paid if book.unit == MONEY else units).append((book_id, amount))
    left = difference - sum(amount for _, amount in paid)
    if left <= 0:
        check_room(require_book(account, MAIN_BOOK), -left)
        return (*paid, *(((MAIN_BOOK, left),) if left else ())), tuple(units)
    terms = account.terms
    books = funds.shift(account.books, paid, -1)
    drawn = funds.draw(books, left, terms.credit_limit, now_ms)
    if drawn is None:
        raise funds.no_funds(left, funds.affordable(books, terms.credit_limit, now_ms), terms.currency)
    return (*paid, *drawn), tuple(units)

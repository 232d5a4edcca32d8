"""Close a billing period of an account: its bill, numbered, in one journaled command.

The platform computes the bill from the account's bucket (`charging.bills`); the owner checks that nothing was posted to
the bucket since, that the sums agree to the micro-unit, and gives the number with the entry: so a number exists if and
only if its bill is journaled. New usage never makes a bill stale, for it goes to another bucket.

Fees that fell due come in the same entry, before the bill they are on: both or neither.
"""

from hashlib import blake2b
from typing import Annotated

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, Account, shared_terms
from charging.base.asked import FilledIn
from charging.base.bounds import BOOK_MAX, TIME_MS_MAX
from charging.base.buckets import MONEY_IN, SumKey
from charging.base.discounted import REMEMBERED_MAX, SEEN_BYTES_MAX, DiscountedPeriod, newest, taken_of
from charging.base.house_keys import bill_key
from charging.base.localtime import day_of, month_at, month_text, zone_of
from charging.base.openbills import ITEMS_MAX, NEVER_LATE, LateRule, OpenBill, OpenItem
from charging.base.receivables import RECEIVABLE, bill_opened, late_fees, late_fees_billed
from charging.base.staged import in_order
from charging.bills.bill import BILL, DISCOUNT, Bill
from charging.bills.checking import check_bill
from charging.errors import Invalid, Refused
from charging.ledger import buckets, dues, funds
from charging.ledger.accruals import accrue
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.dues import NOTHING_DUE, Dues, FeePosted
from charging.ledger.effect import Effect, VersionMoved
from charging.ledger.event import BaseEvent, Leg, Pair, book_legs
from charging.ledger.passing import BillPassed, payer_of
from charging.ledger.staging import MoneyReplayed, reckoned
from charging.ledger.standing import require_here, require_open

ACCRUALS_MAX = 1_000
"""Counters of limits that the discounts of one bill move."""
STEPS_BYTES_MAX = 1 << 20
"""Of the explanation of a bill's discounts."""

_pack = msgspec.msgpack.Encoder().encode


class PeriodClosed(BaseEvent, frozen=True, tag="closed"):
    """A billing period is closed, for ever; what is posted for it later goes to the next one."""

    month: int
    """Months since the year 0."""
    bill: Bill | None
    """With its number; None = there was nothing to bill."""
    extra: int
    """What the bill asks beyond what was posted, micro-units: tax on top of prices, late fees, less discounts."""
    due_ms: int
    items: tuple[OpenItem, ...]
    late: LateRule
    late_fees: tuple[Pair, ...]
    """(number of the bill that is late, micro-units) that this one asks."""
    accruals: tuple[Pair, ...] = ()
    """What limits of discounts on the bill have counted, by accumulator."""
    steps: bytes = b""
    """What discounts on the bill looked at and took, as charges keep it; empty = there are none."""
    cover: tuple[Pair, ...] = ()
    """Taken from other money books for the main book, which was below zero though the account had money."""
    discounted: tuple[DiscountedPeriod, ...] = ()
    """What discounts of this bill looked at, and of those before that they looked at again."""

    rerates = False
    moves_money = False

    def apply(self, account: Account) -> Account:
        """Take what was not posted, open the bill for what is left to pay, and forget the bucket."""
        closed = replace(account, terms=shared_terms(replace(account.terms, closed=self.month)))
        if self.accruals:
            closed = replace(closed, accumulators=accrue(closed.accumulators, self.accruals))
        if self.discounted or closed.open.discounted:
            closed = closed.with_open(discounted=newest(closed.open.discounted, self.discounted, self.month))
        bill = self.bill
        if bill is None:
            return replace(closed, buckets=buckets.without(account.buckets, self.month))
        books = funds.shift(account.books, ((MAIN_BOOK, self.extra),), -1) if self.extra else account.books
        state = replace(closed, books=books, buckets=buckets.without(account.buckets, self.month))
        state = late_fees_billed(state.with_open(carried=bill.carried_out), self.late_fees)
        state = bill_opened(state, self.opened(bill))
        if not self.cover:
            return state
        moves = (*self.cover, (MAIN_BOOK, -sum([amount for _, amount in self.cover])))
        return replace(state, books=funds.shift(state.books, moves, -1))

    def opened(self, bill: Bill) -> OpenBill:
        """Give the bill as it is owed."""
        return OpenBill(bill.number, bill.period, self.due_ms, max(0, bill.total), self.items, self.late)

    def legs(self) -> tuple[Leg, ...]:
        """Post what the bill adds against revenue, and what is left to pay from what is owed."""
        if self.bill is None:
            return ()
        covered = (*book_legs(self.cover, -1), *book_legs(((MAIN_BOOK, sum([each for _, each in self.cover])),), 1))
        return (*self._legs_of_bill(), *(covered if self.cover else ()))

    def _legs_of_bill(self) -> tuple[Leg, ...]:
        owed = sum(row.open for row in self.items)
        main = f"book:{MAIN_BOOK}"
        taken = (Leg(main, -self.extra), Leg("revenue", self.extra)) if self.extra else ()
        return (*taken, Leg(main, owed), Leg(RECEIVABLE, -owed)) if owed else taken

    def words(self) -> str:
        """Name the bill."""
        if self.bill is None:
            return f"period {month_text(self.month)} closed without a bill"
        return f"bill {self.bill.number} of {self.bill.period}"

    def numbers(self) -> tuple[str, ...]:
        """Give the one of its bill."""
        return (self.bill.number,) if self.bill is not None else ()


class ClosePeriod(BaseAction, frozen=True, tag="close_period"):
    """Close the oldest open period of an account with this bill."""

    month: int
    mark: bytes
    """Of the bucket that the bill was made of, its fees included: `bucket_mark`."""
    bill: Bill | None
    """Without a number. None = there is nothing to bill."""
    due_ms: int = 0
    """When what is left to pay is overdue, UTC; 0 = nothing is."""
    items: tuple[OpenItem, ...] = ()
    """What is left to pay, by item."""
    late: LateRule = NEVER_LATE
    late_fees: tuple[Pair, ...] = ()
    accruals: tuple[Pair, ...] = ()
    steps: bytes = b""
    dues: Dues = NOTHING_DUE
    """Fees that fell due and are posted with it."""
    discounted: tuple[DiscountedPeriod, ...] = ()
    """What is to be remembered of discounts."""
    number: Annotated[str, FilledIn()] = ""
    """The owner's, while it decides."""

    sees_stages = True
    patient = True
    traits = Traits(
        sender=PLATFORM,
        permissions=("close_period",),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Give what is asked, and the fees."""
        return (abs(self.bill.total) if self.bill is not None else 0) + self.dues.at_stake()

    def series(self) -> str:
        """Number bills."""
        return BILL if self.bill is not None else ""

    def numbered(self, number: str) -> "ClosePeriod":
        """Give it with the number of its bill."""
        return replace(self, number=number)

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Close it; what is staged and belongs to it comes in first, since its bill tells of it.

        Refused BILL_PERIOD_CLOSED, BILL_PERIOD_AHEAD, PERIOD_NOT_OVER; Invalid BILL_WRONG.

        Fees are refused as `charging.ledger.dues.posted` refuses. Raises `VersionMoved` when something was posted to
        the bucket since: the bill is made again.
        """
        require_here(account)
        _check_order(account, self.month, now_ms)
        waiting = _of_period(account, self.month)
        fees, account = _fees(reckoned(account), self.dues, now_ms)
        if self.mark != bucket_mark(account, self.month):
            raise VersionMoved
        sums = _sums(account, self.month)
        bill = self.bill
        if bill is None:
            if sums.billed or late_fees(account, now_ms):
                raise _wrong(self.month, "nothing to bill")
            if not _memory_holds(self):
                raise _wrong(self.month, "memory of discounts")
            nothing = PeriodClosed(self.month, None, 0, 0, (), NEVER_LATE, (), discounted=self.discounted)
            return Effect((*waiting, *fees, nothing))
        _check_bill(account, self, bill, now_ms, sums)
        extra = bill.gross - sums.charged - sums.off
        closed = PeriodClosed(
            self.month,
            replace(bill, number=self.number),
            extra,
            self.due_ms,
            self.items,
            self.late,
            self.late_fees,
            self.accruals,
            self.steps,
            discounted=self.discounted,
        )
        closed = replace(closed, cover=_cover(closed.apply(account), now_ms))
        passed = _passed(account, closed, now_ms)
        return Effect((*waiting, *fees, closed, *passed), bill.total, self.number.encode())


def _passed(account: Account, closed: PeriodClosed, now_ms: int) -> tuple[BillPassed, ...]:
    """Pass the bill on in the same entry if another account pays it, whatever else is under way."""
    payer, bill = payer_of(account, closed.month), closed.bill
    if bill is None or not payer or not closed.items:
        return ()
    of_ms = zone_of(account.terms.zone).day_begins(day_of(bill.to_day)) * 1000
    return (BillPassed(bill_key(bill.number), closed.opened(bill), payer, of_ms, now_ms, account.terms.currency),)


def _cover(account: Account, now_ms: int) -> tuple[Pair, ...]:
    """Say what other money pays the debt of the main book with: a bill is settled by all money that an account has.

    So whoever had enough in another book is not left owing what nobody asks for.
    """
    main = funds.book_of(account, MAIN_BOOK)
    missing = -main.amount if main is not None else 0
    found: list[Pair] = []
    for book in account.books:
        if missing > 0 and book.book_id != MAIN_BOOK and funds.spendable(book, now_ms):
            part = min(missing, max(0, book.amount - book.reserved))
            if part:
                found.append((book.book_id, part))
                missing -= part
    return tuple(found)


def bucket_mark(account: Account, month: int) -> bytes:
    """Give the fingerprint of what a bill is made of: the bucket, its terms, and what earlier bills left to it.

    Equal marks, equal bills: it is not the account's version, so traffic of other periods never makes a bill stale.
    """
    owed = [(bill.number, bill.late_billed) for bill in account.open.bills]
    content = (account.buckets.of(month), account.open.carried, owed, account.terms_version)
    return blake2b(_pack(content), digest_size=16).digest()


class PeriodSums(Struct, frozen=True, gc=False):
    """What the bucket of a period adds up to, micro-units, looked at once."""

    charged: int
    """What was charged, discounts apart."""
    off: int
    """Of discounts: below zero, as they are posted."""
    moved: int
    """Money that came in, less what went out."""
    billed: bool
    """Some sum of charges is not zero."""
    opening: int
    """What the money books held when the period began."""


def _sums(account: Account, month: int) -> PeriodSums:
    charged = off = moved = since = 0
    billed = False
    for key, amount in zip(account.buckets.keys, account.buckets.amounts, strict=True):
        if key.month < month:
            continue
        if is_money(key):
            since += amount
            if key.month == month:
                moved += amount
        else:
            since -= amount
            if key.month == month:
                billed = billed or amount != 0
                if key.kind == DISCOUNT:
                    off += amount
                else:
                    charged += amount
    return PeriodSums(charged, off, moved, billed, buckets.bill_money(account.books) - since)


def opening_of(account: Account, month: int) -> int:
    """Give what the money books held when the oldest open period began, micro-units; below zero it was owed.

    It is what they hold now without all that is in the buckets: so nothing of it is kept, and nothing can be lost.
    """
    return _sums(account, month).opening


def is_money(key: SumKey) -> bool:
    """Say whether a sum is of money that came in or went out, not of charges."""
    return key.item[:1] == MONEY_IN


def _of_period(account: Account, month: int) -> tuple[MoneyReplayed, ...]:
    """Give what is staged of a period, or of one before: later it would count in the next one, and be told twice.

    Of a closed account, too: the bill tells that it came in, so it has.
    """
    terms = account.terms
    return tuple(
        MoneyReplayed(row)
        for row in in_order(account.open.staged)
        if month_at(terms.zone, terms.cycle_day, row.at_ms) <= month
    )


def _fees(account: Account, due: Dues, now_ms: int) -> tuple[tuple[FeePosted, ...], Account]:
    if not due.fees:
        return (), account
    require_open(account)
    try:
        return dues.taken(account, due, now_ms)
    except Refused:
        if account.version != due.base_version:
            raise VersionMoved from None  # What came between took the money: who asks looks again what can be posted.
        raise


def _check_order(account: Account, month: int, now_ms: int) -> None:
    terms = account.terms
    if month <= terms.closed:
        text = f"period {month_text(month)} of {account.account_id} is closed"
        raise Refused("BILL_PERIOD_CLOSED", text, facts={"closed": month_text(terms.closed)})
    if month > terms.closed + 1:
        text = f"period {month_text(terms.closed + 1)} of {account.account_id} comes first"
        raise Refused("BILL_PERIOD_AHEAD", text, facts={"oldest": month_text(terms.closed + 1)})
    if month_at(terms.zone, terms.cycle_day, now_ms) <= month:
        text = f"period {month_text(month)} of {account.account_id} is not over yet"
        raise Refused("PERIOD_NOT_OVER", text)


def _check_bill(account: Account, action: ClosePeriod, bill: Bill, now_ms: int, sums: PeriodSums) -> None:
    check_bill(bill)
    terms, owed = account.terms, sum([row.open for row in action.items])
    opening, moved = sums.opening, sums.moved
    late = sum(amount for _, amount in action.late_fees)
    known = dict(late_fees(account, now_ms))
    for name, holds in (
        ("account", bill.account == account.account_id and bill.kind == BILL and not bill.number),
        ("currency", bill.currency == terms.currency),
        ("period", bill.period == f"{month_text(action.month)}/{terms.cycle_day}"),
        ("carried rest", bill.carried_in == account.open.carried),
        ("balance", bill.balance is not None and bill.balance.opening == opening),
        ("money that moved", bill.balance is not None and bill.balance.money_in - bill.balance.money_out == moved),
        ("settled part", bill.settled <= max(0, opening + moved + bill.carried_in)),
        ("items", owed == max(0, bill.payable) and all(0 < row.open <= row.billed <= BOOK_MAX for row in action.items)),
        ("number of items", len(action.items) <= ITEMS_MAX and 0 <= action.due_ms <= TIME_MS_MAX),
        ("late fees", all(0 < amount <= known.get(number, 0) for number, amount in action.late_fees) and late >= 0),
        ("lines that were posted", _lines_agree(account, sums, action, bill, late)),
        ("discounts of the bill", _limits_hold(account, action)),
        ("memory of discounts", _memory_holds(action)),
    ):
        if not holds:
            raise _wrong(action.month, name)


def _lines_agree(account: Account, sums: PeriodSums, action: ClosePeriod, bill: Bill, late: int) -> bool:
    """Say whether lines are the account's sums, but for late fees and explained discounts of the bill.

    Of discounts of earlier bills no more is taken back than was given.
    """
    include = bill.prices == "include"
    charged = given = 0
    for line in bill.lines:
        amount = line.gross if include else line.net
        if line.kind == DISCOUNT:
            given += amount
        else:
            charged += amount
    off = sums.off - given
    again = frozenset([row.month for row in action.discounted if row.month != action.month]) if off < 0 else frozenset()
    least = -taken_of(account.open.discounted, again) if again else 0
    return charged == sums.charged + late and off >= least and bool(off) <= bool(action.steps)


def _limits_hold(account: Account, action: ClosePeriod) -> bool:
    most = len(action.accruals) <= ACCRUALS_MAX and len(action.steps) <= STEPS_BYTES_MAX
    counted = account.accumulators
    return most and all(amount and -counted.get(key, 0) <= amount <= BOOK_MAX for key, amount in action.accruals)


def _memory_holds(action: ClosePeriod) -> bool:
    rows, oldest = action.discounted, action.month - REMEMBERED_MAX
    months = {row.month for row in rows}
    known = len(months) == len(rows) and all(oldest <= month <= action.month for month in months)
    return known and all(len(row.seen) <= SEEN_BYTES_MAX for row in rows)


def _wrong(month: int, what: str) -> Invalid:
    text = f"the bill of {month_text(month)} does not agree with the account: {what}"
    return Invalid("BILL_WRONG", text, facts={"sum": what})

"""Close a billing period of an account: its bill, numbered, in one journaled command.

The platform computes the bill from the account's bucket (`charging.bills`); the owner checks that nothing was posted to
the bucket since, that the sums agree to the micro-unit, and gives the number with the entry: so a number exists if and
only if its bill is journaled. New usage never makes a bill stale, for it goes to another bucket.

Fees that fell due come in the same entry, before the bill they are on: both or neither.
"""

from typing import Annotated

from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, Account
from charging.base.asked import FilledIn
from charging.base.discounted import DiscountedPeriod
from charging.base.house_keys import bill_key
from charging.base.localtime import day_of, month_at, month_text, zone_of
from charging.base.openbills import NEVER_LATE, LateRule, OpenBill, OpenItem
from charging.base.receivables import RECEIVABLE, late_fees
from charging.base.staged import in_order
from charging.bills.bill import BILL, Bill
from charging.bills.checking import check_bill
from charging.errors import Refused
from charging.ledger import dues, period_closing
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.dues import NOTHING_DUE, Dues, FeePosted
from charging.ledger.effect import Effect, VersionMoved
from charging.ledger.event import BaseEvent, Leg, Pair, book_legs
from charging.ledger.passing import BillPassed, payer_of
from charging.ledger.period_closing import PeriodSums, bucket_mark, cover_of, wrong
from charging.ledger.staging import MoneyReplayed, reckoned
from charging.ledger.standing import require_here, require_open


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
        bill = self.bill
        opened = self.opened(bill) if bill is not None else None
        return period_closing.closed(
            account, self.month, bill, self.extra, opened, self.late_fees, self.accruals, self.cover, self.discounted
        )

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
        staged = account.open.staged
        waiting = _of_period(account, self.month) if staged else ()
        fees, account = _fees(reckoned(account) if staged else account, self.dues, now_ms)
        if self.mark != bucket_mark(account, self.month):
            raise VersionMoved
        sums = PeriodSums(account, self.month)
        bill = self.bill
        if bill is None:
            if sums.billed or late_fees(account, now_ms):
                raise wrong(self.month, "nothing to bill")
            if not period_closing.memory_holds(self.month, self.discounted):
                raise wrong(self.month, "memory of discounts")
            nothing = PeriodClosed(self.month, None, 0, 0, (), NEVER_LATE, (), discounted=self.discounted)
            return Effect((*waiting, *fees, nothing), reached=None if staged else nothing.apply(account))
        self._check(account, bill, now_ms, sums)
        closed = PeriodClosed(
            self.month,
            replace(bill, number=self.number),
            bill.gross - sums.charged - sums.off,
            self.due_ms,
            self.items,
            self.late,
            self.late_fees,
            self.accruals,
            self.steps,
            discounted=self.discounted,
        )
        state = closed.apply(account)
        cover = cover_of(state, now_ms)
        passed = _passed(account, closed, now_ms)
        if cover:
            closed = replace(closed, cover=cover)
        reached = None if staged or cover or passed else state
        return Effect((*waiting, *fees, closed, *passed), bill.total, self.number.encode(), reached=reached)

    def _check(self, account: Account, bill: Bill, now_ms: int, sums: PeriodSums) -> None:
        """Hold the bill, and what is left to pay of it, against the account. Raises `Invalid` BILL_WRONG."""
        check_bill(bill)
        what = (
            period_closing.differs(account, self.month, bill, sums)
            or period_closing.owed_differs(account, bill, self.items, self.due_ms, self.late_fees, now_ms)
            or period_closing.lines_differ(
                account, self.month, bill, sums, self.late_fees, self.accruals, self.steps, self.discounted
            )
        )
        if what:
            raise wrong(self.month, what)


def _passed(account: Account, closed: PeriodClosed, now_ms: int) -> tuple[BillPassed, ...]:
    """Pass the bill on in the same entry if another account pays it, whatever else is under way."""
    payer, bill = payer_of(account, closed.month), closed.bill
    if bill is None or not payer or not closed.items:
        return ()
    of_ms = zone_of(account.terms.zone).day_begins(day_of(bill.to_day)) * 1000
    return (BillPassed(bill_key(bill.number), closed.opened(bill), payer, of_ms, now_ms, account.terms.currency),)


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

"""A bill: what one account is asked for one period, once, for ever.

Amounts are micro-units of the bill's currency; positive = the account owes it. Days are texts, 2026-10-01, of the
account's zone, as a document has them: a bill is read when no zone file of today is left.

    lines  ──sum by tax──▶  groups  ──sum──▶  gross
    carried_in + gross − carried_out = total, a multiple of the coin
    total − settled = payable
    balance: opening + money in − gross − money out = closing
"""

from typing import Final, Literal

from msgspec import Struct

LINES_MAX = 10_000
"""Lines of one bill: members and items of the largest account, and their discounts."""
PERCENT_PARTS = 1_000_000
"""A rate of tax is counted in millionths of a percent: 9 % is 9,000,000."""
WHOLE = 100 * PERCENT_PARTS

USAGE: Final = "usage"
FEE: Final = "fee"
DISCOUNT: Final = "discount"
ADJUSTMENT: Final = "adjustment"
LATE_FEE: Final = "late_fee"
PAYEE: Final = "payee"
"""What is left to pay of the bill of another account, which this one pays for; `rule` is its number."""
LineKind = Literal["usage", "fee", "discount", "adjustment", "late_fee", "payee"]
PAYEE_ITEM: Final = "payee"
HOUSE_ITEMS = frozenset({"adjustment", "late-fee", "payee", "refund"})
"""Account items that no catalogue makes: without tax, unless a tax names them."""
CARRIED: Final = "carried"
"""Item of what a bill asks though it has no lines: rests that earlier bills carried."""
WHOLE_BILL: Final = "total"
"""In conditions of discounts on bills: the item that stands for all of a bill."""
BILL: Final = "bill"
CREDIT_NOTE: Final = "credit_note"


class TaxedLine(Struct, frozen=True, array_like=True, gc=False):
    """What was posted under one head: one item of one member, of one kind, with one tax."""

    item: str
    """Account item, of the catalogue."""
    member: str
    """Identity that used or ordered it; "" = it is the account's."""
    kind: LineKind
    net: int
    """Without tax."""
    tax: int
    category: str
    """Of the tax; "" = there is none."""
    rate: int
    """Millionths of a percent."""
    level: str = ""
    """Of a discount: S, I, A or C."""
    rule: str = ""
    """Id of the fee, or of the discount."""
    origin: str = ""
    """Period in which it happened, when that was billed already; "" = the bill's own."""
    count: int = 0
    """Postings; 0 = not counted."""
    bundle: str = ""
    """Account item that was posted, of which this is a part with a tax of its own; "" = it was posted as it is."""

    @property
    def gross(self) -> int:
        """With tax."""
        return self.net + self.tax


class TaxGroup(Struct, frozen=True, array_like=True, gc=False):
    """All lines of one category and rate."""

    category: str
    rate: int
    net: int
    tax: int

    @property
    def gross(self) -> int:
        """With tax."""
        return self.net + self.tax


class MoneyMoved(Struct, frozen=True, array_like=True, gc=False):
    """Money that came to the account's balance in the period, or left it otherwise than by charges."""

    day: str
    kind: str
    """What moved it, in the words of the history: top-up, transfer, refund."""
    amount: int
    """Positive = it came in."""
    reference: str = ""
    """Request key, or voucher."""


class PeriodBalance(Struct, frozen=True, array_like=True):
    """What the account's money books held when the period began, and when the bill was made."""

    opening: int = 0
    """Negative = it was owed."""
    moved: tuple[MoneyMoved, ...] = ()
    closing: int = 0

    @property
    def money_in(self) -> int:
        """What came in."""
        return sum(each.amount for each in self.moved if each.amount > 0)

    @property
    def money_out(self) -> int:
        """What left it, charges aside; not negative."""
        return -sum(each.amount for each in self.moved if each.amount < 0)


class Bill(Struct, frozen=True, array_like=True):
    """A bill, or a credit note: a document of the same shape whose lines take back."""

    kind: Literal["bill", "credit_note"]
    number: str
    """Given by the owner when it is closed; "" = not yet (a trial has none)."""
    account: str
    customer: str
    period: str
    """2026-10/1, see `Period`."""
    from_day: str
    to_day: str
    """Last day, inclusive."""
    made_day: str
    due_day: str
    """Until which it is to be paid; "" = nothing is."""
    currency: str
    coin: int
    """The smallest that is paid; micro-units."""
    prices: Literal["include", "exclude"]
    """Whether prices have the tax in them."""
    rounding: Literal["bill", "line"]
    """Whether the tax of a group is rounded, and spread over its lines, or that of each line."""
    lines: tuple[TaxedLine, ...]
    groups: tuple[TaxGroup, ...]
    carried_in: int
    """What was left below the coin, or below the minimum, by the bill before."""
    carried_out: int
    total: int
    """What this bill asks; a multiple of the coin. Negative = it gives back."""
    settled: int = 0
    """What of it was taken from the account's balance already; at most the total."""
    minimum: int = 0
    """A total below it is carried to the next bill; 0 = none is."""
    of: str = ""
    """Of a credit note: the number of the bill whose lines it takes back."""
    arrears: int = 0
    """What is open of earlier bills, for the reader: it is no part of this one."""
    balance: PeriodBalance | None = None
    """None = it is not told, as of a credit note."""

    @property
    def net(self) -> int:
        """All lines without tax."""
        return sum(group.net for group in self.groups)

    @property
    def tax(self) -> int:
        """All tax."""
        return sum(group.tax for group in self.groups)

    @property
    def gross(self) -> int:
        """All lines with tax."""
        return sum(group.net + group.tax for group in self.groups)

    @property
    def payable(self) -> int:
        """What is left to pay of this bill when it is made."""
        return self.total - self.settled

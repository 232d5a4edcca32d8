"""A bill with all that its reader wants beside it: names in words, earlier periods, how it was settled, detail records.

The bill itself never changes. What stands around it is gathered when the document is made.
"""

from typing import Literal

from msgspec import Struct

from charging.bills.bill import Bill

Language = Literal["zh", "en"]
HISTORY_PERIODS = 6
DETAILS_MAX = 200_000
"""Detail records of one document: two thousand pages."""


class PastPeriod(Struct, frozen=True):
    """What a bill asked for."""

    period: str
    total: int
    """Micro-units."""


class Payment(Struct, frozen=True):
    """Money that settled the bill, or some of it, after it was made."""

    day: str
    kind: str
    """How it came: `payment`, `voucher`, `balance`, or the operator's own words; `credit_note`, `written_off`, and of
    what was taken back `reversed`."""
    amount: int
    """Micro-units; negative = it was reversed."""
    reference: str = ""


class PrintedDetail(Struct, frozen=True):
    """One usage or fee behind a line."""

    time: str
    """Of the account's clock: 2026-01-05 10:11:12."""
    member: str
    item: str
    party: str
    """The other side; "" = there is none."""
    quantity: str
    """With its unit: 3 min."""
    amount: int
    """Micro-units."""


class BillDocument(Struct, frozen=True):
    """All that is printed."""

    bill: Bill
    language: Language = "zh"
    operator: str = "onetier"
    """Who asks for the money, as it calls itself."""
    name: str = ""
    """Of the customer, and the lines of the address."""
    address: tuple[str, ...] = ()
    names: dict[str, str] = {}
    """What people call items, rules, and categories of tax; those without a name go by their id."""
    history: tuple[PastPeriod, ...] = ()
    """Earlier periods and this one, oldest first; the newest six are drawn."""
    payments: tuple[Payment, ...] = ()
    details: tuple[PrintedDetail, ...] = ()

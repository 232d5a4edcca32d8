"""What a bill is made of: whose it is, and sums of what was posted."""

from msgspec import Struct

from charging.bills.bill import LineKind

TaxKey = tuple[str, int]
"""Category and rate."""


class BillFrame(Struct, frozen=True):
    """What a bill says of whom and when; see `Bill` for each."""

    account: str
    customer: str
    period: str
    from_day: str
    to_day: str
    made_day: str
    currency: str


class BillSum(Struct, frozen=True, array_like=True, gc=False):
    """What was posted in a period under one head, at the catalogue's prices: as sums are kept while charging."""

    item: str
    member: str
    kind: LineKind
    day: int
    """Any day, since 1970-01-01, on which what is summed had the same tax: see `TaxTable.since`."""
    amount: int
    level: str = ""
    rule: str = ""
    origin: str = ""
    count: int = 0

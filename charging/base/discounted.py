"""What an account remembers of the discounts of its newest bills, so that what comes late costs what one bill would.

A rule of a bill looks at all of the bill: at its sum, at what a limit has left. So what comes after the bill was closed
has no discount of its own, and none of the next bill's: rules look once more at all of the closed period, and the
difference to what they took off then stands on the next bill. What they looked at is kept for that, packed, by accounts
that such rules may concern, and by no others.
"""

import msgspec
from msgspec import Struct

from charging.base.contract import Contract

REMEMBERED_MAX = 5
"""Periods: as far as usage can come late or be rated anew, and one more for a bill that is made late."""
SEEN_BYTES_MAX = 1 << 16
"""Of one period, packed; of a bill that is larger nothing is remembered."""
_pack = msgspec.msgpack.Encoder().encode
Pair = tuple[str, int]


class SeenSum(Struct, frozen=True, array_like=True, gc=False):
    """What was posted in the period under one head, before discounts of the bill."""

    item: str
    member: str
    day: int
    """As of `charging.bills.sums.BillSum`."""
    amount: int
    """Micro-units."""


class TakenOff(Struct, frozen=True, array_like=True, gc=False):
    """What one rule has taken off a sum, on the bill and on those since."""

    item: str
    member: str
    day: int
    level: str
    rule: str
    amount: int
    """Micro-units, more than zero."""


class SeenBill(Struct, frozen=True, array_like=True):
    """What rules looked at and did, in one period."""

    sums: tuple[SeenSum, ...]
    taken: tuple[TakenOff, ...]
    accruals: tuple[Pair, ...]
    """What limits have counted of it."""
    counters: tuple[Pair, ...]
    """What the counters said that rules read, without `accruals`: the account forgets them in time."""
    contracts: tuple[Contract, ...]
    """As they were: rules are had as they were when the bill was closed."""
    agreements: tuple[str, ...]
    attributes: dict[str, str]
    customer_attributes: dict[str, str]
    """These three of the account."""


class DiscountedPeriod(Struct, frozen=True, array_like=True, gc=False):
    """One period of an account, as it is kept."""

    month: int
    """Months since the year 0."""
    seen: bytes
    """A `SeenBill`, packed; empty = it was too large."""


_unpack = msgspec.msgpack.Decoder(SeenBill).decode


def remembered(month: int, seen: SeenBill) -> DiscountedPeriod:
    """Pack what was seen of a period."""
    packed = _pack(seen)
    return DiscountedPeriod(month, packed if len(packed) <= SEEN_BYTES_MAX else b"")


def seen_of(period: DiscountedPeriod) -> SeenBill | None:
    """Give what was seen of a period; None = it was too large to be remembered. Raises what decoding raises."""
    if not period.seen:
        return None
    return _unpack(period.seen)


def newest(
    known: tuple[DiscountedPeriod, ...], more: tuple[DiscountedPeriod, ...], month: int
) -> tuple[DiscountedPeriod, ...]:
    """Put newer rows in the place of older ones of their months, and forget what is too long ago; `month` is closed."""
    rows = {row.month: row for row in (*known, *more) if row.month > month - REMEMBERED_MAX}
    return tuple([rows[each] for each in sorted(rows)])


def taken_of(known: tuple[DiscountedPeriod, ...], months: frozenset[int]) -> int:
    """Add up what was taken off the bills of some periods, micro-units: what can be taken back at most."""
    found = [seen_of(row) for row in known if row.month in months]
    return sum([taken.amount for seen in found if seen is not None for taken in seen.taken])

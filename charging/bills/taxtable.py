"""Rates of tax by item and day, and how bundles are split, as bills use them; `charging.plans` makes the table.

Where a catalogue has taxes, every item must have one on every day that is billed: an item without is no item without
tax, it is a hole (`TAX_ITEM_UNKNOWN`). Where it has none, nothing is taxed.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

from charging.bills.bill import HOUSE_ITEMS, PAYEE_ITEM, PERCENT_PARTS
from charging.bills.spreading import split
from charging.errors import Invalid

ANY_ITEM = "*"
"""In a tax: every item that no other tax of that day names."""
KNOWN_MAX = 10_000


@dataclass(frozen=True, slots=True)
class TaxSpan:
    """A tax from one day until another, of the items that name it."""

    from_day: int
    """Local, days since 1970-01-01."""
    to_day: int
    """Exclusive."""
    category: str
    rate: int
    """Millionths of a percent."""


@dataclass(frozen=True, slots=True)
class TaxTable:
    """What a region's catalogues say of bills."""

    spans: Mapping[str, tuple[TaxSpan, ...]] = field(default_factory=dict)
    """By item, or `ANY_ITEM`; of one item in the order of days, not overlapping."""
    parts: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    """By the item of a bundle: the items it consists of, with their stand-alone prices."""
    include: bool = True
    """Prices have the tax in them."""
    by_line: bool = False
    """Tax is rounded line by line."""
    coin: int = 0
    """The smallest that is paid, micro-units; 0 = by the currency."""
    minimum: int = 0
    """A bill below it is carried to the next one."""
    zero: bool = False
    """A period in which nothing was posted has a bill, too."""
    due_days: int = 0
    """From the day on which a bill is made to the one until which it is to be paid."""
    changes: tuple[int, ...] = ()
    """Days on which some tax begins or ends."""
    known: dict[tuple[str, int], tuple[str, int]] = field(default_factory=dict, init=False, compare=False, repr=False)
    """By item and day, what was looked up: most bills have the same few items."""

    def since(self, day: int) -> int:
        """Give the day since which no tax has changed, 0 = ever: what is between two changes shares its rates."""
        place = bisect_right(self.changes, day)
        return self.changes[place - 1] if place else 0

    def tax(self, item: str, day: int) -> tuple[str, int]:
        """Give the category and rate of an item on a day. Raises `Invalid` TAX_ITEM_UNKNOWN."""
        known = self.known.get((item, day))
        if known is None:
            if len(self.known) >= KNOWN_MAX:
                self.known.clear()
            known = self.known[item, day] = self._tax(item, day)
        return known

    def _tax(self, item: str, day: int) -> tuple[str, int]:
        if not self.spans or item == PAYEE_ITEM:
            return "", 0  # The bill that it stands for was taxed when it was made.
        house = item in HOUSE_ITEMS
        for name in (item,) if house else (item, ANY_ITEM):
            for span in self.spans.get(name, ()):
                if span.from_day <= day < span.to_day:
                    return span.category, span.rate
        if house:
            return "", 0
        raise Invalid(
            "TAX_ITEM_UNKNOWN", f"no tax of the catalogue names item {item!r} on that day", facts={"item": item}
        )

    def of_bundle(self, item: str, amount: int) -> list[tuple[str, int]]:
        """Split what a bundle costs, of either sign, over its parts by their stand-alone prices.

        Another item is its own one part.
        """
        parts = self.parts.get(item)
        if parts is None:
            return [(item, amount)]
        sign = -1 if amount < 0 else 1
        shares = split(sign * amount, [price for _, price in parts])
        return [(name, sign * share) for (name, _), share in zip(parts, shares, strict=True)]


def rate_text(rate: int) -> str:
    """Write a rate as people do: 9 %."""
    whole, rest = divmod(rate, PERCENT_PARTS)
    return f"{whole}.{rest:06d}".rstrip("0").rstrip(".") + " %"

"""Prices: gaps in tiers and rates, overlapping bands."""

from collections.abc import Iterator
from fractions import Fraction

from charging.base.localtime import DAY_S
from charging.base.money import exact_quantity
from charging.catalogue.document import Catalogue
from charging.catalogue.tariffs import BandRates, Price, Rate, Tier, Tiers
from charging.catalogue.words import Band
from charging.checks.walk import Finding, Path, structs
from charging.plans.bands import clock_spans

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def check_prices(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find faults inside tariffs."""
    documents = (*((national,) if national else ()), catalogue)
    bands = {band.id: band for document in documents for band in document.bands}
    bands.update({band.id: band for band in catalogue.overrides.bands})
    days = {calendar.id: set(calendar.days) for document in documents for calendar in document.calendars}
    days.update({calendar.id: set(calendar.days) for calendar in catalogue.overrides.calendars})
    for path, node in structs(catalogue):
        if isinstance(node, Price):
            yield from _shape(path, node, f"price {node.id!r}")
            yield from _overlaps(path, node, bands, days)
        elif isinstance(node, BandRates):
            yield from _shape(path, node, f"the price in {', '.join(node.bands) or 'no band'}")
            if not node.bands:
                yield Finding((*path, "bands"), "rates for no band are never used: name a band")
        elif isinstance(node, Tiers):
            yield from _tiers(path, node)
        elif isinstance(node, Tier):
            yield from _tier(path, node)


def _shape(path: Path, price: Price | BandRates, what: str) -> Iterator[Finding]:
    if price.rates and price.tiers is not None:
        yield Finding((*path, "tiers"), f"{what} has rates and tiers: keep one of them")
    if not price.rates and price.tiers is None:
        yield Finding(path, f"{what} has neither rates nor tiers: say what a unit costs, also when it is 0")
    yield from _rates((*path, "rates"), price.rates)


def _rates(path: Path, rates: tuple[Rate, ...]) -> Iterator[Finding]:
    if rates and exact_quantity(rates[0].start) != 0:
        yield Finding((*path, 0, "from"), f"gap: nothing prices the first {rates[0].start}; the first rate begins at 0")
    for index in range(1, len(rates)):
        if exact_quantity(rates[index].start) <= exact_quantity(rates[index - 1].start):
            yield Finding(
                (*path, index, "from"),
                f"begins at {rates[index].start}, not after the one before it ({rates[index - 1].start}): order them",
            )


def _tiers(path: Path, tiers: Tiers) -> Iterator[Finding]:
    before = Fraction(0)
    last = len(tiers.steps) - 1
    if last < 0:
        yield Finding((*path, "steps"), "tiers without a step price nothing: add one")
    for index, step in enumerate(tiers.steps):
        where = (*path, "steps", index, "upto")
        if step.upto == "":
            if index != last:
                yield Finding(where, "an open tier must be the last one: the steps after it are never reached")
            continue
        upto = exact_quantity(step.upto)
        if upto <= before:
            yield Finding(where, f"ends at {step.upto}, not after the tier before it: overlap or wrong order")
        before = max(before, upto)
        if index == last:
            yield Finding(where, f"gap: nothing prices what lies over {step.upto}; leave upto out of the last tier")


def _tier(path: Path, tier: Tier) -> Iterator[Finding]:
    yield from _rates((*path, "rates"), tier.rates)
    if tier.rates and (tier.price, tier.per, tier.increment) != ("0", "1", ""):
        yield Finding((*path, "rates"), "the tier has rates and a price of its own: keep one of them")


def _overlaps(path: Path, price: Price, bands: dict[str, Band], days: dict[str, set[str]]) -> Iterator[Finding]:
    for index, entry in enumerate(price.bands):
        mine = [bands[name] for name in entry.bands if name in bands]
        for other in price.bands[:index]:
            theirs = [bands[name] for name in other.bands if name in bands]
            both = [(a.id, b.id) for a in theirs for b in mine if _meet(a, b, days)]
            if both:
                yield Finding(
                    (*path, "bands", index),
                    f"bands {both[0][0]!r} and {both[0][1]!r} overlap with different prices: "
                    "cut one of them, or tie it to a calendar",
                )


def _meet(one: Band, two: Band, days: dict[str, set[str]]) -> bool:
    """Overlap of two bands; one tied to a calendar is an exception that may lie over ordinary ones."""
    if bool(one.calendars) != bool(two.calendars):
        return False
    if one.calendars:
        common = _named(one.calendars, days) & _named(two.calendars, days)
        if not common - _named((*one.except_calendars, *two.except_calendars), days):
            return False
    return any(a < d and c < b for a, b in _weekly(one) for c, d in _weekly(two))


def _named(calendars: tuple[str, ...], days: dict[str, set[str]]) -> set[str]:
    return {day for name in calendars for day in days.get(name, ())}


def _weekly(band: Band) -> list[tuple[int, int]]:
    """Seconds of the week that a band covers; the part after midnight counts by the day it falls on."""
    named = [WEEKDAYS.index(day) for day in band.weekdays] or range(7)
    return [(day * DAY_S + a, day * DAY_S + b) for day in named for a, b in clock_spans(band)]

"""Prices: gaps in tiers and rates, overlapping bands, prices that no usage reaches."""

from collections.abc import Iterator

from charging.catalogue import Catalogue
from charging.catalogue_base import Band, When
from charging.catalogue_tariffs import Price, Rate, Tariff, Tiers
from charging.checks.walk import Finding, Path, structs
from charging.money import quantity

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_S = 86_400


def check_prices(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find faults inside tariffs."""
    bands = {band.id: band for band in (*(national.bands if national else ()), *catalogue.bands)}
    bands.update({band.id: band for band in catalogue.overrides.bands})
    for path, node in structs(catalogue):
        if isinstance(node, Tariff):
            yield from _unreachable(path, node)
        elif isinstance(node, Price):
            yield from _shape(path, node)
            yield from _overlaps(path, node, bands)
            yield from _rates((*path, "rates"), node.rates)
        elif isinstance(node, Tiers):
            yield from _tiers(path, node)


def _shape(path: Path, price: Price) -> Iterator[Finding]:
    if price.rates and price.tiers is not None:
        yield Finding((*path, "tiers"), f"price {price.id!r} has rates and tiers: keep one of them")
    if not price.rates and price.tiers is None:
        yield Finding(path, f"price {price.id!r} has neither rates nor tiers: say what a unit costs, also when it is 0")


def _rates(path: Path, rates: tuple[Rate, ...]) -> Iterator[Finding]:
    if rates and quantity(rates[0].start) != 0:
        yield Finding((*path, 0, "from"), f"gap: nothing prices the first {rates[0].start}; the first rate begins at 0")
    for index in range(1, len(rates)):
        if quantity(rates[index].start) <= quantity(rates[index - 1].start):
            yield Finding(
                (*path, index, "from"),
                f"begins at {rates[index].start}, not after the one before it ({rates[index - 1].start}): order them",
            )


def _tiers(path: Path, tiers: Tiers) -> Iterator[Finding]:
    before = 0
    last = len(tiers.steps) - 1
    if last < 0:
        yield Finding((*path, "steps"), "tiers without a step price nothing: add one")
    for index, step in enumerate(tiers.steps):
        where = (*path, "steps", index, "upto")
        if step.upto == "":
            if index != last:
                yield Finding(where, "an open tier must be the last one: the steps after it are never reached")
            continue
        upto = quantity(step.upto)
        if upto <= before:
            yield Finding(where, f"ends at {step.upto}, not after the tier before it: overlap or wrong order")
        before = max(before, upto)
        if index == last:
            yield Finding(where, f"gap: nothing prices what lies over {step.upto}; leave upto out of the last tier")


def _unreachable(path: Path, tariff: Tariff) -> Iterator[Finding]:
    for index, price in enumerate(tariff.prices):
        for earlier in tariff.prices[:index]:
            if not (earlier.effective_from or earlier.effective_to) and covers(earlier.when, price.when):
                yield Finding(
                    (*path, "prices", index),
                    f"price {price.id!r} is never reached: {earlier.id!r} before it holds whenever this one does",
                )
                break


def covers(wide: When, narrow: When) -> bool:
    """Say whether `wide` surely holds whenever `narrow` does."""
    for name in ("services", "destinations", "parties", "home", "visited", "bands"):
        wanted, given = set(getattr(wide, name)), set(getattr(narrow, name))
        if wanted and not (given and given <= wanted):
            return False
    return all(
        name in narrow.attributes and set(narrow.attributes[name]) <= set(values)
        for name, values in wide.attributes.items()
    )


def _overlaps(path: Path, price: Price, bands: dict[str, Band]) -> Iterator[Finding]:
    for index, entry in enumerate(price.bands):
        mine = [bands[name] for name in entry.bands if name in bands]
        for other in price.bands[:index]:
            theirs = [bands[name] for name in other.bands if name in bands]
            both = [(a.id, b.id) for a in theirs for b in mine if _meet(a, b)]
            if both:
                yield Finding(
                    (*path, "bands", index),
                    f"bands {both[0][0]!r} and {both[0][1]!r} overlap with different prices: "
                    "cut one of them, or tie it to a calendar",
                )
        yield from _rates((*path, "bands", index, "rates"), entry.rates)


def _meet(one: Band, two: Band) -> bool:
    """Overlap of two bands on ordinary days; a calendar is an exception that may lie over the ordinary ones."""
    if set(one.calendars) != set(two.calendars):
        return False
    return any(a < d and c < b for a, b in _weekly(one) for c, d in _weekly(two))


def _weekly(band: Band) -> list[tuple[int, int]]:
    """Seconds of the week that a band covers; the part after midnight counts by the day it falls on."""
    start, end = _clock(band.start), _clock(band.end)
    pieces = [(start, end)] if start < end else [(0, end), (start, DAY_S)]
    days = [WEEKDAYS.index(day) for day in band.weekdays] or range(7)
    return [(day * DAY_S + a, day * DAY_S + b) for day in days for a, b in pieces if a < b]


def _clock(text: str) -> int:
    hours, minutes, *seconds = (int(part) for part in text.split(":"))
    return hours * 3_600 + minutes * 60 + (seconds[0] if seconds else 0)

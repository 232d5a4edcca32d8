"""Prices: gaps in tiers and rates, overlapping bands, prices that no usage reaches."""

from collections.abc import Iterator, Sequence

from charging.bands import clock_spans
from charging.catalogue import Catalogue
from charging.catalogue_base import Band, When
from charging.catalogue_tariffs import BandRates, Price, Rate, Tariff, Tier, Tiers
from charging.checks.values import moment_ms
from charging.checks.walk import Finding, Path, structs
from charging.localtime import DAY_S
from charging.money import quantity

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def check_prices(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find faults inside tariffs."""
    documents = (*((national,) if national else ()), catalogue)
    bands = {band.id: band for document in documents for band in document.bands}
    bands.update({band.id: band for band in catalogue.overrides.bands})
    days = {calendar.id: set(calendar.days) for document in documents for calendar in document.calendars}
    days.update({calendar.id: set(calendar.days) for calendar in catalogue.overrides.calendars})
    for path, node in structs(catalogue):
        if isinstance(node, Tariff):
            yield from _unreachable(path, node)
        elif isinstance(node, Price):
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
    yield from _behind(catalogue, national)


def _shape(path: Path, price: Price | BandRates, what: str) -> Iterator[Finding]:
    if price.rates and price.tiers is not None:
        yield Finding((*path, "tiers"), f"{what} has rates and tiers: keep one of them")
    if not price.rates and price.tiers is None:
        yield Finding(path, f"{what} has neither rates nor tiers: say what a unit costs, also when it is 0")
    yield from _rates((*path, "rates"), price.rates)


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


def _tier(path: Path, tier: Tier) -> Iterator[Finding]:
    yield from _rates((*path, "rates"), tier.rates)
    if tier.rates and (tier.price, tier.per, tier.increment) != ("0", "1", ""):
        yield Finding((*path, "rates"), "the tier has rates and a price of its own: keep one of them")


def _unreachable(path: Path, tariff: Tariff) -> Iterator[Finding]:
    for index, price in enumerate(tariff.prices):
        for earlier in tariff.prices[:index]:
            if lasts(earlier, price) and covers(earlier.when, price.when):
                yield Finding(
                    (*path, "prices", index),
                    f"price {price.id!r} is never reached: {earlier.id!r} before it holds whenever this one does",
                )
                break


def _behind(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find tariffs that stand behind one that prices all of the service: of an offering, or among the standard ones."""
    known = {tariff.id: tariff for tariff in (*(national.tariffs if national else ()), *catalogue.tariffs)}
    standard = [(("tariffs", index), tariff) for index, tariff in enumerate(catalogue.tariffs) if tariff.standard]
    yield from _shadowed(standard)
    for at, offering in enumerate(catalogue.offerings):
        named = [
            (("offerings", at, "tariffs", index), known[name])
            for index, name in enumerate(offering.tariffs)
            if name in known
        ]
        yield from _shadowed(named)


def _shadowed(tariffs: Sequence[tuple[Path, Tariff]]) -> Iterator[Finding]:
    for index, (path, tariff) in enumerate(tariffs):
        for _, earlier in tariffs[:index]:
            everything = [p for p in earlier.prices if p.when == When() and lasts(p, tariff)]
            if earlier.service == tariff.service and everything and lasts(earlier, tariff):
                yield Finding(
                    path,
                    f"no price of tariff {tariff.id!r} is ever reached: price {everything[0].id!r} of tariff "
                    f"{earlier.id!r} before it holds for every usage of {tariff.service}",
                )
                break


def lasts(long: Price | Tariff, short: Price | Tariff) -> bool:
    """Say whether `long` is surely in force all the time that `short` is."""
    if long.effective_from:
        starts, begins = moment_ms(long.effective_from), moment_ms(short.effective_from or "0001-01-02")
        if starts is None or begins is None or starts > begins:
            return False
    if long.effective_to:
        stops, ends = moment_ms(long.effective_to), moment_ms(short.effective_to or "9999-12-30")
        if stops is None or ends is None or stops < ends:
            return False
    return True


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

"""The figures of an offering as exact fractions: money in micro-units, quantities in base units, shares of a whole."""

from collections.abc import Iterator
from fractions import Fraction

from msgspec import Struct

from charging.base.money import MICRO, exact_quantity
from charging.catalogue.offers import Allowance, Discount, Fee
from charging.catalogue.tariffs import BandRates, Cap, Price, Rate, Tiers

PERCENT = 100


class Figure(Struct, frozen=True):
    """One number that an offering says."""

    kind: str
    """fee, rate, connect, minimum, cap, quota, member_cap; of a discount percent, amount, total, rate."""
    exact: Fraction
    unit: str = ""
    """Base unit of a rate or a quota; the period of a fee, a cap."""
    per: Fraction | None = None
    """Of a rate: for so many base units."""
    start: Fraction = Fraction(0)
    """From how many base units on."""
    bands: tuple[str, ...] = ()


def of_fee(fee: Fee) -> tuple[Figure, ...]:
    """Give the amount; the unit is its period, "once" of one that is due once."""
    return (Figure("fee", _money(fee.amount), "once" if fee.kind == "one_time" else fee.period),)


def of_allowance(free: Allowance) -> tuple[Figure, ...]:
    """Give the quota of a period, and what one member may use of it."""
    found = (Figure("quota", exact_quantity(free.quota), free.unit),)
    return (*found, Figure("member_cap", exact_quantity(free.member_cap), free.unit)) if free.member_cap else found


def of_price(price: Price, unit: str) -> tuple[Figure, ...]:
    """Give what usage in a base unit costs."""
    found = [*_rates(price.rates, price.tiers, unit, ()), *_ends(price.connect, price.minimum, price.cap, ())]
    for band in price.bands:
        found += _band(band, unit)
    return tuple(found)


def of_discount(rule: Discount) -> tuple[Figure, ...]:
    """Give what is taken off, or what is paid instead."""
    found: list[Figure] = []
    if rule.percent:
        found.append(Figure("percent", Fraction(rule.percent) / PERCENT))
    if rule.amount:
        found.append(Figure("amount", _money(rule.amount)))
    if rule.total:
        found.append(Figure("total", _money(rule.total)))
    if rule.price is not None:
        found.append(_rate(rule.price, "", Fraction(0), ()))
    for step in rule.thresholds.steps if rule.thresholds is not None else ():
        found.append(Figure("percent", Fraction(step.percent) / PERCENT, start=exact_quantity(step.at_least)))
    if rule.limit is not None:
        found.append(_cap(rule.limit, ()))
    return tuple(found)


def _band(band: BandRates, unit: str) -> Iterator[Figure]:
    yield from _rates(band.rates, band.tiers, unit, band.bands)
    yield from _ends(band.connect, band.minimum, band.cap, band.bands)


def _rates(rates: tuple[Rate, ...], tiers: Tiers | None, unit: str, bands: tuple[str, ...]) -> Iterator[Figure]:
    for rate in rates:
        yield _rate(rate, unit, exact_quantity(rate.start), bands)
    start = Fraction(0)
    for step in tiers.steps if tiers is not None else ():
        for rate in step.rates or (Rate(step.price, step.per, step.increment),):
            yield _rate(rate, unit, start, bands)
        if exact_quantity(step.flat):
            yield Figure("fee", _money(step.flat), "once", start=start, bands=bands)
        start = exact_quantity(step.upto) if step.upto else start


def _rate(rate: Rate, unit: str, start: Fraction, bands: tuple[str, ...]) -> Figure:
    return Figure("rate", _money(rate.price), unit, exact_quantity(rate.per), start, bands)


def _ends(connect: str, minimum: str, cap: Cap | None, bands: tuple[str, ...]) -> Iterator[Figure]:
    if connect and _money(connect):
        yield Figure("connect", _money(connect), bands=bands)
    if minimum and _money(minimum):
        yield Figure("minimum", _money(minimum), bands=bands)
    if cap is not None:
        yield _cap(cap, bands)


def _cap(cap: Cap, bands: tuple[str, ...]) -> Figure:
    return Figure("cap", _money(cap.amount), cap.over, bands=bands)


def _money(text: str) -> Fraction:
    return Fraction(text) * MICRO

"""Units: quantities must be of the unit of what they measure, allowances of the unit of what they cover."""

from collections.abc import Iterator, Mapping
from functools import cache

import msgspec
from msgspec import Struct

from charging.base.account import MONEY
from charging.base.bounds import AMOUNT_MAX, USED_MAX
from charging.base.money import MICRO, exact_quantity, quantity_unit
from charging.catalogue.document import Catalogue
from charging.catalogue.offers import AccumulatorRange, Allowance, Discount, Offering, Thresholds, ThresholdStep
from charging.catalogue.rewards import GiftRule
from charging.catalogue.tariffs import Price, PriceOverride, Rate, Tariff, Tier
from charging.catalogue.words import Divisor, Quantity, Reached
from charging.checks.walk import Finding, Path, structs, written_names


def check_units(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find quantities in the wrong unit."""
    services = {s.id: s.unit for s in (*(national.services if national else ()), *catalogue.services)}
    tariffs = {t.id: t.service for t in (*(national.tariffs if national else ()), *catalogue.tariffs)}
    counted = _counted(catalogue, national, services)
    for index, service in enumerate(catalogue.services):
        yield from _wrong(("services", index), service, service.unit, f"service {service.id!r}")
    for path, node in structs(catalogue):
        if isinstance(node, Tariff) and node.service in services:
            for at, price in enumerate(node.prices):
                yield from _price((*path, "prices", at), price, services[node.service], node.service)
        elif isinstance(node, PriceOverride) and tariffs.get(node.tariff) in services:
            service_id = tariffs[node.tariff]
            yield from _price((*path, "price"), node.price, services[service_id], service_id)
        elif isinstance(node, Allowance):
            yield from _allowance(path, node, services)
        elif isinstance(node, Offering):
            yield from _wrong(path, node, "second", f"the validity of offering {node.id!r}")
        elif isinstance(node, Discount):
            yield from _discount(path, node, services)
        elif isinstance(node, AccumulatorRange | Thresholds):
            counts = counted.get(node.accumulator, "")
            for where, part in structs(node, path):
                yield from _whole(where, part, counts == MONEY)
                if counts not in ("", MONEY):
                    yield from _wrong(where, part, counts, f"accumulator {node.accumulator!r}")
        if not isinstance(node, AccumulatorRange | ThresholdStep | GiftRule):
            yield from _whole(path, node, money=False)


def _counted(catalogue: Catalogue, national: Catalogue | None, services: Mapping[str, str]) -> dict[str, str]:
    """Give the unit of each accumulator, as far as it has one: seconds, bytes, events, money."""
    found: dict[str, str] = {}
    for each in (*(national.accumulators if national else ()), *catalogue.accumulators):
        units = {services.get(service, "") for service in each.when.services}
        if each.counts in ("amount", "events"):
            found[each.id] = MONEY if each.counts == "amount" else "event"
        elif len(units) == 1:
            found[each.id] = units.pop()
    return found


def _discount(path: Path, discount: Discount, services: Mapping[str, str]) -> Iterator[Finding]:
    units = {services[service] for service in discount.when.usage.services if service in services}
    if len(units) == 1:
        unit = units.pop()
        yield from _wrong((*path, "when"), discount.when, unit, f"discount {discount.id!r}")
        if discount.price is not None:
            yield from _wrong((*path, "price"), discount.price, unit, f"discount {discount.id!r}")
    if discount.price is not None:
        yield from _zero((*path, "price"), discount.price)


def _zero(path: Path, rate: Rate | Tier) -> Iterator[Finding]:
    for name in ("per", "increment"):
        if getattr(rate, name) and exact_quantity(getattr(rate, name)) == 0:
            yield Finding((*path, name), f"{name} is 0: a price is for at least one unit")
    if not rate.increment and exact_quantity(rate.per).denominator != 1 and not (isinstance(rate, Tier) and rate.rates):
        yield Finding((*path, "per"), f"{rate.per} is no whole number of units: write the increment of whole ones too")


def _price(path: Path, price: Price, unit: str, service: str) -> Iterator[Finding]:
    for at, node in structs(price, path):
        yield from _wrong(at, node, unit, f"service {service!r}")
        if isinstance(node, Rate | Tier):
            yield from _zero(at, node)


def _allowance(path: Path, allowance: Allowance, services: Mapping[str, str]) -> Iterator[Finding]:
    if allowance.unit == MONEY:
        return  # What it is paid for is counted in whatever unit.
    for at, node in structs(allowance, path):
        yield from _wrong(at, node, allowance.unit, f"allowance {allowance.id!r}")
    for index, service in enumerate(allowance.when.services):
        if services.get(service, allowance.unit) != allowance.unit:
            yield Finding(
                (*path, "when", "services", index),
                f"allowance {allowance.id!r} is in {allowance.unit}s but service {service!r} in {services[service]}s",
            )


def _wrong(path: Path, node: Struct, unit: str, what: str) -> Iterator[Finding]:
    for name in quantities(type(node)):
        value = getattr(node, name)
        if quantity_unit(value) not in ("", unit):
            written = written_names(type(node))[name]
            yield Finding((*path, written), f"{value!r} is not a number of {unit}s, the unit of {what}")


def _whole(path: Path, node: Struct, money: bool) -> Iterator[Finding]:
    """Find quantities that are no whole number of base units, or more than any counter holds."""
    for name, kind in quantities(type(node)).items():
        value, where = getattr(node, name), (*path, written_names(type(node))[name])
        exact = exact_quantity(value)
        if money and kind == Reached:
            if quantity_unit(value) or exact > AMOUNT_MAX // MICRO:
                yield Finding(where, f"{value!r} is no amount of money, which the accumulator counts: write 99.5")
        elif exact > USED_MAX:
            yield Finding(where, f"{value} is more than is ever counted: write at most {USED_MAX} units")
        elif kind != Divisor and exact.denominator != 1:
            yield Finding(where, f"{value!r} is no whole number of seconds, bytes or events")


@cache
def quantities(kind: type[Struct]) -> Mapping[str, object]:
    """Give the fields of a class that are quantities, with their types."""
    found = {field.name: field.type for field in msgspec.structs.fields(kind)}
    return {name: one for name, one in found.items() if one in (Quantity, Divisor, Reached)}

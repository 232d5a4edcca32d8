"""Units: quantities must be of the unit of what they measure, allowances of the unit of what they cover."""

from collections.abc import Iterator, Mapping
from functools import cache

import msgspec
from msgspec import Struct

from charging.catalogue import Catalogue
from charging.catalogue_base import Quantity
from charging.catalogue_offers import AccumulatorRange, Allowance, Discount, Offering, Thresholds
from charging.catalogue_tariffs import Price, PriceOverride, Rate, Tariff, Tier
from charging.checks.walk import Finding, Path, structs, written_names
from charging.money import quantity, quantity_unit


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
        elif isinstance(node, AccumulatorRange | Thresholds) and counted.get(node.accumulator):
            for where, part in structs(node, path):
                yield from _wrong(where, part, counted[node.accumulator], f"accumulator {node.accumulator!r}")


def _counted(catalogue: Catalogue, national: Catalogue | None, services: Mapping[str, str]) -> dict[str, str]:
    """Give the unit of each accumulator, as far as it has one: seconds, bytes, events, micro-units of money."""
    found: dict[str, str] = {}
    for each in (*(national.accumulators if national else ()), *catalogue.accumulators):
        units = {services.get(service, "") for service in each.when.services}
        if each.counts in ("amount", "events"):
            found[each.id] = "micro-unit" if each.counts == "amount" else "event"
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
        if getattr(rate, name) and quantity(getattr(rate, name)) == 0:
            yield Finding((*path, name), f"{name} is 0: a price is for at least one unit")


def _price(path: Path, price: Price, unit: str, service: str) -> Iterator[Finding]:
    for at, node in structs(price, path):
        yield from _wrong(at, node, unit, f"service {service!r}")
        if isinstance(node, Rate | Tier):
            yield from _zero(at, node)


def _allowance(path: Path, allowance: Allowance, services: Mapping[str, str]) -> Iterator[Finding]:
    for at, node in structs(allowance, path):
        yield from _wrong(at, node, allowance.unit, f"allowance {allowance.id!r}")
    if allowance.roll_over is not None and allowance.period in ("call", "life", "subscription"):
        yield Finding((*path, "roll_over"), f"nothing follows a period of one {allowance.period}: leave roll_over out")
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


@cache
def quantities(kind: type[Struct]) -> tuple[str, ...]:
    """Give the fields of a class that are quantities."""
    return tuple(field.name for field in msgspec.structs.fields(kind) if field.type == Quantity)

"""Units: quantities must be of the unit of what they measure, allowances of the unit of what they cover."""

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct

from charging.catalogue import Catalogue
from charging.catalogue_offers import Allowance, Discount
from charging.catalogue_tariffs import Price, PriceOverride, Rate, Tariff
from charging.checks.walk import Finding, Path, structs
from charging.money import quantity, quantity_unit

QUANTITIES = ("per", "increment", "start", "upto", "grace", "quota", "member_cap", "quantity_max", "limit")


def check_units(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find quantities in the wrong unit."""
    services = {s.id: s.unit for s in (*(national.services if national else ()), *catalogue.services)}
    tariffs = {t.id: t.service for t in (*(national.tariffs if national else ()), *catalogue.tariffs)}
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
        elif isinstance(node, Discount) and node.price is not None:
            units = {services[s] for s in node.when.usage.services if s in services}
            if len(units) == 1:
                yield from _wrong((*path, "price"), node.price, units.pop(), f"discount {node.id!r}")


def _price(path: Path, price: Price, unit: str, service: str) -> Iterator[Finding]:
    for at, node in structs(price, path):
        yield from _wrong(at, node, unit, f"service {service!r}")
        for name in ("per", "increment"):
            if isinstance(node, Rate) and getattr(node, name) and quantity(getattr(node, name)) == 0:
                yield Finding((*at, name), f"{name} is 0: a price is for at least one unit")


def _allowance(path: Path, allowance: Allowance, services: Mapping[str, str]) -> Iterator[Finding]:
    for at, node in structs(allowance, path):
        yield from _wrong(at, node, allowance.unit, f"allowance {allowance.id!r}")
    for index, service in enumerate(allowance.when.services):
        if services.get(service, allowance.unit) != allowance.unit:
            yield Finding(
                (*path, "when", "services", index),
                f"allowance {allowance.id!r} is in {allowance.unit}s but service {service!r} in {services[service]}s",
            )


def _wrong(path: Path, node: Struct, unit: str, what: str) -> Iterator[Finding]:
    for field in msgspec.structs.fields(node):
        value = getattr(node, field.name)
        if field.name in QUANTITIES and isinstance(value, str) and quantity_unit(value) not in ("", unit):
            yield Finding((*path, field.encode_name), f"{value!r} is not a number of {unit}s, the unit of {what}")

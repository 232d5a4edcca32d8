"""Accumulators: what counts under one name must be one thing, else one usage would be counted twice."""

from collections.abc import Iterator

from msgspec import Struct

from charging.catalogue.document import Catalogue
from charging.catalogue.offers import Accumulator, Allowance, Discount
from charging.catalogue.tariffs import Cap, Tariff, Tiers
from charging.checks.walk import Finding, Path, structs
from charging.plans.compile_tariffs import cap_name


class Use(Struct, frozen=True):
    """One thing that counts, and where it stands."""

    path: Path
    what: str
    period: str
    shared: bool
    unit: str


def check_accumulators(catalogue: Catalogue, _national: Catalogue | None) -> Iterator[Finding]:
    """Find names that count two different things. Give the whole catalogue: regions merged."""
    first: dict[str, Use] = {}
    for name, use in uses(catalogue):
        before = first.setdefault(name, use)
        if before is use:
            continue
        if before.what != use.what or use.what not in ("tiers", "a cap"):
            yield Finding(
                use.path, f"{name!r} counts for {use.what} here and for {before.what} elsewhere: choose another name"
            )
        elif (before.period, before.shared, before.unit) != (use.period, use.shared, use.unit):
            yield Finding(
                use.path,
                f"accumulator {name!r} counts {_told(use)} here and {_told(before)} elsewhere: make them equal, "
                "or choose another name",
            )


def uses(catalogue: Catalogue) -> Iterator[tuple[str, Use]]:
    """Give everything that counts, by the name it counts under, in order of the document; a name may come often."""
    services = {service.id: service.unit for service in catalogue.services}
    for path, node in structs(catalogue):
        if isinstance(node, Allowance) and node.period != "call":
            use = Use(path, "an allowance", node.period, node.shared, node.unit)
            yield node.id, use
            if node.member_cap:
                yield f"{node.id}.member", use
            if node.roll_over is not None:
                yield f"{node.id}.rolled", use
        elif isinstance(node, Accumulator):
            yield node.id, Use(path, "an accumulator", node.period, node.shared, "")
        elif isinstance(node, Tariff):
            yield from _of_tariff(path, node, services.get(node.service, ""))
        elif isinstance(node, Discount) and node.limit is not None:
            yield from _cap((*path, "limit"), node.limit, f"{node.id}.limit")


def _of_tariff(path: Path, tariff: Tariff, unit: str) -> Iterator[tuple[str, Use]]:
    for index, price in enumerate(tariff.prices):
        for at, node in structs(price, (*path, "prices", index)):
            if isinstance(node, Tiers) and (node.over != "call" or node.accumulator):
                name = node.accumulator or f"{tariff.id}/{price.id}"
                yield name, Use((*at, "accumulator"), "tiers", node.over, node.shared, unit)
            elif isinstance(node, Cap):
                yield from _cap(at, node, cap_name(tariff.id, price.id))


def _cap(path: Path, cap: Cap, name: str) -> Iterator[tuple[str, Use]]:
    if cap.over != "call":
        yield cap.accumulator or name, Use((*path, "accumulator"), "a cap", cap.over, cap.shared, "")


def _told(use: Use) -> str:
    return f"{use.unit + 's ' if use.unit else ''}over the {use.period}{', shared' if use.shared else ''}"

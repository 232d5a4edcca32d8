"""Quotas: numbers that stand for one thing, and what is said of quota that has an effect."""

from collections.abc import Iterator

from charging.base.money import exact_quantity, quantity_unit
from charging.catalogue.document import Catalogue
from charging.catalogue.words import FinalUnit, Quota, RatingGroup, Service
from charging.checks.walk import Finding, Path, structs
from charging.plans.compile_quotas import keys_of


def check_quotas(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find rating groups without a number, and quotas in the wrong unit or with words that mean nothing."""
    units = {one.id: one.unit for one in (*(national.services if national else ()), *catalogue.services)}
    for path, node in structs(catalogue):
        if isinstance(node, Service):
            yield from _quota((*path, "quota"), node.quota, node.unit)
        elif isinstance(node, RatingGroup):
            yield from _group(path, node, units.get(node.service, ""))


def check_numbers(catalogue: Catalogue, _national: Catalogue | None) -> Iterator[Finding]:
    """Find numbers of the network that two entries claim."""
    first: dict[str, str] = {}
    for index, entry in enumerate(catalogue.rating_groups):
        for key in keys_of(entry):
            if first.setdefault(key, entry.id) != entry.id:
                text = f"{first[key]!r} stands for the numbers {key} already: each is of one entry"
                yield Finding(("rating_groups", index, "identifiers" if entry.identifiers else "group"), text)


def _group(path: Path, entry: RatingGroup, unit: str) -> Iterator[Finding]:
    if entry.group is None and not entry.identifiers:
        yield Finding((*path, "group"), f"{entry.id!r} has no number: write the rating group, or identifiers")
    if len(set(entry.identifiers)) != len(entry.identifiers):
        yield Finding((*path, "identifiers"), f"{entry.id!r} names an identifier twice")
    if not entry.controlled and (entry.quota is not None or entry.attributes):
        yield Finding((*path, "controlled"), f"{entry.id!r} is not charged: leave quota and attributes out")
    if entry.quota is not None and unit:
        yield from _quota((*path, "quota"), entry.quota, unit)


def _quota(path: Path, quota: Quota, unit: str) -> Iterator[Finding]:
    for name, wanted in (("usual", unit), ("threshold", unit), ("holding", "second"), ("validity", "second")):
        value = getattr(quota, name)
        if quantity_unit(value) not in ("", wanted):
            yield Finding((*path, name), f"{value!r} is not a number of {wanted}s")
    usual = exact_quantity(quota.usual)
    if usual and exact_quantity(quota.threshold) >= usual:
        yield Finding((*path, "threshold"), f"{quota.threshold!r} is no part of the usual quota, {quota.usual}")
    yield from _final((*path, "final"), quota.final)


def _final(path: Path, final: FinalUnit) -> Iterator[Finding]:
    if final.action == "redirect" and not final.redirect:
        yield Finding((*path, "redirect"), "a redirection needs the address that it leads to")
    if final.action == "restrict" and not final.filters:
        yield Finding((*path, "filters"), "a restriction needs the filters of what can still be reached")

"""The whole: what a region makes of the nation is checked as its subscribers meet it, and at last compiled.

Nothing that fails to compile is published: the platform would rate nobody of the domain any more. What the region
leaves as it is was checked with the nation: of the whole only those entries are looked at again that the region makes,
or that name, directly or through others, what it makes.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

import msgspec

from charging.catalogue.document import Catalogue, Overrides
from charging.catalogue.merge import Merged, merge
from charging.checks.accumulators import check_accumulators
from charging.checks.prices import check_prices
from charging.checks.quotas import check_numbers
from charging.checks.reach import check_reach
from charging.checks.references import NAMES, SECTIONS, check_cycles
from charging.checks.rules import check_opened_services
from charging.checks.taxes import check_taxed
from charging.checks.units import check_units
from charging.checks.values import LOCAL
from charging.checks.walk import Finding, Path, structs
from charging.errors import Invalid
from charging.plans.compile import compile_all

Key = tuple[str, str]
"""Section and id of an entry."""

OF_ENTRIES = (check_cycles, check_units, check_prices, check_reach)
"""Checks of what national and regional entries make together, that look at one entry and what it names."""
OF_ALL = (check_opened_services, check_accumulators, check_taxed, check_numbers)
"""Those that hold all entries beside each other."""


class Nation:
    """A national catalogue that regions are checked beside. What it is by itself is worked out once."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    @cached_property
    def naming(self) -> Mapping[Key, frozenset[Key]]:
        """Which entries name an entry."""
        found: dict[Key, set[Key]] = {}
        for section in SECTIONS:
            for entry in getattr(self.catalogue, section):
                for key in named(entry):
                    found.setdefault(key, set()).add((section, entry.id))
        return {key: frozenset(keys) for key, keys in found.items()}

    @cached_property
    def messages(self) -> frozenset[str]:
        """The faults that it has alone, by their words."""
        rules = (*OF_ENTRIES, *OF_ALL)
        return frozenset(finding.message for rule in rules for finding in rule(self.catalogue, None))


def named(entry: msgspec.Struct) -> Iterator[Key]:
    """Give the entries that one names."""
    for _, node in structs(entry):
        for name, section in NAMES.get(type(node), {}).items():
            value = getattr(node, name)
            for wanted in ((value,) if value else ()) if isinstance(value, str) else value:
                yield section, wanted


def check_together(region: Catalogue, nation: Nation) -> Iterator[Finding]:
    """Check the whole that a sound document makes with its nation; faults the nation has alone are not the region's."""
    try:
        merged = merge(nation.catalogue, region)
    except Invalid as error:
        yield Finding((), f"it does not fit the national catalogue: {error}")
        return
    whole = whole_of(merged)
    touched = touched_by(region, nation.naming)
    part = part_of(whole, touched)
    found = [(finding, part) for rule in OF_ENTRIES for finding in rule(part, whole)]
    found += [(finding, whole) for rule in OF_ALL for finding in rule(whole, None)]
    for finding, document in found:
        if finding.message not in nation.messages:
            yield Finding(cause(finding.path, document, region), f"in {region.domain}: {finding.message}")
    if not found:
        yield from check_compiles(merged, touched)


def touched_by(region: Catalogue, naming: Mapping[Key, Iterable[Key]]) -> set[Key]:
    """Give the entries that a region makes or takes away, and all that name one, directly or through others."""
    todo: list[Key] = [("tariffs", change.tariff) for change in region.overrides.prices]
    for section in SECTIONS:
        made = (*getattr(region, section), *getattr(region.overrides, section, ()))
        todo += [(section, entry.id) for entry in made]
        todo += [(section, name) for name in getattr(region.withdrawn, section, ())]
    touched: set[Key] = set()
    while todo:
        key = todo.pop()
        if key not in touched:
            touched.add(key)
            todo.extend(naming.get(key, ()))
    return touched


def part_of(whole: Catalogue, touched: set[Key]) -> Catalogue:
    """Give a document with the touched entries alone; of a service's standard tariffs all or none, as they compete."""
    services = {one.service for one in whole.tariffs if one.standard and ("tariffs", one.id) in touched}
    touched = touched | {("tariffs", one.id) for one in whole.tariffs if one.standard and one.service in services}
    sections = {
        section: tuple(entry for entry in getattr(whole, section) if (section, entry.id) in touched)
        for section in SECTIONS
    }
    return msgspec.structs.replace(whole, **sections)


def whole_of(merged: Merged) -> Catalogue:
    """Write a merged catalogue as one document."""
    sections = {name: tuple(entry.value for entry in getattr(merged, name).values()) for name in SECTIONS}
    return msgspec.structs.replace(Catalogue("merged", 1), **sections)


def cause(path: Path, whole: Catalogue, region: Catalogue) -> Path:
    """Find what in a region's document makes a fault at a path of the whole."""
    section, name = str(path[0]), getattr(whole, str(path[0]))[path[1]].id
    if section == "tariffs":
        for index, change in enumerate(region.overrides.prices):
            if change.tariff == name:
                return ("overrides", "prices", index)
    for where, entries in (
        ((section,), getattr(region, section)),
        (("overrides", section), getattr(region.overrides, section, ())),
    ):
        for index, entry in enumerate(entries):
            if entry.id == name:
                return (*where, index)
    return ("withdrawn",) if region.overrides == Overrides() else ("overrides",)


def check_compiles(merged: Merged, touched: set[Key] | None = None) -> Iterator[Finding]:
    """Compile the entries (None = all) of a catalogue that has no other fault."""
    try:
        compile_all(merged, LOCAL, touched)
    except (Invalid, ValueError, ArithmeticError) as error:
        yield Finding((), f"it can't be used for rating: {error}")

"""The whole: what a region makes of the nation is checked as its subscribers meet it, and at last compiled.

Nothing that fails to compile is published: the platform would rate nobody of the domain any more.
"""

from collections.abc import Iterator

import msgspec

from charging.catalogue import Catalogue, Overrides
from charging.catalogue_merge import Merged, merge
from charging.checks.references import SECTIONS
from charging.checks.values import LOCAL
from charging.checks.walk import Finding, Path
from charging.compile import boundaries, compile_plan
from charging.errors import Invalid


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


def check_compiles(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Compile every stretch of time of a catalogue that has no other fault."""
    try:
        merged = merge(national, catalogue) if national is not None else merge(catalogue)
        for time_ms in (0, *boundaries(merged, LOCAL)):
            compile_plan(merged, LOCAL, time_ms)
    except (Invalid, ValueError, ArithmeticError) as error:
        yield Finding((), f"it can't be used for rating: {error}")

"""References: everything that a catalogue names must be there."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from charging.catalogue.document import Catalogue, Overrides, Withdrawn
from charging.catalogue.dunning import DunningRule
from charging.catalogue.offers import AccumulatorRange, Agreement, DiscountWhen, Fee, Offering, Thresholds
from charging.catalogue.rewards import Bonus, GiftRule
from charging.catalogue.tariffs import BandRates, PriceOverride, Tariff, Tiers
from charging.catalogue.words import Band, RatingGroup, When
from charging.checks.walk import Finding, Path, ids, structs

SECTIONS = (
    "services", "calendars", "bands", "destinations", "zones", "parties", "tariffs", "allowances", "fees", "offerings",
    "discounts", "agreements", "exclusive_groups", "accumulators", "taxes",
    "dunning", "splits", "rating_groups", "bonuses", "gifts", "characteristics",
)  # fmt: skip

# Which field of which struct names entries of which section.
NAMES: Mapping[type[Struct], Mapping[str, str]] = {
    When: {
        "services": "services",
        "destinations": "destinations",
        "parties": "parties",
        "home": "zones",
        "visited": "zones",
        "bands": "bands",
    },
    Band: {"calendars": "calendars", "except_calendars": "calendars"},
    BandRates: {"bands": "bands"},
    Tariff: {"service": "services"},
    RatingGroup: {"service": "services"},
    PriceOverride: {"tariff": "tariffs"},
    Offering: {
        "includes": "offerings",
        "services": "services",
        "tariffs": "tariffs",
        "allowances": "allowances",
        "discounts": "discounts",
        "fees": "fees",
        "requires": "offerings",
        "excludes": "offerings",
        "early_end": "fees",
    },
    Agreement: {"discounts": "discounts"},
    DiscountWhen: {"tariffs": "tariffs", "offerings": "offerings"},
    Thresholds: {"accumulator": "accumulators"},
    DunningRule: {"quiet": "bands"},
    Fee: {"minus": "accumulators"},
    Bonus: {"allowance": "allowances"},
    GiftRule: {"allowance": "allowances"},
    AccumulatorRange: {"accumulator": "accumulators"},
    Withdrawn: {
        "tariffs": "tariffs",
        "offerings": "offerings",
        "allowances": "allowances",
        "discounts": "discounts",
        "taxes": "taxes",
        "splits": "splits",
        "bonuses": "bonuses",
        "gifts": "gifts",
        "characteristics": "characteristics",
    },
}
BUILT_IN = {"parties": {"account"}, "visited": {"home", "away"}}
"""Words that a field takes beside the names of entries."""


def check_references(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find names of entries that exist neither here nor in the national catalogue."""
    known = {section: _known(section, catalogue, national) for section in SECTIONS}
    for path, node in structs(catalogue):
        for name, section in NAMES.get(type(node), {}).items():
            value = getattr(node, name)
            names = ((value,) if value else ()) if isinstance(value, str) else value
            for index, wanted in enumerate(names):
                if wanted not in known[section] and wanted not in BUILT_IN.get(name, ()):
                    where: Path = (*path, name) if isinstance(value, str) else (*path, name, index)
                    yield Finding(where, f"{wanted!r} is not among the {section}{nearest(wanted, known[section])}")


def check_duplicates(catalogue: Catalogue) -> Iterator[Finding]:
    """Find entries of one section, and prices of one tariff, that share an id."""
    for section in SECTIONS:
        yield from _twice((section,), getattr(catalogue, section))
    for section in Overrides.__struct_fields__:
        if section != "prices":
            yield from _twice(("overrides", section), getattr(catalogue.overrides, section))
    for path, node in structs(catalogue):
        if isinstance(node, Tariff):
            yield from _twice((*path, "prices"), node.prices)


def check_cycles(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find offerings that include themselves, directly or through others."""
    includes = {o.id: o.includes for o in (*(national.offerings if national else ()), *catalogue.offerings)}
    for index, offering in enumerate(catalogue.offerings):
        seen: set[str] = set()
        todo = list(offering.includes)
        while todo:
            current = todo.pop()
            if current == offering.id:
                yield Finding(("offerings", index, "includes"), f"offering {offering.id!r} includes itself in the end")
                break
            if current not in seen:
                seen.add(current)
                todo.extend(includes.get(current, ()))


def _known(section: str, catalogue: Catalogue, national: Catalogue | None) -> set[str]:
    known = ids(getattr(catalogue, section))
    if national is not None:
        known |= ids(getattr(national, section))
    if section == "accumulators":
        # A tier counter with a name of its own can be asked by discounts too.
        for document in (catalogue, national):
            kept = [node for _, node in structs(document) if isinstance(node, Tiers) and node.over != "call"]
            known |= {node.accumulator for node in kept} - {""}
    return known


def _twice(path: Path, entries: tuple[Struct, ...]) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, entry in enumerate(entries):
        name: str = entry.id  # type: ignore[attr-defined]
        if name in first:
            yield Finding((*path, index, "id"), f"{name!r} is there already, as number {first[name] + 1} of {path[-1]}")
        first.setdefault(name, index)


def nearest(wanted: str, known: set[str]) -> str:
    """Ask whether another name was meant, when one begins alike."""
    close = [name for name in sorted(known) if name.startswith(wanted[:4]) or wanted.startswith(name[:4])]
    return f"; did you mean {close[0]!r}?" if close else ""

"""Rules that stand across sections: dates, discounts, offerings that open what nothing prices, regional overrides."""

from collections.abc import Iterator

from msgspec import Struct

from charging.catalogue import Catalogue, Overrides
from charging.catalogue_offers import Discount
from charging.checks.walk import Finding, ids, structs

EFFECTS = ("percent", "amount", "price", "total", "thresholds")


def check_dates(catalogue: Catalogue, _national: Catalogue | None) -> Iterator[Finding]:
    """Find entries whose end does not lie after their beginning."""
    for path, node in structs(catalogue):
        start, end = getattr(node, "effective_from", ""), getattr(node, "effective_to", "")
        if start and end and end <= start:
            yield Finding((*path, "effective_to"), f"ends at {end}, not after it begins ({start})")


def check_discounts(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find rules without exactly one effect, and rules named where their stage does not stand."""
    stages: dict[str, str] = {}
    for document in (national, catalogue):
        stages.update({rule.id: rule.stage for rule in (document.discounts if document else ())})
    for path, node in structs(catalogue):
        if isinstance(node, Discount):
            effects = [name for name in EFFECTS if getattr(node, name)]
            if len(effects) != 1:
                found = ", ".join(effects) or "none"
                yield Finding(path, f"discount {node.id!r} has {found}: give exactly one of {', '.join(EFFECTS)}")
    for index, offering in enumerate(catalogue.offerings):
        for at, rule in enumerate(offering.discounts):
            if stages.get(rule, "offering") != "offering":
                yield Finding(
                    ("offerings", index, "discounts", at),
                    f"{rule!r} is of stage {stages[rule]!r}; an offering grants rules of stage 'offering'",
                )
    for index, agreement in enumerate(catalogue.agreements):
        for at, rule in enumerate(agreement.discounts):
            if stages.get(rule, "account") not in ("subscriber", "account"):
                yield Finding(
                    ("agreements", index, "discounts", at),
                    f"{rule!r} is of stage {stages[rule]!r}; agreements grant 'subscriber' or 'account'",
                )


def check_opened_services(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find services that an offering opens and no tariff would price."""
    tariffs = (*(national.tariffs if national else ()), *catalogue.tariffs)
    standard = {tariff.service for tariff in tariffs if tariff.standard}
    for index, offering in enumerate(catalogue.offerings):
        own = {tariff.service for tariff in tariffs if tariff.id in offering.tariffs}
        for at, service in enumerate(offering.services):
            if service not in standard | own:
                yield Finding(
                    ("offerings", index, "services", at),
                    f"offering {offering.id!r} opens {service!r}, but no standard tariff prices it",
                )


def check_region(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find overrides of what is not there, additions that hide national entries, regions missing."""
    if not catalogue.domain:
        if catalogue.overrides != Overrides():
            yield Finding(("overrides",), "only a regional catalogue overrides: name its domain")
        return
    if national is None:
        yield Finding(
            ("domain",), f"region {catalogue.domain} can't be checked without the national catalogue beside it"
        )
        return
    for section in ("tariffs", "allowances", "fees", "offerings", "discounts"):
        there = ids(getattr(national, section))
        for index, entry in enumerate(getattr(catalogue, section)):
            if entry.id in there:
                yield Finding(
                    (section, index, "id"),
                    f"{entry.id!r} is a national entry: put it under overrides to replace it, or choose another id",
                )
        yield from _absent(section, getattr(catalogue.overrides, section), there)
    for section in ("bands", "calendars", "destinations", "zones", "parties"):
        yield from _absent(section, getattr(catalogue.overrides, section), ids(getattr(national, section)))
    prices = {tariff.id: ids(tariff.prices) for tariff in national.tariffs}
    for index, override in enumerate(catalogue.overrides.prices):
        if override.tariff in prices and override.price.id not in prices[override.tariff]:
            yield Finding(
                ("overrides", "prices", index, "price", "id"),
                f"tariff {override.tariff!r} has no price {override.price.id!r} to override",
            )


def _absent(section: str, entries: tuple[Struct, ...], there: set[str]) -> Iterator[Finding]:
    for index, entry in enumerate(entries):
        name: str = entry.id  # type: ignore[attr-defined]
        if name not in there:
            yield Finding(
                ("overrides", section, index, "id"),
                f"{name!r} overrides nothing: there is no such entry among the national {section}",
            )

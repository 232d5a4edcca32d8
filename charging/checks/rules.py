"""Rules that stand across sections: discounts, offerings that open what nothing prices, regional overrides."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from charging.base.money import exact_quantity
from charging.catalogue.document import Catalogue, Overrides, Withdrawn
from charging.catalogue.merge import currency_of
from charging.catalogue.offers import Accumulator, AccumulatorRange, Agreement, Discount, Fee, Offering, Thresholds
from charging.checks.references import SECTIONS
from charging.checks.values import covers
from charging.checks.walk import Finding, Path, ids, structs

EFFECTS = ("percent", "amount", "price", "total", "thresholds")


def check_discounts(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find rules without exactly one effect, conditions that never hold, rules named where they do not belong."""
    stages: dict[str, str] = {}
    counting: dict[str, Accumulator] = {}
    for document in (national, catalogue):
        if document is not None:
            counting.update({one.id: one for one in document.accumulators})
            stages.update({rule.id: rule.stage for rule in (*document.discounts, *document.overrides.discounts)})
    for path, node in structs(catalogue):
        if isinstance(node, Discount):
            effects = [name for name in EFFECTS if getattr(node, name)]
            if len(effects) != 1:
                found = ", ".join(effects) or "none"
                yield Finding(path, f"discount {node.id!r} has {found}: give exactly one of {', '.join(EFFECTS)}")
            yield from _asked(path, node, counting)
        elif isinstance(node, Fee) and node.minus in counting:
            counted = counting[node.minus]
            if counted.counts != "amount" or counted.period != node.period:
                yield Finding(
                    (*path, "minus"),
                    f"{node.minus!r} counts {counted.counts} over the {counted.period}: name one that counts the "
                    f"amount over the {node.period}",
                )
        elif isinstance(node, Thresholds) and not node.steps:
            yield Finding((*path, "steps"), "thresholds without a step take nothing off: add one")
        elif (
            isinstance(node, AccumulatorRange)
            and node.below
            and exact_quantity(node.below) <= exact_quantity(node.at_least)
        ):
            yield Finding(
                (*path, "below"), f"nothing lies from {node.at_least} to below {node.below}: mend one of them"
            )
        elif isinstance(node, Offering):
            yield from _stages(path, node, stages, ("offering",))
        elif isinstance(node, Agreement):
            yield from _stages(path, node, stages, ("subscriber", "account"))


def _asked(path: Path, rule: Discount, counting: Mapping[str, Accumulator]) -> Iterator[Finding]:
    """Find accumulators that are not in force all the time that the rule which asks them is."""
    for at, node in structs(rule, path):
        one = counting.get(node.accumulator) if isinstance(node, Thresholds | AccumulatorRange) else None
        if one is not None and not covers(one, rule):
            yield Finding(
                (*at, "accumulator"),
                f"accumulator {one.id!r} is not in force all the time that discount {rule.id!r} is: "
                "give both the same effective dates",
            )


def _stages(
    path: Path, node: Offering | Agreement, stages: dict[str, str], granted: tuple[str, ...]
) -> Iterator[Finding]:
    what = "an offering" if isinstance(node, Offering) else "an agreement"
    for at, rule in enumerate(node.discounts):
        if stages.get(rule, granted[0]) not in granted:
            allowed = " or ".join(repr(stage) for stage in granted)
            yield Finding(
                (*path, "discounts", at),
                f"{rule!r} is of stage {stages[rule]!r}; {what} grants rules of stage {allowed}",
            )


def check_opened_services(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find services that an offering opens and no tariff would price."""
    tariffs = (*(national.tariffs if national else ()), *catalogue.tariffs, *catalogue.overrides.tariffs)
    standard = {tariff.service for tariff in tariffs if tariff.standard}
    for path, offering in structs(catalogue):
        if isinstance(offering, Offering):
            own = {tariff.service for tariff in tariffs if tariff.id in offering.tariffs}
            for at, service in enumerate(offering.services):
                if service not in standard | own:
                    yield Finding(
                        (*path, "services", at),
                        f"offering {offering.id!r} opens {service!r}, but no standard tariff prices it",
                    )


def check_region(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find overrides of what is not there, additions that hide national entries, regions missing."""
    if not catalogue.domain:
        for name, empty in (("overrides", Overrides()), ("withdrawn", Withdrawn())):
            if getattr(catalogue, name) != empty:
                yield Finding((name,), f"only a regional catalogue has {name}: name its domain")
        return
    if national is None:
        yield Finding(
            ("domain",), f"region {catalogue.domain} can't be checked without the national catalogue beside it"
        )
        return
    for name in ("country", "time_zone"):
        if getattr(catalogue, name):
            yield Finding((name,), f"only the national catalogue says the {name}: leave it out")
    if catalogue.currency not in (None, currency_of(national)):
        words = f"{catalogue.currency} is not the nation's {currency_of(national)}: leave it out"
        yield Finding(("currency",), words)
    replaceable = Overrides.__struct_fields__
    for section in SECTIONS:
        there = ids(getattr(national, section))
        mend = "put it under overrides to replace it, or choose" if section in replaceable else "choose"
        for index, entry in enumerate(getattr(catalogue, section)):
            if entry.id in there:
                yield Finding((section, index, "id"), f"{entry.id!r} is a national entry: {mend} another id")
        if section in replaceable:
            yield from _absent(section, getattr(catalogue.overrides, section), there)
    prices = {tariff.id: ids(tariff.prices) for tariff in national.tariffs}
    seen: set[tuple[str, str]] = set()
    for index, override in enumerate(catalogue.overrides.prices):
        where = (override.tariff, override.price.id)
        if where in seen:
            yield Finding(("overrides", "prices", index), f"price {'/'.join(where)} is overridden before: keep one")
        seen.add(where)
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

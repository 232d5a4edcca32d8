"""Compile what a merged catalogue says of paying late."""

from fractions import Fraction

from charging.base.dunning import DunningStep
from charging.base.localtime import LocalTime
from charging.base.money import micro
from charging.base.openbills import NEVER_LATE, PPM, LateRule
from charging.catalogue.dunning import DunningRule, DunningStepRule, LateFee
from charging.catalogue.merge import Merged, MergedEntry
from charging.plans.conditions import band_table
from charging.plans.dunning import CompiledDunning

DEFAULT_COIN = 10_000
"""What late fees are rounded to where bills say nothing of coins: a cent, micro-units."""


def compile_dunning(merged: Merged, local: LocalTime) -> tuple[CompiledDunning, ...]:
    """Compile the rules in the order in which they are tried: the region's, then the nation's.

    Raises `Invalid` CATALOGUE_FAULTY for a band that is not there.
    """
    own = [entry for entry in merged.dunning.values() if entry.origin]
    return tuple([_compiled(entry, merged, local) for entry in (*own, *_national(merged))])


def services_by_item(merged: Merged) -> dict[str, str]:
    """Say with which service each item of a bill is dunned: the one that books under it, or whose only fee it is.

    An item of several services, or of none, is the whole account's.
    """
    found: dict[str, set[str]] = {}
    for name, service in merged.services.items():
        found.setdefault(service.value.item or name, set()).add(name)
    for offering in merged.offerings.values():
        for fee in offering.value.fees:
            if fee in merged.fees:
                item = merged.fees[fee].value.item or fee
                found.setdefault(item, set()).update(offering.value.services)
    return {item: min(names) for item, names in found.items() if len(names) == 1}


def _national(merged: Merged) -> list[MergedEntry[DunningRule]]:
    return [entry for entry in merged.dunning.values() if not entry.origin]


def _compiled(entry: MergedEntry[DunningRule], merged: Merged, local: LocalTime) -> CompiledDunning:
    rule = entry.value
    coin = int(micro(merged.bills.coin)) or DEFAULT_COIN
    return CompiledDunning(
        rule.id,
        rule.when,
        _late(rule.late_fee, coin),
        tuple([_step(step) for step in rule.steps]),
        band_table([rule.quiet], merged, local) if rule.quiet else None,
    )


def _late(fee: LateFee | None, coin: int) -> LateRule:
    if fee is None:
        return NEVER_LATE
    ppm = int(Fraction(fee.per_mille_a_day) * 1_000)
    return LateRule(ppm, fee.grace_days, int(Fraction(fee.cap_percent) * PPM / 100), coin, fee.first)


def _step(step: DunningStepRule) -> DunningStep:
    credit = int(Fraction(step.credit_percent) * PPM / 100) if step.credit_percent else 0
    return DunningStep(step.id, step.action, step.days, int(micro(step.amount)), credit, step.per == "service")

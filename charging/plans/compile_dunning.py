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


def _national(merged: Merged) -> list[MergedEntry[DunningRule]]:
    return [entry for entry in merged.dunning.values() if not entry.origin]


def _compiled(entry: MergedEntry[DunningRule], merged: Merged, local: LocalTime) -> CompiledDunning:
    rule = entry.value
    coin = int(micro(merged.bills.coin)) or DEFAULT_COIN
    return CompiledDunning(
        rule.id,
        rule.when,
        _late(rule.late_fee, coin),
        rule.late_fee is not None and rule.late_fee.first,
        tuple([_step(step) for step in rule.steps]),
        band_table([rule.quiet], merged, local) if rule.quiet else None,
    )


def _late(fee: LateFee | None, coin: int) -> LateRule:
    if fee is None:
        return NEVER_LATE
    ppm = int(Fraction(fee.per_mille_a_day) * 1_000)
    return LateRule(ppm, fee.grace_days, int(Fraction(fee.cap_percent or "100") * PPM / 100), coin)


def _step(step: DunningStepRule) -> DunningStep:
    credit = int(Fraction(step.credit_percent) * PPM / 100) if step.credit_percent else 0
    return DunningStep(step.id, step.action, step.days, int(micro(step.amount)), credit, step.per == "service")

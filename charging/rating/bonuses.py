"""Which bonuses of the catalogue come with a top-up of money, and how much."""

from charging.ledger.rewards import BonusPart
from charging.plans.plan import Plan
from charging.plans.rewards import CompiledBonus


def due(plan: Plan, amount: int, kind: str, channel: str, now_ms: int) -> tuple[BonusPart, ...]:
    """Give the bonuses of a top-up, micro-units, in the order of the catalogue; if it is the first the owner knows."""
    found: list[BonusPart] = []
    for bonus in plan.bonuses:
        given = _amount(bonus, amount)
        if given and kind in (bonus.kinds or (kind,)) and channel in (bonus.channels or (channel,)):
            ends_ms = now_ms + bonus.validity_ms if bonus.validity_ms else 0
            found.append(
                BonusPart(
                    bonus.name, bonus.label, given, bonus.book, ends_ms, bonus.priority, bonus.allowance, bonus.first
                )
            )
    return tuple(found)


def _amount(bonus: CompiledBonus, amount: int) -> int:
    for step in bonus.steps:
        if amount >= step.at_least:
            given = step.amount + amount * step.numerator // step.denominator
            return min(given, bonus.most) if bonus.most else given
    return 0

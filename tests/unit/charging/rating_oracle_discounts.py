"""The oracle of discounts: one rule after the other, by the words of the catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from charging.catalogue.offers import Discount, ExclusiveGroup

STAGES = ("product", "offering", "subscriber", "account")


def yuan(text: str) -> Fraction:
    return Fraction(text or "0") * 1_000_000


@dataclass
class Discounts:
    rules: Sequence[Discount]
    groups: Sequence[ExclusiveGroup]
    quantity: int
    charged: int

    def run(self, value: Fraction, had: dict[str, Fraction], spent: dict[str, int]) -> tuple[Fraction, dict[str, int]]:
        """Give the value after all rules, and what rules with a budget gave. `spent` are the budgets' accumulators."""
        given: dict[str, int] = {}
        if value == 0:
            return value, given
        gross = value
        ordered = sorted(self.rules, key=lambda r: (STAGES.index(r.stage), r.priority, r.id))
        holding = [rule for rule in ordered if self.holds(rule, had)]
        for rule in holding:
            if rule.exclusive and rule is not self.chosen(rule.exclusive, holding, gross, had, spent):
                continue
            off = self.off(rule, value, had, spent)
            if rule.id in spent:
                given[rule.id] = -(-off.numerator // off.denominator)
            value -= off
        return value, given

    def holds(self, rule: Discount, had: dict[str, Fraction]) -> bool:
        ranges = [(had[r.accumulator], Fraction(r.at_least), Fraction(r.below)) for r in rule.when.accumulators]
        return self.quantity >= int(rule.when.quantity_min) and all(low <= value < high for value, low, high in ranges)

    def chosen(
        self, group: str, holding: Sequence[Discount], gross: Fraction, had: dict[str, Fraction], spent: dict[str, int]
    ) -> Discount:
        rivals = [rule for rule in holding if rule.exclusive == group]
        if any(each.id == group and each.choose == "best" for each in self.groups):
            # Of equals the first: max keeps the first it meets.
            return max(rivals, key=lambda rule: self.off(rule, gross, had, spent))
        return rivals[0]

    def off(self, rule: Discount, value: Fraction, had: dict[str, Fraction], spent: dict[str, int]) -> Fraction:
        off = max(Fraction(0), value - self.after(rule, value, had))
        if rule.limit is not None:
            off = min(off, max(Fraction(0), yuan(rule.limit.amount) - spent.get(rule.id, 0)))
        return off

    def after(self, rule: Discount, value: Fraction, had: dict[str, Fraction]) -> Fraction:
        if rule.thresholds is not None:
            reached = [
                step for step in rule.thresholds.steps if had[rule.thresholds.accumulator] >= Fraction(step.at_least)
            ]
            percent = max(reached, key=lambda step: Fraction(step.at_least)).percent if reached else "0"
            return value * (100 - Fraction(percent)) / 100
        if rule.percent:
            return value * (100 - Fraction(rule.percent)) / 100
        if rule.amount:
            return max(Fraction(0), value - yuan(rule.amount))
        if rule.total:
            return yuan(rule.total)
        assert rule.price is not None
        step = int(rule.price.increment or rule.price.per)
        return yuan(rule.price.price) * step / int(rule.price.per) * -(-self.charged // step)

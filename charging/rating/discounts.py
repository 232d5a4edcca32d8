"""Discounts by rule at the levels S, I, A and C, stacked in the order of the stages.

product → offering → customer agreement on the subscriber → customer agreement on the account: each rule works on the
result of the one before. A rule never raises a charge and never makes it negative.
"""

from charging.base.usage import Step
from charging.plans.compiled import AMOUNT, PERCENT, PRICE, THRESHOLDS, CompiledRule, DiscountFacts


class Discounted:
    """The value after discounts, and what they left behind."""

    __slots__ = ("accruals", "denominator", "depends", "numerator")

    def __init__(self, numerator: int, denominator: int) -> None:
        self.numerator = numerator
        self.denominator = denominator
        self.accruals: list[tuple[str, int]] = []
        self.depends = False


def apply(rules: tuple[CompiledRule, ...], facts: DiscountFacts, steps: list[Step]) -> Discounted:
    """Run rules, already in order, over the value that `facts` carries; steps are added."""
    done = Discounted(facts.numerator, facts.denominator)
    chosen: dict[str, str] = {}
    for rule in rules:
        if rule.depends:
            done.depends = True
        if rule.exclusive and chosen.get(rule.exclusive, rule.name) != rule.name:
            continue
        if not holds(rule, facts):
            continue
        if rule.exclusive and rule.exclusive not in chosen:
            chosen[rule.exclusive] = _choose(rule, rules, facts)
            if chosen[rule.exclusive] != rule.name:
                continue
        off, bottom = reduction(rule, done.numerator, done.denominator, facts)
        if off == 0:
            continue
        steps.append(Step("discount", rule.name, rule.origin, 0, "", -off, bottom, rule.detail, rule.level))
        if bottom == done.denominator:
            done.numerator -= off
        else:
            done.numerator = done.numerator * (bottom // done.denominator) - off
            done.denominator = bottom
        if rule.limit_counter is not None:
            key = rule.limit_counter.key(facts.contract.identity, facts.account.terms.cycle_day, facts.day)
            done.accruals.append((key, -(-off // bottom)))
    return done


def holds(rule: CompiledRule, facts: DiscountFacts) -> bool:
    """Say whether all conditions of a rule are met."""
    for test in rule.tests:  # noqa: SIM110 - a generator costs more than the tests
        if not test(facts):
            return False
    return True


def reduction(rule: CompiledRule, numerator: int, denominator: int, facts: DiscountFacts) -> tuple[int, int]:
    """Give how much a rule takes off a value: numerator and denominator, the latter a multiple of the value's.

    Micro-units, never negative and never more than the value; exact, so nothing is rounded between rules.
    """
    left_n, left_d = rule.numerator, rule.denominator
    kind = rule.kind
    if kind == THRESHOLDS:
        left_n, left_d = reached(rule, facts)
        kind = PERCENT
    if kind == PERCENT:
        bottom = denominator * left_d
        off = numerator * (left_d - left_n)
    elif kind == AMOUNT:
        bottom = denominator * left_d
        off = min(numerator * left_d, left_n * denominator)
    else:
        if kind == PRICE:
            left_n *= -(-facts.charged // rule.increment)
        bottom = denominator * left_d
        off = max(0, numerator * left_d - left_n * denominator)
    if rule.limit_numerator < 0:
        return off, bottom
    limit_n, limit_d = rule.limit_numerator, rule.limit_denominator
    if rule.limit_counter is not None:
        limit_n -= rule.limit_counter.value(facts.account, facts.contract.identity, facts.day) * limit_d
    off, limit_n = off * limit_d, max(0, limit_n) * bottom
    return min(off, limit_n), bottom * limit_d


def reached(rule: CompiledRule, facts: DiscountFacts) -> tuple[int, int]:
    """Give what thresholds leave of a value, as a fraction, where their counter stands."""
    value = 0
    if rule.counter is not None:
        value = rule.counter.value(facts.account, facts.contract.identity, facts.day)
    for least, numerator, denominator in rule.steps:
        if value >= least:
            return numerator, denominator
    return 1, 1


def _choose(rule: CompiledRule, rules: tuple[CompiledRule, ...], facts: DiscountFacts) -> str:
    """Choose the rule of an exclusive group: this first one, or the one that takes most off the undiscounted value."""
    if not rule.best:
        return rule.name
    best, best_n, best_d = rule.name, -1, 1
    for other in rules:
        if other.exclusive == rule.exclusive and holds(other, facts):
            off, bottom = reduction(other, facts.numerator, facts.denominator, facts)
            if off * best_d > best_n * bottom:
                best, best_n, best_d = other.name, off, bottom
    return best

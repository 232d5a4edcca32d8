"""The planner: says of one use, for all that are alike, how columns rate it, or why they can't. Pure.

Alike are uses that no test of the catalogue can tell apart: the tests are asked once, of the first of them.
"""

from dataclasses import dataclass, field
from math import prod

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.contract import Contract, Subscription
from charging.base.localtime import CALL
from charging.base.money import micro, quantity
from charging.base.usage import Step, Usage
from charging.catalogue.offers import Discount
from charging.plans.compiled import (
    AMOUNT,
    GRADUATED,
    PERCENT,
    PRICE,
    SWITCH_START,
    THRESHOLDS,
    TOTAL,
    VOLUME,
    Bounds,
    CompiledAccumulator,
    CompiledPrice,
    CompiledRule,
    DiscountFacts,
    GrantedAllowance,
    Schedule,
)
from charging.plans.plan import Plan
from charging.rating import discounts
from charging.rating.rating import discount_facts, price_of

NO_PRICE = "nothing prices it"
TIERS = "tiers that begin increments of their own"
DISCOUNT = "a discount from some quantity or amount on, with a limit of a period, or the best of unlike ones"
WATCHED = "a discount by what is counted of money or tiers"
BITS = 62
"""Of every product and sum: one less than a signed word has, and one to add two of them."""
_HUGE = 1 << 200
"""A value from which no discount of an amount takes all."""
_QUANTITY_BITS = 40
"""Of a use and of an increment, so that a million of them add up to no more than `BITS`."""


@dataclass(slots=True, eq=False)
class Watched:
    """A counter that a discount asks, and the values at which its answer may change."""

    accumulator: CompiledAccumulator
    marks: tuple[int, ...]
    """Ascending; the level is how many are reached."""


@dataclass(slots=True, frozen=True)
class DiscountEffect:
    """What one discount does to a value."""

    kind: int
    """PERCENT, AMOUNT, PRICE or TOTAL."""
    top: int
    bottom: int
    """Of the fraction that is left, goes off, or becomes the value; micro-units, but for PERCENT."""
    increment: int
    """Of PRICE."""
    limit_top: int
    limit_bottom: int
    """Most that it takes off, micro-units; a negative top = any."""


@dataclass(slots=True, eq=False)
class UseShape:
    """How all uses of one kind are rated."""

    plan: Plan
    why: str
    """Why columns can't; "" = they can, and all below is there."""
    priced: tuple[CompiledPrice, Schedule, Bounds] | None = None
    grants: tuple[GrantedAllowance, ...] = ()
    """Whose scope holds them, in the order of consumption."""
    cut: bool = False
    """Bands that end inside of a use cut its price."""
    cut_free: bool = False
    """They cut what an allowance covers of it."""
    counts: tuple[CompiledAccumulator, ...] = ()
    watched: tuple[Watched, ...] = ()
    quantity_max: int = 0
    """Up to which no product grows past `BITS`."""
    widened: int = 1
    """By what discounts widen fractions at most."""
    facts: DiscountFacts | None = None
    rules: tuple[CompiledRule, ...] = ()
    effects: dict[tuple[int, ...], tuple[DiscountEffect, ...]] = field(default_factory=dict)

    @property
    def price(self) -> CompiledPrice:
        """The price of a shape that columns rate."""
        return self._priced()[0]

    @property
    def schedule(self) -> Schedule:
        """Its rates where no band ends inside of a use."""
        return self._priced()[1]

    @property
    def bounds(self) -> Bounds:
        """What is due besides."""
        return self._priced()[2]

    def _priced(self) -> tuple[CompiledPrice, Schedule, Bounds]:
        if self.priced is None:
            raise ValueError(f"columns can't rate it: {self.why}")
        return self.priced

    def effects_at(self, levels: tuple[int, ...]) -> tuple[DiscountEffect, ...]:
        """Give the discounts that hold, in order, where the counters that they ask have reached these levels."""
        known = self.effects.get(levels)
        if known is None:
            known = self.effects[levels] = self._effects_at(levels)
        return known

    def _effects_at(self, levels: tuple[int, ...]) -> tuple[DiscountEffect, ...]:
        facts = self.facts
        if facts is None:
            return ()
        held: dict[str, int] = {}
        for watched, level in zip(self.watched, levels, strict=True):
            counter = watched.accumulator.counter
            key = counter.key(facts.contract.identity, facts.account.terms.cycle_day, facts.day)
            held[key] = watched.marks[level - 1] if level else watched.marks[0] - 1
        facts.account = replace(facts.account, accumulators=held)
        steps: list[Step] = []
        # What holds of a value larger than all amounts holds of any: those that take nothing off have no step, and none
        # does so for want of money.
        discounts.apply(self.rules, facts, steps)
        by_name = {rule.name: rule for rule in self.rules}
        return tuple([_effect(by_name[step.rule], facts) for step in steps])


class Planner:
    """Plans for the catalogue of one stretch of time."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._asking: dict[tuple[CompiledRule, ...], tuple[tuple[Watched, ...], str]] = {}

    def shape(self, held: list[Subscription], usage: Usage, contract: Contract, account: Account, day: int) -> UseShape:
        """Say how uses like this one are rated. Counters of the account are not looked at."""
        plan = self._plan
        if usage.service not in plan.services:
            return UseShape(plan, NO_PRICE)
        names = tuple([subscription.offering for subscription in held])
        profile = plan.profile(usage.service, names)
        price = price_of(profile, usage, contract, account)
        if price is None:
            return UseShape(plan, NO_PRICE)
        start_s = usage.start_ms // 1_000
        index = -1 if price.table is None else price.table.at(start_s)[0]
        schedule = price.schedules[index]
        if schedule is None:
            return UseShape(plan, NO_PRICE)
        scoped = [each for each in profile.grants if _holds(each, usage, contract, account)]
        rules = plan.rules_for("usage", usage.service, names, contract, account)
        if rules not in self._asking:
            self._asking[rules] = _watched(plan, rules)
        watched, why = self._asking[rules]
        why = why or _tiers_why(schedule)
        counts = plan.counting.get(usage.service, ())
        found = UseShape(
            plan,
            why,
            (price, schedule, price.bounds[index]),
            tuple([each for each in scoped if _begins_in(each, start_s)]),
            price.table is not None and price.timed and price.switch != SWITCH_START,
            any(each.allowance.table is not None for each in scoped),
            tuple([each for each in counts if all(test(usage, contract, account) for test in each.tests)]),
            watched,
        )
        if not why:
            if rules:
                found.rules, found.widened = rules, prod([_widening(rule) for rule in rules])
                found.facts = discount_facts(profile, price, usage, contract, account, 1, _HUGE, 1, day)
            found.quantity_max = _quantity_max(found)
        return found


def _begins_in(grant: GrantedAllowance, start_s: int) -> bool:
    """Say whether a use that begins then begins in the bands of an allowance; without bands it does."""
    table = grant.allowance.table
    return table is None or table.at(start_s)[0] == 0


def _holds(grant: GrantedAllowance, usage: Usage, contract: Contract, account: Account) -> bool:
    return all(test(usage, contract, account) for test in grant.allowance.tests)


def _tiers_why(schedule: Schedule) -> str:
    """Columns count tiers where all have one increment, and begin where one does."""
    if schedule.counter is None:
        return ""
    rates = [rate for tier in schedule.tiers for rate in tier.rates]
    plain = len(rates) == len(schedule.tiers) and len({rate.increment for rate in rates}) == 1
    if not plain or schedule.counter.period == CALL or schedule.model not in (GRADUATED, VOLUME):
        return TIERS
    if schedule.model == GRADUATED and any(tier.end % rates[0].increment for tier in schedule.tiers[:-1]):
        return TIERS
    return ""


def _effect(rule: CompiledRule, facts: DiscountFacts) -> DiscountEffect:
    kind, top, bottom = rule.kind, rule.numerator, rule.denominator
    if kind == THRESHOLDS:
        kind, (top, bottom) = PERCENT, discounts.reached(rule, facts)
    return DiscountEffect(kind, top, bottom, rule.increment, rule.limit_numerator, rule.limit_denominator)


def _watched(plan: Plan, rules: tuple[CompiledRule, ...]) -> tuple[tuple[Watched, ...], str]:
    """Find the counters that discounts ask, and at which values; and why columns can't have these discounts."""
    known = {each.counter.name: each for some in plan.counting.values() for each in some}
    marks: dict[str, set[int]] = {}
    for rule in rules:
        asked: Discount = plan.merged.discounts[rule.name].value
        when = asked.when
        if rule.limit_counter is not None or (rule.best and not _all_percent(rule.exclusive, rules)):
            return (), DISCOUNT
        if quantity(when.quantity_min) or micro(when.amount_min):
            return (), DISCOUNT
        if rule.counter is not None:
            marks.setdefault(rule.counter.name, set()).update(least for least, _, _ in rule.steps)
        for each in when.accumulators:
            marks.setdefault(each.accumulator, set()).update(
                quantity(text) for text in (each.at_least, each.below) if text and each.accumulator in known
                and known[each.accumulator].counts != "amount"
            )  # fmt: skip
    if any(name not in known or known[name].counts == "amount" for name in marks):
        return (), WATCHED
    return tuple([Watched(known[name], tuple(sorted(found))) for name, found in marks.items() if found]), ""


def _all_percent(group: str, rules: tuple[CompiledRule, ...]) -> bool:
    """Say whether the best of a group is the same for all values."""
    of_group = [rule for rule in rules if rule.exclusive == group]
    return all(rule.kind in (PERCENT, THRESHOLDS) and rule.limit_numerator < 0 for rule in of_group)


def _widening(rule: CompiledRule) -> int:
    """Say by what a discount widens fractions at most."""
    widest = max([rule.denominator, *(bottom for _, _, bottom in rule.steps)])
    return widest * (rule.limit_denominator if rule.limit_numerator >= 0 else 1)


def _quantity_max(shape: UseShape) -> int:
    """Give the largest power of two of base units for which every product stays within `BITS`; 0 = for none."""
    price, schedule, bounds = shape.price, shape.schedule, shape.bounds
    rates = schedule.rates or tuple(rate for tier in schedule.tiers for rate in tier.rates)
    fixed = bounds.connect + bounds.minimum + max(0, bounds.cap) + sum(tier.flat for tier in schedule.tiers)
    widened = shape.widened
    limit = 1 << BITS
    wide = max([rate.increment for rate in rates] + [each.allowance.increment for each in shape.grants])
    if 2 * price.denominator * widened * price.rounding.step >= limit or wide >= 1 << _QUANTITY_BITS:
        return 0
    if bounds.cap_counter is not None and bounds.cap_total * price.denominator * widened >= limit:
        return 0
    amounts = [rule for rule in shape.rules if rule.kind in (AMOUNT, PRICE, TOTAL)]
    fixed += price.denominator * sum([rule.numerator for rule in amounts if rule.kind != PRICE])
    fixed += price.denominator * sum([max(0, rule.limit_numerator) for rule in shape.rules])
    again = [(rule.increment, rule.numerator * price.denominator) for rule in amounts if rule.kind == PRICE]
    for bits in range(_QUANTITY_BITS, 0, -1):
        most = 1 << bits
        other = sum([(most // increment + 1) * cost for increment, cost in again])
        if (other + sum((most // rate.increment + 1) * rate.cost for rate in rates) + fixed) * widened < limit:
            return most
    return 0

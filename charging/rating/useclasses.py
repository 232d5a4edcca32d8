"""Classes of uses: what no rule of a catalogue can tell apart but by quantity and by what was counted before.

The tests of prices, allowances, accumulators and discounts are asked of the first use of a class, by the functions by
which `charging.rating.rating` asks them.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from math import gcd

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.contract import Contract
from charging.base.localtime import CALL
from charging.base.money import quantity as quantity_of
from charging.base.usage import SealedCharge, Usage
from charging.catalogue.words import When
from charging.plans.alike import ChargeClass, KnownCharge, RuleAsks
from charging.plans.compiled import (
    PRICE,
    SWITCH_START,
    CompiledAccumulator,
    CompiledPrice,
    CompiledRule,
    GrantedAllowance,
)
from charging.plans.conditions import reached
from charging.plans.plan import CACHE_MAX, Plan
from charging.rating import freeunits
from charging.rating.rating import price_of
from charging.rating.usetimes import UseTime

LEVELS_MAX = 1 << 16
"""Of one class: with more, the row engine rates each use."""
_ANY = When()


@dataclass(slots=True, eq=False)
class SourceHere:
    """A source of free units of one subscriber."""

    key: str
    """What counts for it; "" = it is whole for each use."""
    quota: int
    increment: int
    cap_key: str
    cap: int
    """What the member may take of it; means nothing without the key."""


@dataclass(slots=True, eq=False)
class ClassHere:
    """A class for one subscriber in one stretch of time."""

    known: ChargeClass | None
    """None = only the row engine can say."""
    sources: list[SourceHere] = field(default_factory=list)
    marked: list[str] = field(default_factory=list)
    """Counters that discounts ask, in the order of the marks of the class."""
    cap_key: str = ""
    cap_total: int = 0
    pinned: list[str] = field(default_factory=list)
    """Counters from which a quota follows."""
    keys: list[str] = field(default_factory=list)
    """Counters in the order in which known charges name them."""
    quantity_max: int = 0
    taxed_since: int = 0
    levels: int = 1
    of_source: int = 1
    """Levels for each source of free units; those of the first number stand for none of them."""
    made: dict[int, SealedCharge] = field(default_factory=dict)
    columns: dict[KnownCharge, tuple[int, int]] = field(default_factory=dict)
    """Of known charges: the places of their kind and explanation among those of the command."""


def class_here(time: UseTime, usage: Usage, contract: Contract, account: Account) -> ClassHere:
    """Put a use to the tests of the catalogue. `account` has what open sessions keep counted as taken."""
    plan = time.plan
    service = plan.services.get(usage.service)
    if service is None or freeunits.has_books(account, service.unit):
        return ClassHere(None)
    profile = plan.profile(usage.service, time.names)
    price = price_of(profile, usage, contract, account)
    rules = plan.rules_for("usage", usage.service, time.names, contract, account)
    asks = asks_of(plan, rules)
    if price is None or asks.alone:
        return ClassHere(None)
    start_s = usage.start_ms // 1_000
    index = -1 if price.table is None else price.table.at(start_s)[0]
    counting = plan.counting.get(usage.service, ())
    counts = tuple([each for each in counting if _holds(each, usage, contract, account)])
    here = ClassHere(None, quantity_max=service.quantity_max, taxed_since=time.taxed_since)
    asked = tuple([grant for grant in profile.grants if _scoped(grant, usage, contract, account)])
    inside = [grant for grant in asked if _begins_in(grant, start_s)]
    _add_sources(here, inside, time, contract, account)
    _add_counters(here, price, index, asks, counts, time, contract, account)
    told = _answers(asks, contract, account) if rules else ()
    key = (usage.service, time.names, price, index, asked, tuple(inside), counts, rules, told)
    known = None if asks.of_usage else plan.memory.classes.get(key)
    if known is None:
        known = _class_of(here, price, index, asked, asks, counts)
        if known is None:
            return ClassHere(None)
        if not asks.of_usage:
            plan.memory.know(key, known)
    here.known = known
    here.of_source = 2
    for marks in known.marks:
        here.of_source *= len(marks) + 1
    here.levels = (len(here.sources) + 1) * here.of_source
    return here if here.levels < LEVELS_MAX else ClassHere(None)


def level_of(here: ClassHere, known: ChargeClass, counters: dict[str, int], quantity: int) -> int:
    """Number what of the counters a charge hangs on; -1 = they are in between."""
    level = 0
    for place, source in enumerate(here.sources):
        left = source.quota
        if source.key:
            left -= counters.get(source.key, 0)
        if source.cap_key:
            left = min(left, source.cap - counters.get(source.cap_key, 0))
        if left > 0:
            if left < -(-quantity // source.increment) * source.increment:
                return -1
            level = place + 1
            break
    for key, marks in zip(here.marked, known.marks, strict=True):
        level = level * (len(marks) + 1) + bisect_right(marks, counters.get(key, 0))
    level += level
    if here.cap_key and here.cap_total <= counters.get(here.cap_key, 0):
        level += 1
    return level


def _holds(counting: CompiledAccumulator, usage: Usage, contract: Contract, account: Account) -> bool:
    for test in counting.tests:  # noqa: SIM110 - a generator costs more than the tests
        if not test(usage, contract, account):
            return False
    return True


def _scoped(grant: GrantedAllowance, usage: Usage, contract: Contract, account: Account) -> bool:
    for test in grant.allowance.tests:  # noqa: SIM110 - as above
        if not test(usage, contract, account):
            return False
    return True


def _begins_in(grant: GrantedAllowance, start_s: int) -> bool:
    """Say whether a use that begins then begins in the bands of an allowance; without bands it does."""
    table = grant.allowance.table
    return table is None or table.at(start_s)[0] == 0


def _add_sources(
    here: ClassHere, grants: list[GrantedAllowance], time: UseTime, contract: Contract, account: Account
) -> None:
    """Find what may cover a use, in the order of consumption."""
    for grant in grants:
        allowance = grant.allowance
        for source in freeunits.grant_sources(grant, time.subscriptions, contract, account, time.plan, time.day):
            key = source.keys[0] if source.keys else ""
            cap_key, cap = source.cap_key, allowance.member_cap
            here.sources.append(SourceHere(key, source.quota, allowance.increment, cap_key, cap))
            here.keys.extend(source.keys)
        if allowance.roll_counter is not None:
            before = allowance.counter.key_before(contract.identity, account.terms.cycle_day, time.day)
            here.pinned.append(before)


def _add_counters(
    here: ClassHere,
    price: CompiledPrice,
    index: int,
    asks: RuleAsks,
    counts: tuple[CompiledAccumulator, ...],
    time: UseTime,
    contract: Contract,
    account: Account,
) -> None:
    """Name the counters of the subscriber that a class reads, and those that it counts for."""
    identity, cycle_day, day = contract.identity, account.terms.cycle_day, time.day
    bounds = price.bounds[index]
    if bounds.cap_counter is not None:
        here.cap_key = bounds.cap_counter.key(identity, cycle_day, day)
        here.cap_total = bounds.cap_total
        here.keys.append(here.cap_key)
    here.keys.extend([each.counter.key(identity, cycle_day, day) for each in counts])
    if asks.counters:
        known = {each.counter.name: each.counter for some in time.plan.counting.values() for each in some}
        here.marked = [known[name].key(identity, cycle_day, day) for name, _ in asks.counters]


def _class_of(
    here: ClassHere,
    price: CompiledPrice,
    index: int,
    asked: tuple[GrantedAllowance, ...],
    asks: RuleAsks,
    counts: tuple[CompiledAccumulator, ...],
) -> ChargeClass | None:
    """Say what tells the uses of a class apart; None = more than quantity and level."""
    schedule = price.schedules[index]
    if schedule is None or (schedule.counter is not None and schedule.counter.period != CALL):
        return None
    first = len(here.keys) - len(counts)
    used = [first + place for place, each in enumerate(counts) if each.counts == "quantity"]
    if any(here.keys.count(here.keys[place]) > 1 for place in used):
        return None  # What is used and something else add up in one counter.
    exact = price.grace or asks.by_quantity or schedule.counter is not None
    increment = 1 if exact else 0
    for rate in schedule.rates:
        increment = gcd(increment, rate.increment, rate.start)
    for step in (*[grant.allowance.increment for grant in asked], *asks.increments):
        increment = gcd(increment, step)
    cuts = price.table is not None and price.timed and price.switch != SWITCH_START
    return ChargeClass(
        max(increment, 1),
        cuts or any(grant.allowance.table is not None for grant in asked),
        tuple([marks for _, marks in asks.counters]),
        frozenset(used),
        price.rounding.step,
        free=not (price.grace or price.connect_always),
    )


def asks_of(plan: Plan, rules: tuple[CompiledRule, ...]) -> RuleAsks:
    """Say what discount rules look at; found once for each list of them."""
    names = tuple([rule.name for rule in rules])
    asks = plan.memory.asks.get(names)
    if asks is None:
        if len(plan.memory.asks) >= CACHE_MAX:
            plan.memory.asks.clear()
        asks = plan.memory.asks[names] = _asked(plan, rules)
    return asks


def _asked(plan: Plan, rules: tuple[CompiledRule, ...]) -> RuleAsks:
    counted = {each.counter.name for some in plan.counting.values() for each in some}
    marks: dict[str, set[int]] = {}
    alone = of_usage = by_quantity = False
    asked: tuple[set[str], set[str], set[str]] = (set(), set(), set())
    for rule in rules:
        when = plan.merged.discounts[rule.name].value.when
        alone = alone or rule.limit_counter is not None
        of_usage = of_usage or replace(when.usage, services=()) != _ANY
        by_quantity = by_quantity or quantity_of(when.quantity_min) > 0
        if rule.counter is not None:
            marks.setdefault(rule.counter.name, set()).update([least for least, _, _ in rule.steps])
        for each in when.accumulators:
            found = [reached(text, each.accumulator, plan.merged) for text in (each.at_least, each.below) if text]
            marks.setdefault(each.accumulator, set()).update(found)
        asked[0].update(when.subscriber)
        asked[1].update(when.account)
        asked[2].update(when.customer)
    return RuleAsks(
        alone or not marks.keys() <= counted,
        of_usage,
        by_quantity,
        tuple([rule.increment for rule in rules if rule.kind == PRICE]),
        tuple([(name, tuple(sorted(marks[name]))) for name in sorted(marks)]),
        tuple(sorted(asked[0])),
        tuple(sorted(asked[1])),
        tuple(sorted(asked[2])),
    )


def _answers(asks: RuleAsks, contract: Contract, account: Account) -> tuple[str, ...]:
    """Give what conditions on attributes are told; a name may be a field or an attribute, so both count."""
    terms = account.terms
    found = [contract.attributes.get(name, "") for name in asks.subscriber]
    for name in asks.account:
        found.append(terms.attributes.get(name, ""))
    if asks.account:
        found.extend((terms.payment_mode, terms.status, terms.domain, terms.currency))
    for name in asks.customer:
        found.append(account.customer_id if name == "customer_id" else terms.customer_attributes.get(name, ""))
    return tuple(found)

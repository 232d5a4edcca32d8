"""Compile allowances, offerings, fees, accumulators and discount rules."""

from collections.abc import Mapping

from charging.base.account import MONEY
from charging.base.bounds import OPEN_END
from charging.base.localtime import CALL, LIFE, PERIODS, SUBSCRIPTION, LocalTime
from charging.base.money import micro, quantity
from charging.base.tongue import label_of
from charging.bills.bill import WHOLE_BILL
from charging.catalogue.merge import Merged, MergedEntry, regional_parts
from charging.catalogue.offers import Accumulator, Allowance, Discount, Fee, Offering
from charging.errors import Invalid
from charging.plans.bands import BandTable
from charging.plans.compile_tariffs import cap_counter, increment_cost, rounding_of
from charging.plans.compiled import (
    AMOUNT,
    PERCENT,
    PRICE,
    THRESHOLDS,
    TOTAL,
    CompiledAccumulator,
    CompiledAllowance,
    CompiledFee,
    CompiledOffering,
    CompiledRule,
    Counter,
)
from charging.plans.conditions import band_table, discount_tests, reached, usage_tests

_STAGES = {"product": (0, "I"), "offering": (1, "S"), "subscriber": (2, "S"), "account": (3, "A")}


def compile_allowance(entry: MergedEntry[Allowance], merged: Merged, local: LocalTime) -> CompiledAllowance:
    """Compile an allowance, quantities in base units. Raises `Invalid` CATALOGUE_FAULTY, `ValueError`."""
    value = entry.value
    table: BandTable | None = None
    timed = value.unit == "second"
    if value.when.bands and (timed or value.unit == MONEY):
        table = band_table([value.when.bands], merged, local)
    period = PERIODS[value.period]
    roll = value.roll_over
    return CompiledAllowance(
        name=value.id,
        label=label_of(value.name, value.id),
        changed="" if entry.origin else regional_parts(merged, value.when),
        origin=entry.origin,
        unit=value.unit,
        quota=quantity(value.quota),
        priority=value.priority,
        tests=usage_tests(value.when, merged, local, destinations=True, bands=not timed),
        table=table,
        increment=max(1, quantity(value.increment)),
        counter=Counter(value.id, LIFE if period == SUBSCRIPTION else period, value.shared),
        member_cap=quantity(value.member_cap),
        member_counter=Counter(f"{value.id}.member", LIFE if period == SUBSCRIPTION else period, False),
        roll_counter=Counter(f"{value.id}.rolled", period, value.shared) if roll else None,
        roll_limit=(quantity(roll.limit) if roll.limit else OPEN_END) if roll else 0,
        roll_first=roll.used == "first" if roll else False,
        prorated=value.prorated,
        by_subscription=period == SUBSCRIPTION,
        per_call=period == CALL,
        blocks=value.blocks,
    )


def compile_offering(entry: MergedEntry[Offering]) -> CompiledOffering:
    """Compile an offering."""
    value = entry.value
    return CompiledOffering(
        name=value.id,
        origin=entry.origin,
        label=label_of(value.name, value.id),
        priority=value.priority,
        includes=value.includes,
        services=frozenset(value.services),
        tariffs=value.tariffs,
        allowances=value.allowances,
        discounts=value.discounts,
        fees=value.fees,
        validity_ms=quantity(value.validity) * 1000,
    )


def compile_fee(entry: MergedEntry[Fee], merged: Merged) -> CompiledFee:
    """Compile a fee, its amount exact in micro-units. Raises `Invalid` CATALOGUE_FAULTY."""
    value = entry.value
    amount = micro(value.amount)
    return CompiledFee(
        name=value.id,
        label=label_of(value.name, value.id),
        origin=entry.origin,
        item=value.item or value.id,
        numerator=amount.numerator,
        denominator=amount.denominator,
        recurring=value.kind == "recurring",
        period=PERIODS[value.period],
        prorated=value.prorated,
        thirty=value.proration == "30_day_months",
        trial_days=value.trial_days,
        free_months=value.free_months,
        minus=_counter_of(value.minus, merged),
        rounding=rounding_of(value.rounding, entry.origin, entry.origin, merged),
    )


def _counter_of(accumulator: str, merged: Merged) -> Counter | None:
    """Give what counts for an accumulator; None for no name."""
    if not accumulator:
        return None
    if accumulator not in merged.accumulators:
        raise Invalid("CATALOGUE_FAULTY", f"there is no accumulator {accumulator!r}")
    value = merged.accumulators[accumulator].value
    return Counter(value.id, PERIODS[value.period], value.shared)


def compile_accumulator(entry: MergedEntry[Accumulator], merged: Merged, local: LocalTime) -> CompiledAccumulator:
    """Compile an accumulator."""
    value = entry.value
    return CompiledAccumulator(
        counter=Counter(value.id, PERIODS[value.period], value.shared),
        counts=value.counts,
        tests=usage_tests(value.when, merged, local, destinations=True, bands=True),
        services=frozenset(value.when.services),
    )


def compile_rule(
    entry: MergedEntry[Discount], merged: Merged, local: LocalTime, counters: Mapping[str, Counter]
) -> CompiledRule:
    """Compile a discount rule. Raises `Invalid` CATALOGUE_FAULTY when it has no effect, or two."""
    value = entry.value
    stage, level = _STAGES[value.stage]
    kind, numerator, denominator, increment, detail = _effect(value)
    counter = None
    steps: list[tuple[int, int, int]] = []
    if value.thresholds:
        counter = counters.get(value.thresholds.accumulator)
        if counter is None:
            raise Invalid("CATALOGUE_FAULTY", f"there is no accumulator {value.thresholds.accumulator!r}")
        for step in value.thresholds.steps:
            left = 1 - micro(step.percent) / 100_000_000
            least = reached(step.at_least, value.thresholds.accumulator, merged)
            steps.append((least, left.numerator, left.denominator))
    limit = micro(value.limit.amount) if value.limit else None
    limit_counter = cap_counter(value.limit, f"{value.id}.limit")
    group = merged.exclusive_groups.get(value.exclusive)
    return CompiledRule(
        name=value.id,
        origin=entry.origin,
        level=value.level or level,
        order=(stage, value.priority, value.id),
        targets=value.applies_to,
        services=frozenset(value.when.usage.services),
        tests=discount_tests(value.when, merged, local, counters),
        kind=kind,
        numerator=numerator,
        denominator=denominator,
        increment=increment,
        steps=tuple(sorted(steps, reverse=True)),
        counter=counter,
        limit_numerator=limit.numerator if limit is not None else -1,
        limit_denominator=limit.denominator if limit is not None else 1,
        limit_counter=limit_counter,
        exclusive=value.exclusive,
        best=group is not None and group.value.choose == "best",
        depends=bool(value.when.accumulators) or counter is not None or limit_counter is not None,
        reads=_reads(value, counters, counter, limit_counter),
        bases=_bases(value),
        detail=f"{value.stage}: {detail}" + ("" if entry.origin else regional_parts(merged, value.when.usage)),
    )


def _reads(value: Discount, counters: Mapping[str, Counter], *others: Counter | None) -> tuple[Counter, ...]:
    asked = [counters[each.accumulator] for each in value.when.accumulators if each.accumulator in counters]
    return (*asked, *[each for each in others if each is not None])


def _bases(value: Discount) -> frozenset[str]:
    """Say what of a bill a rule works on: items that it names, else the whole of whom it is had by."""
    named = {*value.when.items, *value.when.item.get("item", ())}
    found = {"item"} if named - {WHOLE_BILL} or (value.when.item.keys() - {"item"}) else set()
    if not found or WHOLE_BILL in named:
        of_contract = value.stage in ("offering", "subscriber") or value.when.subscriber or value.when.offerings
        found.add("member" if of_contract else "account")
    return frozenset(found)


def _effect(value: Discount) -> tuple[int, int, int, int, str]:
    """Give (kind, numerator, denominator, increment, words)."""
    effects = [bool(value.percent), bool(value.amount), value.price is not None, bool(value.total)]
    if sum(effects) + (value.thresholds is not None) != 1:
        raise Invalid("CATALOGUE_FAULTY", f"discount {value.id!r} needs exactly one effect")
    if value.percent:
        left = 1 - micro(value.percent) / 100_000_000
        return PERCENT, left.numerator, left.denominator, 0, f"{value.percent} % off"
    if value.amount:
        off = micro(value.amount)
        return AMOUNT, off.numerator, off.denominator, 0, f"{value.amount} off"
    if value.total:
        total = micro(value.total)
        return TOTAL, total.numerator, total.denominator, 0, f"{value.total} in all"
    if value.price is not None:
        increment, cost = increment_cost(value.price)
        words = f"{value.price.price} per {value.price.per} instead"
        return PRICE, cost.numerator, cost.denominator, increment, words
    words = ", ".join(f"{s.percent} % from {s.at_least}" for s in value.thresholds.steps) if value.thresholds else ""
    return THRESHOLDS, 0, 1, 0, words

"""Discounts and counters by columns: what was counted before a use decides its discount, and the use counts in turn."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from charging.base.bounds import AMOUNT_MAX
from charging.plans.compiled import AMOUNT, PERCENT, PRICE, CompiledAccumulator
from mediation.columns.chunk import MAGNITUDE
from mediation.columns.passing import Pass
from mediation.columns.planner import DiscountEffect, UseShape
from mediation.columns.rounding import rounded
from mediation.columns.ruler import Ints
from mediation.columns.running import sums_before
from mediation.columns.worth import Worths

_COUNTED_MAX = 1 << 41


@dataclass(slots=True, eq=False)
class _Counting:
    """One accumulator: the shapes that it counts, and those whose discounts ask it."""

    accumulator: CompiledAccumulator
    way: object
    """Tells it from one of the same name that another catalogue counts otherwise."""
    counts: list[int]
    asked: list[int]


def finished(run: Pass, found: Worths, charged: Ints) -> Ints:
    """Discount, round and count: give micro-units. `charged` are the units that free ones left."""
    amounts = np.zeros_like(found.value)
    countings = _countings(run)
    levels: dict[str, list[tuple[Ints, Ints]]] = {}
    for counting in countings:
        if counting.asked or counting.accumulator.counts != "amount":
            before = _count(run, found, amounts, counting)
            if before is not None:
                levels.setdefault(counting.accumulator.counter.name, []).append(before)
    value, denominator = _discounted(run, found, charged, levels)
    everything = np.arange(len(value))
    amounts = rounded(run, everything, value, denominator)
    run.chunk.escapes.add(run.account[amounts > AMOUNT_MAX], MAGNITUDE)
    for counting in countings:
        if counting.accumulator.counts == "amount":
            _count(run, found, amounts, counting)
    return amounts


def _countings(run: Pass) -> list[_Counting]:
    found: dict[tuple[object, ...], _Counting] = {}

    def counting(each: CompiledAccumulator) -> _Counting:
        counter = each.counter
        alike = (counter.name, counter.period, counter.shared, each.counts)
        return found.setdefault(alike, _Counting(each, alike, [], []))

    for number in run.used:
        shape = run.shapes[number]
        for each in shape.counts:
            counting(each).counts.append(number)
        for watched in shape.watched:
            counting(watched.accumulator).asked.append(number)
    return list(found.values())


def _count(run: Pass, found: Worths, amounts: Ints, counting: _Counting) -> tuple[Ints, Ints] | None:
    """Count uses; where it is asked, give the places of rows, and what stood in the counter before each."""
    at = run.of_shapes([*counting.counts, *counting.asked])
    counts = counting.accumulator.counts
    if counts == "quantity":
        added = run.quantity[at]
    elif counts == "charged":
        added = found.paid[at]
    else:
        added = amounts[at] if counts == "amount" else np.ones(len(at), dtype=np.int64)
    counted = np.zeros(len(run.shapes), dtype=np.bool_)
    counted[counting.counts] = True
    added = np.where(counted[run.shape[at]], added, 0)
    run.chunk.escapes.add(run.account[at][added > _COUNTED_MAX], MAGNITUDE)
    groups = run.counted(counting.accumulator.counter, at, counting.way)
    run.keys.add(groups, added)
    if not counting.asked:
        return None
    before = sums_before(groups, added)
    run.trace(at, groups, before)
    return at, run.opening(groups) + before


def _discounted(
    run: Pass, found: Worths, charged: Ints, levels: dict[str, list[tuple[Ints, Ints]]]
) -> tuple[Ints, Ints]:
    """Give values and denominators after discounts."""
    tops = np.ones(len(run.shapes), dtype=np.int64)
    bottoms = np.ones(len(run.shapes), dtype=np.int64)
    others: list[int] = []
    for number in run.used:
        shape = run.shapes[number]
        if not shape.rules:
            continue
        effects = () if shape.watched else shape.effects_at(())
        if shape.watched or any(not _plain(effect) for effect in effects):
            others.append(number)
        else:
            tops[number] = prod([effect.top for effect in effects])
            bottoms[number] = prod([effect.bottom for effect in effects])
    everything = np.arange(len(run.shape))
    value = found.value * run.spread(tops, run.used, everything)
    denominator = found.denominator * run.spread(bottoms, run.used, everything)
    before = {name: np.zeros_like(value) for name in levels}
    for name, several in levels.items():
        for at, counted in several:
            before[name][at] = counted
    for number in others:
        at = run.of_shapes([number])
        for levels_at, mine in _levels(run.shapes[number], before, at):
            done = found.value[mine], found.denominator[mine]
            for effect in run.shapes[number].effects_at(levels_at):
                done = _take_off(effect, *done, charged[mine])
            value[mine], denominator[mine] = done
    return value, denominator


def _levels(shape: UseShape, before: dict[str, Ints], at: Ints) -> Iterator[tuple[tuple[int, ...], Ints]]:
    """Part rows of a shape by the levels that what its discounts ask has reached."""
    if not shape.watched:
        yield (), at
        return
    reached = [
        np.searchsorted(np.array(each.marks), before[each.accumulator.counter.name][at], side="right")
        for each in shape.watched
    ]
    kinds, numbers = np.unique(np.stack(reached, axis=1), axis=0, return_inverse=True)
    for place, kind in enumerate(kinds.tolist()):
        yield tuple(kind), at[numbers.reshape(-1) == place]


def _plain(effect: DiscountEffect) -> bool:
    return effect.kind == PERCENT and effect.limit_top < 0


def _take_off(effect: DiscountEffect, value: Ints, denominator: Ints, charged: Ints) -> tuple[Ints, Ints]:
    """Do to values what `charging.rating.discounts.reduction` does to one."""
    bottom = denominator * effect.bottom
    whole = value * effect.bottom
    if effect.kind == PERCENT:
        off = value * (effect.bottom - effect.top)
    elif effect.kind == AMOUNT:
        off = np.minimum(whole, effect.top * denominator)
    else:
        times = -(-charged // effect.increment) if effect.kind == PRICE else 1
        off = np.maximum(0, whole - effect.top * times * denominator)
    if effect.limit_top >= 0:
        off, whole = off * effect.limit_bottom, whole * effect.limit_bottom
        off = np.minimum(off, effect.limit_top * bottom)
        bottom = bottom * effect.limit_bottom
    return whole - off, bottom

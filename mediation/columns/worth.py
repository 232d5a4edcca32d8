"""What is left of each use is worth: rates, tiers, connection, minimum and caps, in 1/denominator of its price.

A use that bands cut goes to the row engine's own `charge_parts`, alone: no state stands behind its price.
"""

from dataclasses import dataclass

import numpy as np

from charging.base.bounds import OPEN_END
from charging.base.usage import Step
from charging.errors import Fault
from charging.plans.compiled import VOLUME, CompiledRate
from charging.rating.tiers import Positions, charge_parts
from mediation.columns.chunk import MAGNITUDE
from mediation.columns.free import PART, Uncovered
from mediation.columns.passing import Pass
from mediation.columns.planner import BITS, NO_PRICE
from mediation.columns.rounding import rounded
from mediation.columns.ruler import Flags, Ints
from mediation.columns.running import running, sums_before

CAPPED_MAX = 1 << 41
"""Micro-units of one use under a cap of a period, so that a million of them add up within a word."""
TIERS_CUT = "bands cut a use that tiers price"
TIERS_BEGUN = "tiers stand inside of an increment"
CAP_STEP = "a cap that is no multiple of the rounding"


@dataclass(slots=True, eq=False)
class Worths:
    """The value of each use before discounts."""

    value: Ints
    paid: Ints
    """Units that cost something, whole increments: what `counts: charged` counts."""
    denominator: Ints


def worth(run: Pass, free: Uncovered) -> Worths:
    """Price all uses of a pass."""
    shapes = run.shapes
    denominators = np.ones(len(shapes), dtype=np.int64)
    most = np.zeros(len(shapes), dtype=np.int64)
    for number in run.used:
        price = shapes[number].price
        denominators[number], most[number] = price.denominator, shapes[number].quantity_max
    found = Worths(np.zeros_like(run.quantity), np.zeros_like(run.quantity), denominators[run.shape])
    large = run.quantity > most[run.shape]
    run.chunk.escapes.add(run.account[large], MAGNITUDE)
    cut = _cut(run)
    _rates(run, free, found, ~cut & ~large)
    for number in np.flatnonzero(cut & (free.left > 0)).tolist():
        _cut_by_bands(run, free, found, number)
    tiered: dict[int, list[int]] = {}
    for number in run.used:
        schedule = shapes[number].schedule
        if schedule.counter is not None:
            tiered.setdefault(id(schedule), []).append(number)
    for numbers in tiered.values():
        _tiers(run, free, found, numbers)
    _bounds(run, free, found)
    return found


def _cut(run: Pass) -> Flags:
    """Find the uses inside of which a band begins or ends that their price or their allowances ask for."""
    asks = np.array([shape.cut or shape.cut_free for shape in run.shapes], dtype=np.bool_)
    free = np.array([shape.cut_free for shape in run.shapes], dtype=np.bool_)
    ends = run.chunk.start_ms[run.rows] // 1_000 + run.quantity
    crossing = ends > run.placed.alike_until_s[run.rows]
    run.chunk.escapes.add(run.account[crossing & free[run.shape]], PART)
    return np.asarray(crossing & asks[run.shape], dtype=np.bool_)


def _rates(run: Pass, free: Uncovered, found: Worths, here: Flags) -> None:
    """Price by plain rates: each holds from its offset to that of the next."""
    lists: dict[int, tuple[CompiledRate, ...]] = {}
    for number in run.used:
        schedule = run.shapes[number].schedule
        if schedule.counter is None:
            lists[number] = schedule.rates
    here = here & (free.left > 0)
    for place in range(max([len(rates) for rates in lists.values()], default=0)):
        having = [number for number, rates in lists.items() if len(rates) > place]
        columns = np.zeros((4, len(run.shapes)), dtype=np.int64)
        for number in having:
            rates = lists[number]
            last = len(rates) == place + 1
            start = rates[place].start if place else 0
            columns[:, number] = start, OPEN_END if last else rates[place + 1].start, rates[place].increment, (
                rates[place].cost)  # fmt: skip
        at = run.of_shapes(having) if len(having) < len(run.used) else np.arange(len(run.shape))
        at = at[here[at]]
        starts, ends, increments, costs = (run.spread(column, having, at) for column in columns)
        begin = free.at[at]
        length = np.maximum(0, np.minimum(begin + free.left[at], ends) - np.maximum(begin, starts))
        count = -(-length // increments)
        found.value[at] += count * costs
        found.paid[at] += np.where(costs != 0, count * increments, 0)


def _cut_by_bands(run: Pass, free: Uncovered, found: Worths, place: int) -> None:
    account = int(run.account[place])
    shape = run.shapes[int(run.shape[place])]
    price = shape.price
    if any(each is not None and each.counter is not None for each in price.schedules):
        run.chunk.escapes.add([account], TIERS_CUT)
        return
    steps: list[Step] = []
    begin = int(free.at[place])
    state = run.chunk.accounts[account]
    positions = Positions(state, run.chunk.contracts[run.holder[place]].identity, int(run.day[place]))
    start_s = int(run.chunk.start_ms[run.rows[place]]) // 1_000
    try:
        value = charge_parts(price, [(begin, begin + int(free.left[place]))], start_s, positions, steps)
    except Fault:
        run.chunk.escapes.add([account], NO_PRICE)
        return
    if value * shape.widened >= 1 << BITS - 1:
        run.chunk.escapes.add([account], MAGNITUDE)
        return
    found.value[place] = value
    found.paid[place] = sum(step.quantity for step in steps if step.numerator)


def _tiers(run: Pass, free: Uncovered, found: Worths, numbers: list[int]) -> None:
    """Price by the tiers that some shapes share: what was counted before decides."""
    schedule = run.shapes[numbers[0]].schedule
    assert schedule.counter is not None
    at = run.of_shapes(numbers)
    at = at[free.left[at] > 0]
    if not len(at):
        return
    groups = run.counted(schedule.counter, at, ("tiers", id(schedule)))
    opening = np.maximum(0, run.opening(groups))
    increment = schedule.tiers[0].rates[0].increment
    run.chunk.escapes.add(run.account[at][opening >= 1 << BITS - 1], MAGNITUDE)
    if schedule.model != VOLUME:
        begun = (opening % increment != 0) | (run.opening(groups) < 0)
        run.chunk.escapes.add(run.account[at][begun], TIERS_BEGUN)
    count = -(-free.left[at] // increment)
    units = count * increment
    before = sums_before(groups, units)
    run.keys.add(groups, units)
    run.trace(at, groups, before)
    now = opening + before
    reached = now + free.left[at] - 1 if schedule.model == VOLUME else now
    for place, tier in enumerate(schedule.tiers):
        last = place + 1 == len(schedule.tiers)
        end = OPEN_END if last else tier.end
        if schedule.model == VOLUME:
            # The first tier whose end lies behind what is reached has all of it.
            inside = (reached < end) & (reached >= (schedule.tiers[place - 1].end if place else -1))
            here = np.where(inside, count, 0)
            enters = inside & (now <= tier.start)
        else:
            overlap = np.minimum(now + units, end) - np.maximum(now, tier.start)
            here = np.maximum(0, overlap) // increment
            enters = (here > 0) & (now <= tier.start)
        found.value[at] += here * tier.rates[0].cost + np.where(enters, tier.flat, 0)
        if tier.rates[0].cost:
            found.paid[at] += here * increment


def _bounds(run: Pass, free: Uncovered, found: Worths) -> None:
    """Add what is due once, raise to the minimum, cut at caps."""
    columns = np.zeros((3, len(run.shapes)), dtype=np.int64)
    columns[2] = -1
    always = np.zeros(len(run.shapes), dtype=np.bool_)
    grace = np.zeros(len(run.shapes), dtype=np.int64)
    capped: list[int] = []
    for number in run.used:
        bounds, price = run.shapes[number].bounds, run.shapes[number].price
        columns[:, number] = bounds.connect, bounds.minimum, -1 if bounds.cap_counter is not None else bounds.cap
        always[number], grace[number] = price.connect_always, price.grace
        if bounds.cap_counter is not None:
            capped.append(number)
    if not capped and not columns[:2].any() and (columns[2] < 0).all():
        return
    due = (free.left > 0) | (always[run.shape] & (run.quantity > grace[run.shape]))
    connects, minima, caps = columns[:, run.shape]
    value = np.maximum(found.value + connects, minima)
    value = np.where(caps >= 0, np.minimum(value, caps), value)
    found.value = np.where(due, value, found.value)
    if capped:
        _caps(run, found, capped, due)


def _caps(run: Pass, found: Worths, capped: list[int], due: Flags) -> None:
    """Cut at caps of a period: money of the uses before, as it was rounded, runs up to the cap."""
    by_counter: dict[tuple[str, int, bool], list[int]] = {}
    totals = np.zeros(len(run.shapes), dtype=np.int64)
    steps = np.ones(len(run.shapes), dtype=np.int64)
    for number in capped:
        bounds, price = run.shapes[number].bounds, run.shapes[number].price
        assert bounds.cap_counter is not None
        counter = bounds.cap_counter
        by_counter.setdefault((counter.name, counter.period, counter.shared), []).append(number)
        totals[number], steps[number] = bounds.cap_total, price.rounding.step
    for name, numbers in by_counter.items():
        at = run.of_shapes(numbers)
        at = at[due[at]]
        if not len(at):
            continue
        bounds = run.shapes[numbers[0]].bounds
        assert bounds.cap_counter is not None
        groups = run.counted(bounds.cap_counter, at, ("cap", name), totals[run.shape[at]])
        left = np.maximum(0, totals[run.shape[at]] - run.opening(groups))
        run.chunk.escapes.add(run.account[at][left % steps[run.shape[at]] != 0], CAP_STEP)
        worths = rounded(run, at, found.value[at], found.denominator[at])
        run.chunk.escapes.add(run.account[at][worths > CAPPED_MAX], MAGNITUDE)
        took, before = running(groups, worths, left)
        run.keys.add(groups, took)
        run.trace(at, groups, before)
        most = (left - before) * found.denominator[at]
        found.value[at] = np.minimum(found.value[at], most)

"""Charge the parts of a usage that nothing free covers: bands, tiers, rates, whole increments, in closed form.

A part is cut into pieces at each border: where a band of the day ends, where a tier does, where a later rate of one
schedule begins. Inside a piece one rate holds, so its price is one multiplication; the number of pieces is that of the
borders crossed, never that of the increments.

Quantities are base units (seconds, bytes, events), offsets count from the beginning of the usage, amounts are whole
numbers of 1/`denominator` micro-unit of the price.

The three models of tiers, for what an accumulator has counted before:

    graduated    each unit costs what the tier costs that it falls into
    volume       all units of the usage cost what the tier costs that the last of them reaches
    package      as graduated, but increments run through from usage to usage inside of a tier: a begun one is paid once
"""

from charging.base.account import Account
from charging.base.localtime import CALL
from charging.base.usage import Step
from charging.plans.compiled import (
    PACKAGE,
    SWITCH_INCREMENT,
    SWITCH_START,
    VOLUME,
    CompiledPrice,
    CompiledRate,
    CompiledTier,
    Counter,
    Schedule,
)
from charging.plans.unrated import outside_bands


class Positions:
    """Where the tiers of a charge stand: for each accumulator its value before, and now, base units.

    All pieces of one charge share it, so that a tier that one piece has filled is full for the next.
    """

    __slots__ = ("account", "before", "day", "identity", "now")

    def __init__(self, account: Account, identity: str, day: int) -> None:
        self.account = account
        self.identity = identity
        self.day = day
        self.before: dict[str, int] = {}
        self.now: dict[str, int] = {}

    def key(self, counter: Counter) -> str:
        """Give the accumulator's key, its value read once. Those of the call itself begin at zero and are not kept."""
        if counter.period == CALL:
            key = counter.name
            if key not in self.now:
                self.now[key] = 0
            return key
        key = counter.key(self.identity, self.account.terms.cycle_day, self.day)
        if key not in self.now:
            self.before[key] = self.now[key] = max(0, self.account.accumulators.get(key, 0))
        return key

    def accruals(self) -> list[tuple[str, int]]:
        """Give what was added to the accumulators that are kept: (key, base units), in order of first use."""
        return [(key, self.now[key] - value) for key, value in self.before.items() if self.now[key] != value]


def charge_parts(
    price: CompiledPrice, parts: list[tuple[int, int]], start_s: int, positions: Positions, steps: list[Step]
) -> int:
    """Price parts [from, to) of a usage, in order; steps are added. Gives the sum in 1/denominator micro-units.

    `parts` is not empty. A part that allowances left over begins increments of its own, as if the call began there.
    Raises `Unrated` BAND_UNRATED when a part lies in no band that has a rate.
    """
    runs = _runs(price, start_s, parts[-1][1])
    quantity = sum([b - a for a, b in parts])
    total = 0
    place = 0
    for a, b in parts:
        while a < b:
            # Parts ascend, so the run that holds `a` is never before the one that held the piece before.
            while runs[place][0] <= a:
                place += 1
            band_end, index = runs[place]
            schedule = price.schedules[index]
            if schedule is None:
                raise outside_bands(price.rule, price.origin)
            tier: CompiledTier | None = None
            key = ""
            rates = schedule.rates
            limit = b
            if schedule.counter is not None:
                key = positions.key(schedule.counter)
                tier, limit = _enter(schedule, positions, key, quantity, a, b)
                rates = tier.rates
            # The rate that holds at `a` is the last that begins there or before; the next one ends the piece.
            rate = rates[0]
            for later in rates[1:]:
                if later.start > a:
                    limit = min(limit, later.start)
                    break
                rate = later
            if band_end < limit:
                if price.switch == SWITCH_INCREMENT:
                    # An increment that has begun is paid at the old band's rate: up to the end of the one that the
                    # border falls into, `a` plus (band_end - a) rounded up to whole increments.
                    limit = min(limit, a - (a - band_end) // rate.increment * rate.increment)
                else:
                    limit = band_end
            if tier is None:
                # Divided upwards: a begun increment costs a whole one.
                increments = -(-(limit - a) // rate.increment)
            else:
                total += _flat(price, schedule.model, tier, positions, key, steps)
                increments = _count(schedule.model, rate, tier, positions, key, limit - a)
            cost = increments * rate.cost
            total += cost
            units = increments * rate.increment
            steps.append(
                Step("tariff", price.rule, price.origin, units, price.unit, cost, price.denominator, rate.detail)
            )
            a = limit
    return total


def _runs(price: CompiledPrice, start_s: int, quantity: int) -> list[tuple[int, int]]:
    """Give the bands that a usage runs through: (offset at which one ends, its place in `price.schedules`), ascending.

    What takes no time, or keeps the price it began with, has one; -1 stands for none of them, the price's own schedule.
    """
    table = price.table
    if table is None:
        return [(quantity, -1)]
    if not price.timed or price.switch == SWITCH_START:
        return [(quantity, table.at(start_s)[0])]
    return table.runs(start_s, quantity)


def _enter(
    schedule: Schedule, positions: Positions, key: str, quantity: int, a: int, b: int
) -> tuple[CompiledTier, int]:
    """Give the tier of the unit at `a`, and where the piece must end because of it.

    `quantity` is that of the whole usage that is charged: under the volume model its last unit chooses the tier of all.
    """
    if schedule.model == VOLUME:
        return _tier(schedule.tiers, positions.before.get(key, 0) + quantity - 1), b
    now = positions.now[key]
    tier = _tier(schedule.tiers, now)
    return tier, min(b, a + tier.end - now)


def _tier(tiers: tuple[CompiledTier, ...], counted: int) -> CompiledTier:
    """Give the tier of the unit that follows `counted` ones; the last one is open."""
    for tier in tiers:
        if counted < tier.end:
            return tier
    return tiers[-1]


def _flat(
    price: CompiledPrice, model: int, tier: CompiledTier, positions: Positions, key: str, steps: list[Step]
) -> int:
    """Charge the flat amount of a tier when this usage is the one that enters it.

    Graduated and package: the first unit behind the tier's beginning. Volume: all units have one tier, so its first
    piece charges it, when nothing was counted in the tier before.
    """
    now = positions.now[key]
    if not tier.flat or now > tier.start or (model == VOLUME and now != positions.before.get(key, 0)):
        return 0
    steps.append(
        Step("tariff", price.rule, price.origin, 0, price.unit, tier.flat, price.denominator, tier.flat_detail)
    )
    return tier.flat


def _count(model: int, rate: CompiledRate, tier: CompiledTier, positions: Positions, key: str, length: int) -> int:
    """Give the increments that a piece of `length` units pays, and count it.

    Counted are the units that are paid, whole increments, but never past the end of the tier: the next one begins where
    it says. Under the package model what was used is counted, and only increments pay that were not begun before.
    """
    now = positions.now[key]
    if model == PACKAGE:
        inside = now - tier.start
        positions.now[key] = now + length
        # Increments that were begun after this piece, less those that were begun before it.
        return -(-(inside + length) // rate.increment) - -(-inside // rate.increment)
    increments = -(-length // rate.increment)
    counted = now + increments * rate.increment
    positions.now[key] = counted if model == VOLUME else min(counted, tier.end)
    return increments

"""Charge the parts of a usage that nothing free covers: bands, tiers, rates, whole increments, in closed form.

The number of pieces is that of the borders crossed, never that of the increments.
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
    """Where the tiers of a charge stand: for each accumulator its value before, and now."""

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
        key = counter.key(self.identity, self.account.cycle_day, self.day)
        if key not in self.now:
            self.before[key] = self.now[key] = max(0, self.account.accumulators.get(key, 0))
        return key

    def accruals(self) -> list[tuple[str, int]]:
        """Give what was added to the accumulators that are kept."""
        return [(key, self.now[key] - value) for key, value in self.before.items() if self.now[key] != value]


def charge_parts(
    price: CompiledPrice, parts: list[tuple[int, int]], start_s: int, positions: Positions, steps: list[Step]
) -> int:
    """Price parts [from, to) of a usage, in order; steps are added. Gives the sum in 1/denominator micro-units.

    Raises `Unrated` BAND_UNRATED when a part lies in no band that has a rate.
    """
    runs = _runs(price, start_s, parts[-1][1])
    quantity = sum([b - a for a, b in parts])
    total = 0
    place = 0
    for a, b in parts:
        while a < b:
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
            rate = rates[0]
            for later in rates[1:]:
                if later.start > a:
                    limit = min(limit, later.start)
                    break
                rate = later
            if band_end < limit:
                if price.switch == SWITCH_INCREMENT:
                    limit = min(limit, a - (a - band_end) // rate.increment * rate.increment)
                else:
                    limit = band_end
            if tier is None:
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
    table = price.table
    if table is None:
        return [(quantity, -1)]
    if not price.timed or price.switch == SWITCH_START:
        return [(quantity, table.at(start_s)[0])]
    return table.runs(start_s, quantity)


def _enter(
    schedule: Schedule, positions: Positions, key: str, quantity: int, a: int, b: int
) -> tuple[CompiledTier, int]:
    """Give the tier of the unit at `a`, and where the piece must end because of it."""
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
    """Charge the flat amount of a tier when this usage is the one that enters it."""
    now = positions.now[key]
    if not tier.flat or now > tier.start or (model == VOLUME and now != positions.before.get(key, 0)):
        return 0
    steps.append(
        Step("tariff", price.rule, price.origin, 0, price.unit, tier.flat, price.denominator, tier.flat_detail)
    )
    return tier.flat


def _count(model: int, rate: CompiledRate, tier: CompiledTier, positions: Positions, key: str, length: int) -> int:
    """Give the increments that a piece pays, and count it. A count never runs over the end of its tier."""
    now = positions.now[key]
    if model == PACKAGE:
        inside = now - tier.start
        positions.now[key] = now + length
        return -(-(inside + length) // rate.increment) - -(-inside // rate.increment)
    increments = -(-length // rate.increment)
    counted = now + increments * rate.increment
    positions.now[key] = counted if model == VOLUME else min(counted, tier.end)
    return increments

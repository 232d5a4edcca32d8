"""Compile tariffs: prices to integers over one denominator, destinations to tables, bands to days."""

from collections.abc import Iterable
from fractions import Fraction
from math import lcm

from charging.base.bounds import OPEN_END
from charging.base.localtime import CALL, PERIODS, LocalTime
from charging.base.money import MODES, exact_quantity, micro, quantity
from charging.base.usage import ENDS
from charging.catalogue.merge import Merged, MergedEntry, regional_parts
from charging.catalogue.tariffs import BandRates, Cap, Price, Rate, Tariff, Tiers
from charging.catalogue.words import Rounding
from charging.errors import Invalid
from charging.plans.bands import BandTable
from charging.plans.compiled import (
    GRADUATED,
    PACKAGE,
    SWITCH_INCREMENT,
    SWITCH_SECOND,
    SWITCH_START,
    VOLUME,
    Bounds,
    CompiledPrice,
    CompiledRate,
    CompiledRounding,
    CompiledTariff,
    CompiledTier,
    Counter,
    Schedule,
)
from charging.plans.conditions import band_table, prefix_table, usage_tests
from charging.plans.prefixes import PrefixTable

DENOMINATOR_MAX = 1 << 200
"""Of the fractions of a micro-unit in which a price adds up; every step of an explanation carries it."""
_MODELS = {"graduated": GRADUATED, "volume": VOLUME, "package": PACKAGE}
_SWITCHES = {"second": SWITCH_SECOND, "increment": SWITCH_INCREMENT, "start": SWITCH_START}


def compile_rounding(rounding: Rounding, origin: str = "") -> CompiledRounding:
    """Give mode and step in micro-units."""
    name = f"{rounding.mode} to {rounding.places} places"
    return CompiledRounding(MODES[rounding.mode], 10 ** (6 - rounding.places), name, origin)


def rounding_of(own: Rounding | None, holder: str, entry: str, merged: Merged) -> CompiledRounding:
    """Compile the rounding of an entry: its own (made by `holder`), else that of the catalogue the entry comes from."""
    if own is not None:
        return compile_rounding(own, holder)
    if entry and merged.regional_rounding != merged.rounding:
        return compile_rounding(merged.regional_rounding, merged.domain)
    return compile_rounding(merged.rounding)


def compile_tariff(
    entry: MergedEntry[Tariff], prices: Iterable[Price], merged: Merged, local: LocalTime
) -> CompiledTariff:
    """Compile a tariff with those of its prices that are in force, in the order of the catalogue.

    Raises `Invalid` CATALOGUE_FAULTY for a destination, band or zone that is not there.
    """
    tariff = entry.value
    listed = list(prices)
    compiled = [compile_price(tariff, price, entry.origin, merged, local) for price in listed]
    naming: dict[str, list[int]] = {}
    for place, price in enumerate(listed):
        for name in price.when.destinations:
            naming.setdefault(name, []).append(place)
    table: PrefixTable[str] | None = None
    by_destination: dict[tuple[str, ...], tuple[CompiledPrice, ...]] = {}
    if naming:
        table = prefix_table(merged, naming)
        anywhere = [place for place, price in enumerate(listed) if not price.when.destinations]
        # A number meets a set of destinations, and there are few such sets: for each the prices that may hold are found
        # now, in the order of the file, since the first that holds counts. Prices without destination stand in all of
        # them.
        for found in table.answers:
            places = sorted({*anywhere, *(place for name in found for place in naming[name])})
            by_destination[found] = tuple([compiled[place] for place in places])
    return CompiledTariff(tariff.id, entry.origin, tariff.service, table, tuple(compiled), by_destination)


def compile_price(tariff: Tariff, price: Price, origin: str, merged: Merged, local: LocalTime) -> CompiledPrice:
    """Compile one price, amounts as whole numbers of one denominator. Raises `Invalid` CATALOGUE_FAULTY."""
    tariff_origin, origin = origin, merged.price_origins.get((tariff.id, price.id), origin)
    service = merged.services[tariff.service].value
    rule = f"{tariff.id}/{price.id}"
    denominator = _denominator(price)
    parts = _parts(price)
    changed = "" if origin else regional_parts(merged, price.when, [band for part in parts for band in part.bands])
    schedules = tuple(_schedule(part, price, rule, denominator, changed) for part in parts)
    table: BandTable | None = None
    if price.bands:
        table = band_table([part.bands for part in price.bands], merged, local)
    own = schedules[-1]
    bounds = tuple(_bounds(part, price, tariff.id, index, denominator) for index, part in enumerate(parts))
    counters = [s.counter for s in schedules if s is not None] + [one.cap_counter for one in bounds]
    plain = (
        table is None
        and own is not None
        and not own.tiers
        and len(own.rates) == 1
        and own.rates[0].start == 0
        and price.cap is None
        and not bounds[-1].minimum
        and not quantity(price.grace)
    )
    return CompiledPrice(
        rule=rule,
        tariff=tariff.id,
        price=price.id,
        origin=origin,
        item=price.item or tariff.item or service.item or service.id,
        unit=service.unit,
        denominator=denominator,
        tests=usage_tests(price.when, merged, local, destinations=False, bands=True),
        schedules=schedules,
        table=table,
        timed=service.unit == "second",
        switch=_SWITCHES[price.band_switch],
        bounds=bounds,
        connect=bounds[-1].connect,
        connect_always=price.connect_always,
        grace=quantity(price.grace),
        grace_free=price.grace_free,
        rounding=rounding_of(tariff.rounding, tariff_origin, origin, merged),
        flat=own.rates[0] if plain and own is not None else None,
        depends=any(counter is not None and counter.period != CALL for counter in counters),
    )


def tier_counters(merged: Merged) -> dict[str, Counter]:
    """Give the accumulators that tiers keep under a name of their own, for discounts to ask."""
    found: dict[str, Counter] = {}
    for entry in merged.tariffs.values():
        for price in entry.value.prices:
            for tiers in (price.tiers, *(part.tiers for part in price.bands)):
                if tiers is not None and tiers.accumulator and tiers.over != "call":
                    found[tiers.accumulator] = Counter(tiers.accumulator, PERIODS[tiers.over], tiers.shared)
    return found


def cap_name(tariff: str, price: str, band: int = -1) -> str:
    """Name what counts for a cap without a name of its own; ids have dots, but no slash, so no two prices share it.

    `band` is the place of an entry of `bands` that has a cap of its own.
    """
    return f"{tariff}/{price}/cap" if band < 0 else f"{tariff}/{price}/cap/{band}"


def _bounds(part: BandRates, price: Price, tariff: str, index: int, denominator: int) -> Bounds:
    """Compile what is due of usages that begin in an entry of `bands` (its place is `index`), or in none of them."""
    cap = part.cap or price.cap
    name = cap_name(tariff, price.id, index if part.cap else -1)
    return Bounds(
        connect=_in(micro(part.connect or price.connect), denominator),
        minimum=_in(micro(part.minimum or price.minimum), denominator),
        cap=_in(micro(cap.amount), denominator) if cap and cap.over == "call" else -1,
        cap_counter=cap_counter(cap, name),
        cap_total=int(micro(cap.amount)) if cap else 0,
        cap_detail=ENDS if cap and cap.then == "end" else "",
    )


def cap_counter(cap: Cap | None, name: str) -> Counter | None:
    """Give the accumulator that a cap over a period needs; None = there is no cap, or one over each call."""
    if cap is None or cap.over == "call":
        return None
    return Counter(cap.accumulator or name, PERIODS[cap.over], cap.shared)


def _rates_of(price: Price) -> list[Rate]:
    found: list[Rate] = []
    for part in _parts(price):
        found.extend(part.rates)
        for tier in part.tiers.steps if part.tiers else ():
            found.extend(tier.rates or (Rate(tier.price, tier.per, tier.increment),))
    return found


def increment_cost(rate: Rate) -> tuple[int, Fraction]:
    """Give the increment in base units, and what one costs in micro-units, exact.

    Raises `Invalid` CATALOGUE_FAULTY for a price of nothing, `ValueError` for what is no quantity.
    """
    per = exact_quantity(rate.per)
    increment = quantity(rate.increment or rate.per)
    if not per or not increment:
        raise Invalid("CATALOGUE_FAULTY", f"a price of {rate.price} per nothing")
    return increment, micro(rate.price) * increment / per


def _denominator(price: Price) -> int:
    amounts = [increment_cost(rate)[1] for rate in _rates_of(price)]
    everything: list[BandRates | Price] = [*price.bands, price]
    for part in everything:
        amounts += [micro(part.connect), micro(part.minimum)]
        amounts += [micro(part.cap.amount)] if part.cap else []
        amounts += [micro(tier.flat) for tier in (part.tiers.steps if part.tiers else ())]
    found = lcm(*(amount.denominator for amount in amounts))
    if found > DENOMINATOR_MAX:
        raise Invalid(
            "CATALOGUE_FAULTY",
            f"the amounts of price {price.id!r} have no common fraction: price its units per 60, per 1 MB or alike",
        )
    return found


def _parts(price: Price) -> list[BandRates]:
    """Give the entries of `bands`, and what holds outside of them."""
    return [*price.bands, BandRates((), price.rates, price.tiers)]


def _in(amount: Fraction, denominator: int) -> int:
    return int(amount * denominator)


def _schedule(part: BandRates, price: Price, rule: str, denominator: int, changed: str) -> Schedule | None:
    label = f"band {', '.join(part.bands)}; " if part.bands else ("other hours; " if price.bands else "")
    if part.tiers is not None:
        counter = Counter(part.tiers.accumulator or rule, PERIODS[part.tiers.over], part.tiers.shared)
        return Schedule((), _tiers(part.tiers, label, denominator, changed), _MODELS[part.tiers.model], counter)
    if not part.rates:
        return None
    return Schedule(_rates(part.rates, label, denominator, changed), (), GRADUATED, None)


def _rates(rates: Iterable[Rate], label: str, denominator: int, changed: str) -> tuple[CompiledRate, ...]:
    compiled = []
    for rate in rates:
        increment, cost = increment_cost(rate)
        start = quantity(rate.start)
        since = f"from {rate.start}; " if start else ""
        detail = f"{label}{since}{rate.price} per {rate.per}, by {rate.increment or rate.per}{changed}"
        compiled.append(CompiledRate(start, increment, _in(cost, denominator), detail))
    return tuple(sorted(compiled, key=lambda rate: rate.start))


def _tiers(tiers: Tiers, label: str, denominator: int, changed: str) -> tuple[CompiledTier, ...]:
    compiled = []
    start = 0
    for tier in tiers.steps:
        # The last tier is open whatever it says: a quantity beyond it must not fall through.
        end = quantity(tier.upto) if tier.upto and tier is not tiers.steps[-1] else OPEN_END
        where = f"{tiers.model} tier {start} to {tier.upto}" if tier.upto else f"{tiers.model} tier over {start}"
        rates = tier.rates or (Rate(tier.price, tier.per, tier.increment),)
        compiled.append(
            CompiledTier(
                start=start,
                end=end,
                flat=_in(micro(tier.flat), denominator),
                rates=_rates(rates, f"{label}{where}; ", denominator, changed),
                flat_detail=f"{label}{where}; flat {tier.flat}{changed}",
            )
        )
        start = end
    return tuple(compiled)

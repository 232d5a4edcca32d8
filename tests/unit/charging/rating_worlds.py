"""Worlds for the oracle: Hypothesis makes a catalogue, an account with a past, and a usage."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from hypothesis import assume
from hypothesis import strategies as st
from msgspec.structs import replace

from charging.base.account import Account, Book
from charging.base.contract import Contract, Subscription
from charging.base.localtime import LocalTime
from charging.base.usage import Usage
from charging.catalogue.document import Catalogue, Overrides, Withdrawn
from charging.catalogue.merge import merge
from charging.catalogue.offers import (
    Accumulator,
    AccumulatorRange,
    Agreement,
    Allowance,
    Discount,
    DiscountWhen,
    ExclusiveGroup,
    Offering,
    RollOver,
    Thresholds,
    ThresholdStep,
)
from charging.catalogue.tariffs import BandRates, Cap, Price, PriceOverride, Rate, Tariff, Tier, Tiers
from charging.catalogue.words import Band, Calendar, Rounding, Service, When
from charging.plans.compile import compile_plan
from charging.plans.plan import Plan
from testkit.ledger import an_account
from tests.unit.charging.rating_oracle import Oracle
from tests.unit.charging.rating_regions import together

ME = "msisdn:8613012345678"
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
QUANTITY_MAX = 3000
DAY_MS = 86_400_000
MODELS = ("graduated", "volume", "package")
N = TypeVar("N")
STARTS = {
    "Asia/Shanghai": ["2026-03-02T17:40", "2026-09-30T23:45", "2026-03-07T05:50", "2026-03-31T23:50"],
    "Europe/Berlin": ["2026-03-29T01:40", "2026-10-25T02:30", "2026-10-25T01:45"],
    "America/New_York": ["2026-03-08T01:45", "2026-11-01T01:30"],
    "Australia/Lord_Howe": ["2026-04-05T01:20", "2026-10-04T01:45"],
}

prices = st.sampled_from(["0.1", "0.01", "0.05", "0.2", "1", "1.5", "0.003", "0.0007", "0"])
pers = st.sampled_from(["1", "3", "7", "10", "60", "1.5", "0.1"])
roundings = st.builds(Rounding, st.sampled_from(["half_up", "half_even", "half_down", "up", "down"]), st.integers(0, 6))
increments = st.sampled_from(["", "1", "6", "10", "30", "60", "7"])
clock = st.sampled_from(
    ["00:00", "01:30", "02:00", "02:15", "02:45", "03:00", "05:55", "17:50", "18:00", "18:10", "23:50"]
)


@dataclass
class World:
    catalogue: Catalogue
    zone: str
    account: Account
    contract: Contract
    usage: Usage
    region: Catalogue | None = None

    @property
    def whole(self) -> Catalogue:
        """What the subscriber meets, by the test's own way of putting nation and region together."""
        return together(self.catalogue, self.region) if self.region else self.catalogue

    def plan(self) -> Plan:
        return compile_plan(merge(self.catalogue, self.region), LocalTime(self.zone))


@st.composite
def divided(draw: st.DrawFn) -> tuple[str, str]:
    """Make what a price is for and its increment, which is whole where that is a part of a unit."""
    per = draw(pers)
    return per, draw(increments.filter(bool) if "." in per else increments)


@st.composite
def rates(draw: st.DrawFn) -> tuple[Rate, ...]:
    starts = sorted(draw(st.sets(st.integers(1, 400), max_size=2)))
    return tuple(Rate(draw(prices), *draw(divided()), str(start)) for start in (0, *starts))


@st.composite
def tiers(draw: st.DrawFn, models: tuple[str, ...]) -> Tiers:
    ends = [str(end) for end in sorted(draw(st.sets(st.integers(1, 900), max_size=2)))]
    steps = tuple(
        Tier(end, draw(prices), *draw(divided()), draw(st.sampled_from(["0", "0", "2"]))) for end in (*ends, "")
    )
    if draw(st.booleans()):
        steps = (*steps[:-1], Tier("", rates=draw(rates())))
    over = draw(st.sampled_from(["call", "day", "week", "month", "cycle", "year", "life"]))
    return Tiers(steps, draw(st.sampled_from(models)), over, shared=draw(st.booleans()))


def either(draw: st.DrawFn, models: tuple[str, ...], shared: Tiers | None) -> tuple[tuple[Rate, ...], Tiers | None]:
    if shared is not None:
        return (), shared
    if draw(st.booleans()):
        return draw(rates()), None
    return (), draw(tiers(models))


@st.composite
def bands(draw: st.DrawFn, zone: str, start_ms: int, within: int) -> tuple[Band, ...]:
    """Make bands of which some border lies within the call, most of the time."""
    found = []
    for number in range(draw(st.sampled_from([2, 1, 3, 0]))):
        moment = datetime.fromtimestamp(start_ms // 1000 + draw(st.integers(within // 8, within)), ZoneInfo(zone))
        near = moment.strftime("%H:%M:%S" if draw(st.booleans()) else "%H:%M")
        start, end = draw(st.permutations([near, draw(clock)]))
        assume(start[:5] != end[:5])
        found.append(
            Band(
                f"band-{number}",
                weekdays=draw(st.sampled_from([(), (), (), ("sat", "sun"), ("mon", "thu", "fri")])),
                start=start,
                end=end,
                calendars=draw(st.sampled_from([(), (), (), ("holidays",)])),
                except_calendars=draw(st.sampled_from([(), (), (), ("holidays",)])),
            )
        )
    return tuple(found)


@st.composite
def price_of(draw: st.DrawFn, named: tuple[Band, ...], models: tuple[str, ...]) -> Price:
    own_rates, own_tiers = either(draw, models, None)
    together = own_tiers if own_tiers is not None and draw(st.booleans()) else None
    groups = []
    for band in named:
        if draw(st.integers(0, 3)):
            band_rates, band_tiers = either(draw, models, together)
            if band_tiers is not None and together is None:
                band_tiers = Tiers(
                    band_tiers.steps, band_tiers.model, band_tiers.over, f"acc-{band.id}", band_tiers.shared
                )
            bounds = (draw(st.sampled_from(["", "", "0", "0.4"])), draw(st.sampled_from(["", "", "0", "0.7"])))
            band_cap = Cap(draw(st.sampled_from(["0.8", "2"])), over=draw(st.sampled_from(["call", "day"])))
            capped = band_cap if draw(st.integers(0, 3)) == 0 else None
            groups.append(BandRates((band.id,), band_rates, band_tiers, *bounds, capped))
    cap = Cap(draw(st.sampled_from(["1", "5", "0.3"])), over=draw(st.sampled_from(["call", "day", "cycle"])))
    return Price(
        "p",
        rates=own_rates,
        tiers=own_tiers,
        bands=tuple(groups),
        band_switch=draw(st.sampled_from(["second", "increment", "increment", "start"])),
        connect=draw(st.sampled_from(["0", "0.15", "1"])),
        connect_always=draw(st.booleans()),
        minimum=draw(st.sampled_from(["0", "0.25"])),
        cap=cap if draw(st.integers(0, 3)) == 0 else None,
        grace=draw(st.sampled_from(["0", "0", "5"])),
        grace_free=draw(st.booleans()),
    )


@st.composite
def discounts(draw: st.DrawFn, steady: bool) -> tuple[Discount, ...]:
    """Make rules; steady ones ask nothing that a longer usage may meet or lose."""
    found = []
    for number in range(draw(st.sampled_from([0, 0, 1, 2, 5]))):
        stage = draw(st.sampled_from(["product", "offering", "subscriber", "account"]))
        effect = draw(
            st.sampled_from(
                [
                    {"percent": "10"},
                    {"percent": "33.3"},
                    {"amount": "0.07"},
                    {"total": "0.5"},
                    {"price": Rate("0.02", "60", "7")},
                    {"thresholds": Thresholds("counted", (ThresholdStep("1", "5"), ThresholdStep("60", "50")))},
                ]
            )
        )
        limit = draw(st.sampled_from([None, None, Cap("0.2"), Cap("0.2", over="cycle")]))
        asked = draw(st.sampled_from([(), (), (AccumulatorRange("counted", "1", "400"),)]))
        found.append(
            Discount(
                f"d{number}",
                stage,
                priority=draw(st.sampled_from([1, 100])),
                limit=limit,
                when=DiscountWhen(
                    accumulators=asked, quantity_min="0" if steady else draw(st.sampled_from(["0", "300"]))
                ),
                exclusive="" if steady else draw(st.sampled_from(["", "first-of", "best-of"])),
                **effect,
            )
        )
    return tuple(found)


@st.composite
def allowances(draw: st.DrawFn, name: str, unit: str, named: tuple[Band, ...]) -> Allowance:
    period = draw(st.sampled_from(["day", "cycle", "cycle", "month", "call", "subscription"]))
    rolls = [None, RollOver(), RollOver("40", "last"), RollOver("70", "first")]
    return Allowance(
        name,
        unit,
        draw(st.sampled_from(["30", "100", "500"])),
        period=period,
        priority=draw(st.sampled_from([1, 100])),
        when=When(bands=draw(st.sampled_from([(), tuple(band.id for band in named[:1])]))),
        increment=draw(st.sampled_from(["1", "10", "60"])),
        shared=draw(st.booleans()),
        member_cap=draw(st.sampled_from(["", "", "50"])),
        roll_over=draw(st.sampled_from(rolls if period not in ("call", "subscription") else [None])),
        prorated=draw(st.booleans()),
    )


@st.composite
def regions(draw: st.DrawFn, nation: Catalogue) -> Catalogue:
    """Make a region that replaces, withdraws and adds, each some of the time."""

    def some(entries: tuple[N, ...]) -> tuple[N, ...]:
        return tuple(entry for entry in entries if draw(st.integers(0, 2)) == 0)

    unit = nation.services[0].unit
    price = draw(price_of(nation.bands, MODELS))
    tariff = replace(nation.tariffs[0], prices=(price,), rounding=draw(st.sampled_from([None, Rounding("up", 1)])))
    over = draw(st.sampled_from(["price", "price", "tariff", ""]))
    offering = nation.offerings[0]
    gone = some(tuple(rule.id for rule in nation.discounts))
    lost = some(tuple(free.id for free in nation.allowances)) if draw(st.booleans()) else ()
    days = draw(st.sampled_from([(), (Calendar("holidays", ("2026-03-02", "2026-03-08")),)]))
    return Catalogue(
        "regional",
        1,
        "GD",
        rounding=draw(st.one_of(st.just(Rounding()), roundings)),
        discounts=draw(st.sampled_from([(), (Discount("of-region", "product", percent="5"),)])),
        overrides=Overrides(
            prices=(PriceOverride("t", price),) if over == "price" else (),
            tariffs=(tariff,) if over == "tariff" else (),
            allowances=tuple(
                draw(allowances(free.id, unit, nation.bands)) for free in some(nation.allowances) if free.id not in lost
            ),
            offerings=some((replace(offering, allowances=offering.allowances[:1], discounts=offering.discounts[1:]),)),
            discounts=tuple(
                Discount(rule.id, rule.stage, percent="7") for rule in some(nation.discounts) if rule.id not in gone
            ),
            bands=tuple(replace(band, start="17:55", end="23:55") for band in some(nation.bands)),
            calendars=days,
        ),
        withdrawn=Withdrawn(discounts=gone, allowances=lost),
    )


@st.composite
def worlds(draw: st.DrawFn, models: tuple[str, ...] = MODELS, *, steady: bool = False, regional: bool = False) -> World:
    unit = draw(st.sampled_from(["second", "second", "second", "event"]))
    zone = draw(st.sampled_from(ZONES))
    start_ms = LocalTime(zone).moment_ms(draw(st.sampled_from(STARTS[zone]))) + draw(st.integers(0, 999_000))
    quantity = draw(st.one_of(st.integers(500, QUANTITY_MAX), st.integers(0, 500)))
    named = draw(bands(zone, start_ms, quantity))
    rules = draw(discounts(steady))
    frees = tuple(
        draw(allowances(f"free-{number}", unit, named)) for number in range(draw(st.sampled_from([0, 0, 1, 2])))
    )
    rounding = draw(roundings)
    ids = {
        stage: tuple(rule.id for rule in rules if rule.stage == stage)
        for stage in ("offering", "subscriber", "account")
    }
    catalogue = Catalogue(
        "generated",
        1,
        rounding=rounding,
        services=(Service("s", unit),),
        calendars=(Calendar("holidays", ("2026-10-01", "2026-03-29", "2026-04-05")),),
        bands=named,
        tariffs=(Tariff("t", "s", (draw(price_of(named, models)),)),),
        allowances=frees,
        offerings=(Offering("o", tariffs=("t",), allowances=tuple(a.id for a in frees), discounts=ids["offering"]),),
        discounts=rules,
        agreements=(Agreement("of-account", ids["account"]),),
        exclusive_groups=(ExclusiveGroup("best-of", "best"),),
        accumulators=(Accumulator("counted", draw(st.sampled_from(["quantity", "events", "amount"])), period="month"),),
    )
    ages = draw(st.sampled_from([(), (), (0,), (2,), (20, 20), (40, 3)]))
    held = tuple(Subscription("o", start_ms - days * DAY_MS - 1) for days in ages) or (Subscription("o"),)
    contract = Contract(ME, "acc", "GD", subscriptions=held, agreements=ids["subscriber"])
    usage = Usage(ME, "s", start_ms, quantity)
    region = draw(regions(catalogue)) if regional else None
    world = World(catalogue, zone, an_account("acc", 1, "GD"), contract, usage, region)
    world.account = draw(accounts(unit, contract, usage, world.whole, zone))
    return world


@st.composite
def accounts(
    draw: st.DrawFn,
    unit: str,
    contract: Contract,
    usage: Usage,
    catalogue: Catalogue,
    zone: str,
) -> Account:
    empty = an_account("acc", 1, "GD", cycle_day=draw(st.sampled_from([1, 15, 28])), agreements=("of-account",))
    oracle = Oracle(catalogue, zone, usage, contract, empty)
    frees = catalogue.allowances
    names = [("counted", "month", False)]
    for free in frees:
        names += [(free.id, free.period, free.shared), (f"{free.id}.rolled", free.period, free.shared)]
        names.append((f"{free.id}.member", free.period, False))
    names += [("t/p/cap", over, False) for over in ("day", "cycle")]
    names += [(f"t/p/cap/{place}", "day", False) for place in range(3)]
    price = catalogue.tariffs[0].prices[0]
    for tier in [price.tiers, *(group.tiers for group in price.bands)]:
        if tier is not None and tier.over != "call":
            names.append((tier.accumulator or "t/p", tier.over, tier.shared))
    names += [(f"{rule.id}.limit", "cycle", False) for rule in catalogue.discounts]
    accumulators = {}
    for name in names:
        amount = draw(st.sampled_from([0, 0, 1, 7, 60, 95, 400, 1000]))
        if "/cap" in name[0] or name[0].endswith(".limit"):
            amount *= 300
        accumulators[oracle.key(*name)] = amount
    for free in frees:
        if free.period == "subscription":
            for held in contract.subscriptions:
                key = oracle.key_of_subscription(free, held.valid_from_ms)
                accumulators[key] = draw(st.sampled_from([0, 0, 10, 95]))
        elif free.period != "call":
            accumulators[oracle.key_before(free)] = draw(st.sampled_from([0, 10, 95, 600]))
    books = [
        Book(
            f"book-{number}",
            unit,
            draw(st.sampled_from([0, 5, 90, 700])),
            priority=draw(st.sampled_from([1, 100])),
            valid_to_ms=draw(st.sampled_from([0, usage.start_ms, usage.start_ms + 1])),
            allowance=draw(st.sampled_from(["", *(a.id for a in frees)])),
        )
        for number in range(draw(st.sampled_from([0, 0, 1, 2])))
    ]
    return an_account(
        "acc",
        1,
        "GD",
        cycle_day=empty.terms.cycle_day,
        agreements=empty.terms.agreements,
        accumulators=accumulators,
        books=(Book("main", "money", 5), *books),
    )

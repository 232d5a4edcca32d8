"""The engine against the oracle: Hypothesis makes catalogues, accounts and usage; and the properties of rating."""

import time
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from charging.base.account import Account
from charging.base.contract import Contract, Subscription
from charging.base.localtime import LocalTime
from charging.base.usage import Charge, Usage
from charging.catalogue.document import Catalogue
from charging.catalogue.offers import Allowance, Offering
from charging.catalogue.tariffs import BandRates, Price, Rate, Tariff, Tier, Tiers
from charging.catalogue.words import Band, Rounding, Service
from charging.rating import explain
from charging.rating.rating import rate
from testkit.ledger import an_account
from tests.unit.charging.rating_oracle import Oracle, rounded
from tests.unit.charging.rating_regions import made_by
from tests.unit.charging.rating_worlds import ME, STARTS, ZONES, World, prices, worlds

SLOW = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def charge_of(world: World, usage: Usage | None = None, account: Account | None = None) -> Charge:
    return rate(world.plan(), usage or world.usage, world.contract, account or world.account)


def exact(charge: Charge) -> Fraction:
    """Give the value before rounding."""
    return explain.total([step for step in charge.steps if step.kind != "rounding"])


@SLOW
@given(worlds())
def test_the_engine_agrees_with_the_oracle(world: World) -> None:
    wanted = Oracle(world.catalogue, world.zone, world.usage, world.contract, world.account).rate()
    charge = charge_of(world)
    assert exact(charge) == wanted.exact, "\n".join(explain.lines(charge))
    assert charge.amount == wanted.amount
    assert dict(charge.takes) == wanted.takes
    assert dict(charge.accruals) == wanted.accruals


@SLOW
@given(worlds(regional=True))
def test_the_engine_agrees_with_the_oracle_in_a_region_and_says_who_made_what(world: World) -> None:
    wanted = Oracle(world.whole, world.zone, world.usage, world.contract, world.account).rate()
    charge = charge_of(world)
    assert exact(charge) == wanted.exact, "\n".join(explain.lines(charge))
    assert charge.amount == wanted.amount
    assert dict(charge.takes) == wanted.takes
    assert dict(charge.accruals) == wanted.accruals
    assert world.region is not None
    regional = made_by(world.region)
    for step in charge.steps:
        if step.kind in ("tariff", "connect", "minimum", "cap", "allowance", "discount", "offering"):
            assert step.origin == regional.get(step.rule, ""), explain.sentence(step)
    told = [step.rule for step in charge.steps if step.kind == "offering"]
    assert told == [offering.id for offering in world.region.overrides.offerings], "the only offering prices everything"


@SLOW
@given(worlds())
def test_steps_are_the_charge_and_it_is_never_negative(world: World) -> None:
    charge = charge_of(world)
    assert explain.adds_up(charge)
    assert charge.amount >= 0
    total = Fraction(0)
    for step in charge.steps:
        total += Fraction(step.numerator, step.denominator)
        assert total >= 0, "no step of an explanation goes below zero"
        assert explain.sentence(step)
    rounding = world.catalogue.rounding or Rounding()
    assert charge.amount == rounded(exact(charge), rounding)


@SLOW
@given(worlds(models=("graduated", "package"), steady=True), st.integers(1, 500))
def test_more_never_costs_less_unless_whole_volume(world: World, more: int) -> None:
    used = world.usage
    longer = Usage(used.identity, used.service, used.start_ms, used.quantity + more)
    assert charge_of(world, longer).amount >= charge_of(world).amount


@SLOW
@given(
    st.sampled_from([1, 6, 10, 60]),
    st.integers(0, 40),
    st.integers(0, 40),
    st.sampled_from(["graduated", "package"]),
    st.sampled_from(["day", "cycle"]),
    st.integers(0, 30),
    st.integers(0, 30),
    st.lists(prices, min_size=3, max_size=3),
)
def test_split_at_an_increment_border_costs_the_same(
    increment: int, first: int, second: int, model: str, over: str, quota: int, counted: int, costs: list[str]
) -> None:
    """Where the tariff counts over a period, and asks nothing of a single call: one piece = two pieces."""
    steps = (
        Tier(str(8 * increment), costs[0], "60", str(increment), "2"),
        Tier(str(20 * increment), costs[1], "60", str(increment)),
        Tier("", costs[2], "60", str(increment)),
    )
    free = Allowance("free", "event", str(quota * increment), increment=str(increment))
    catalogue = Catalogue(
        "split",
        1,
        services=(Service("s", "event"),),
        tariffs=(Tariff("t", "s", (Price("p", tiers=Tiers(steps, model, over)),)),),
        allowances=(free,),
        offerings=(Offering("o", tariffs=("t",), allowances=("free",)),),
    )
    usage = Usage(ME, "s", 1_772_000_000_000, (first + second) * increment + (increment > 1))
    contract = Contract(ME, "acc", "GD", subscriptions=(Subscription("o"),))
    period = LocalTime("Asia/Shanghai")
    key = Oracle(catalogue, period.zone, usage, contract, an_account("acc", 1, "GD")).key("t/p", over, False)
    start = an_account("acc", 1, "GD", accumulators={key: counted * increment})
    world = World(catalogue, period.zone, start, contract, usage)
    head = charge_of(world, Usage(ME, "s", usage.start_ms, first * increment))
    later = dict(start.accumulators)
    for name, units in head.accruals:
        later[name] = later.get(name, 0) + units
    rest = Usage(ME, "s", usage.start_ms, usage.quantity - first * increment)
    tail = charge_of(world, rest, an_account("acc", 2, "GD", accumulators=later))
    assert exact(head) + exact(tail) == exact(charge_of(world))


@SLOW
@given(
    st.sampled_from(ZONES),
    st.data(),
    st.sampled_from([1, 6, 60]),
    st.integers(0, 60),
    st.integers(1, 60),
    st.booleans(),
)
def test_a_call_split_at_an_increment_border_costs_the_same(
    zone: str, data: st.DataObject, increment: int, first: int, second: int, free: bool
) -> None:
    """By the second over bands, or in whole increments: where a call asks nothing of its beginning, two are as one."""
    costs = data.draw(st.lists(prices, min_size=3, max_size=3))
    start_ms = LocalTime(zone).moment_ms(data.draw(st.sampled_from(STARTS[zone])))
    bands = (Band("late", start="17:50", end="24:00"), Band("early", start="00:00", end="02:15"))
    rates = [(Rate(cost, "60", str(increment)),) for cost in costs]
    groups = (BandRates(("late",), rates[1]), BandRates(("early",), rates[2])) if increment == 1 else ()
    allowance = Allowance("free", "second", str(30 * increment), period="life", increment=str(increment))
    catalogue = Catalogue(
        "split",
        1,
        services=(Service("s", "second"),),
        bands=bands,
        tariffs=(Tariff("t", "s", (Price("p", rates=rates[0], bands=groups),)),),
        allowances=(allowance,),
        offerings=(Offering("o", tariffs=("t",), allowances=("free",) if free else ()),),
    )
    contract = Contract(ME, "acc", "GD", subscriptions=(Subscription("o"),))
    whole = Usage(ME, "s", start_ms, (first + second) * increment)
    world = World(catalogue, zone, an_account("acc", 1, "GD"), contract, whole)
    head = charge_of(world, Usage(ME, "s", start_ms, first * increment))
    later = an_account("acc", 2, "GD", accumulators=dict(head.accruals))
    tail = charge_of(world, Usage(ME, "s", start_ms + first * increment * 1000, second * increment), later)
    assert exact(head) + exact(tail) == exact(charge_of(world))


def long_call(seconds: int) -> tuple[World, Usage]:
    price = Price("p", rates=(Rate("0.1", "60"), Rate("0.1", "60", "1", "60")))
    catalogue = Catalogue(
        "long",
        1,
        services=(Service("s", "second"),),
        tariffs=(Tariff("t", "s", (price,)),),
        offerings=(Offering("o", tariffs=("t",)),),
    )
    contract = Contract(ME, "acc", "GD", subscriptions=(Subscription("o"),))
    usage = Usage(ME, "s", 0, seconds)
    return World(catalogue, "Asia/Shanghai", an_account("acc", 1, "GD"), contract, usage), usage


def test_a_day_by_the_second_has_as_many_steps_as_a_minute() -> None:
    world, day_long = long_call(86_400)
    short, day = charge_of(world, long_call(90)[1]), charge_of(world, day_long)
    assert len(short.steps) == len(day.steps) == 2
    assert day.amount == 144_000_000
    assert not day.depends


def test_a_day_by_the_second_takes_as_long_as_a_minute() -> None:
    """A loop over increments would take a thousand times as long; a noisy machine not five times."""
    world, day = long_call(86_400)
    plan, minute = world.plan(), long_call(90)[1]

    def best(usage: Usage) -> int:
        runs = []
        for _ in range(9):
            started = time.process_time_ns()
            for _ in range(200):
                rate(plan, usage, world.contract, world.account)
            runs.append(time.process_time_ns() - started)
        return min(runs)

    assert best(day) < 5 * best(minute)

"""Rating by columns is rating record by record, equal to the micro-unit, the counter and the step, or left to it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import polars as pl
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from authoring.files import read_folder
from charging.base.account import Account
from charging.base.contract import Contract, Subscription
from charging.base.localtime import LocalTime
from charging.base.usage import Charge, Usage
from charging.catalogue.document import Catalogue, pack
from charging.catalogue.merge import merge
from charging.catalogue.offers import Discount, Offering
from charging.catalogue.published import CatalogueRef
from charging.catalogue.tariffs import Price, Rate, Tariff, Tier, Tiers
from charging.catalogue.words import Rounding, Service
from charging.errors import Fault
from charging.plans.compile import compile_plan
from charging.plans.plan import Plan
from charging.plans.timeline import Timeline
from charging.rating.rating import rate_sum
from charging.rating.restating import PastUse, PlanOf, restated
from console.frontend.rerating import ways_text
from mediation.columns.chunk import MAGNITUDE, USES, AccountState
from mediation.columns.rater import ColumnRater, RatedColumns
from mediation.rerating.bycolumns import Anew, Restater, Ways
from testkit.ledger import an_account
from tests.unit.charging.rating_worlds import ME, World, worlds

SHE = "msisdn:8613012345679"
HOUR_MS = 3_600_000
SLOW = settings(
    max_examples=70, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def always(plan: Plan) -> PlanOf:
    return lambda time_ms: plan


def frame_of(account_id: str, usages: Sequence[Usage]) -> pl.DataFrame:
    rows = [
        (account_id, use.identity, use.service, use.start_ms, use.quantity, use.other_party, use.visited, told(use))
        for use in usages
    ]
    return pl.DataFrame(rows, schema=USES, orient="row")


def told(usage: Usage) -> str:
    return msgspec.json.encode(usage.attributes).decode() if usage.attributes else ""


def one_by_one(
    plan_of: PlanOf, account: Account, contracts: Mapping[str, Contract], usages: Sequence[Usage]
) -> tuple[list[Charge], dict[str, int]]:
    """Rate uses as the row engine does, each on what those before it left. Raises what it raises."""
    counters = dict(account.accumulators)
    running, charges = replace(account, accumulators=counters), []
    for usage in usages:
        charge = rate_sum(plan_of(usage.start_ms), usage, contracts[usage.identity], running)
        for key, added in charge.accruals:
            counters[key] = counters.get(key, 0) + added
        taken = dict(charge.takes)
        running = replace(
            running,
            books=tuple(replace(book, amount=book.amount - taken.get(book.book_id, 0)) for book in running.books),
        )
        charges.append(charge)
    added = {key: value - account.accumulators.get(key, 0) for key, value in counters.items()}
    return charges, {key: value for key, value in added.items() if value}


def assert_as_the_row_engine(plan_of: PlanOf, state: AccountState, usages: Sequence[Usage]) -> RatedColumns:
    """Rate by columns; where they rate, all must be as the row engine has it."""
    found = ColumnRater(plan_of).rate(frame_of("acc", usages), {"acc": state}, traced=True)
    try:
        charges, counted = one_by_one(plan_of, state.account, state.contracts, usages)
    except Fault:
        assert "acc" in found.left, "what has no price is the row engine's to refuse"
        return found
    if "acc" not in found.left:
        assert found.amount.tolist() == [charge.amount for charge in charges]
        assert totals(found.counted("acc")) == counted
        assert [found.charge(row) for row in range(len(usages))] == charges
    return found


def totals(counted: Mapping[int, Mapping[str, int]]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for some in counted.values():
        for key, added in some.items():
            sums[key] = sums.get(key, 0) + added
    return sums


def state_of(world: World) -> AccountState:
    plan = world.plan()
    terms = replace(world.account.terms, zone=world.zone, currency=plan.currency)
    account = replace(world.account, terms=terms, members=(ME, SHE))
    return AccountState(account, {ME: world.contract, SHE: replace(world.contract, identity=SHE)})


def simpler(world: World) -> World:
    """Take out of a world what columns never rate, so that most of it is theirs."""
    catalogue = world.catalogue
    rules = tuple(
        replace(rule, limit=None, when=replace(rule.when, quantity_min="0"))
        for rule in catalogue.discounts
        if rule.percent or rule.thresholds is not None
    )
    tariff = catalogue.tariffs[0]
    counts = replace(catalogue.accumulators[0], counts=SIMPLER.get(catalogue.accumulators[0].counts, "charged"))
    main = tuple(book for book in world.account.books if book.unit == "money")
    tens = {key: value - value % 10 for key, value in world.account.accumulators.items()}
    return replace_world(
        world,
        replace(
            catalogue,
            discounts=rules,
            accumulators=(counts,),
            tariffs=(replace(tariff, prices=tuple(aligned(price) for price in tariff.prices)),),
        ),
        replace(world.account, books=main, accumulators=tens),
    )


SIMPLER = {"events": "events", "quantity": "quantity"}


def replace_world(world: World, catalogue: Catalogue, account: Account) -> World:
    return World(catalogue, world.zone, account, world.contract, world.usage)


def aligned(price: Price) -> Price:
    """Let tiers begin where an increment does, and have one increment."""

    def tens(tiers: Tiers | None) -> Tiers | None:
        if tiers is None:
            return None
        steps = tuple(
            Tier(str(10 * place + 10) if tier.upto else "", tier.price or "0.1", "60", "10", tier.flat)
            for place, tier in enumerate(tiers.steps)
        )
        return replace(
            tiers,
            steps=steps,
            model="volume" if tiers.model == "volume" else "graduated",
            over="cycle" if tiers.over == "call" else tiers.over,
        )

    bands = tuple(replace(part, tiers=tens(part.tiers)) for part in price.bands)
    return replace(price, tiers=tens(price.tiers), bands=bands)


USES_OF_A_WORLD = st.lists(
    st.tuples(
        st.sampled_from([ME, ME, SHE]), st.integers(0, 60 * HOUR_MS), st.sampled_from([0, 1, 5, 29, 60, 61, 400, 2900])
    ),
    min_size=1,
    max_size=12,
)


@SLOW
@given(worlds(regional=True), USES_OF_A_WORLD)
def test_columns_are_the_row_engine_or_leave_the_account_to_it(world: World, uses: list[tuple[str, int, int]]) -> None:
    usages = [
        replace(world.usage, identity=who, start_ms=world.usage.start_ms + after_ms, quantity=quantity)
        for who, after_ms, quantity in sorted(uses, key=lambda use: use[1])
    ]
    found = assert_as_the_row_engine(always(world.plan()), state_of(world), usages)
    event(found.left.get("acc", "by columns"))


@settings(SLOW, max_examples=120)
@given(worlds(), USES_OF_A_WORLD)
def test_what_columns_are_for_they_rate_as_the_row_engine_does(world: World, uses: list[tuple[str, int, int]]) -> None:
    usages = [
        replace(world.usage, identity=who, start_ms=world.usage.start_ms + after_ms, quantity=quantity)
        for who, after_ms, quantity in sorted(uses, key=lambda use: use[1])
    ]
    found = assert_as_the_row_engine(always(simpler(world).plan()), state_of(simpler(world)), usages)
    event(found.left.get("acc", "by columns"))


PAST = st.lists(
    st.tuples(st.sampled_from([ME, SHE]), st.integers(0, 1_000 * HOUR_MS), st.integers(0, 900), st.booleans()),
    min_size=1,
    max_size=12,
)


@settings(SLOW, max_examples=30)
@given(worlds(), PAST)
def test_a_restatement_by_columns_is_that_of_the_row_engine(
    world: World, uses: list[tuple[str, int, int, bool]]
) -> None:
    """Over several billing periods, with uses that were charged wrongly, and sums of earlier restatements."""
    plan, state = simpler(world).plan(), state_of(simpler(world))
    begin_ms = world.usage.start_ms
    past = [
        PastUse(
            replace(world.usage, identity=who, start_ms=begin_ms + after_ms, quantity=quantity) if rated else None,
            begin_ms + after_ms,
            quantity,
            "s",
            who,
            0,
            (("counted|x@20260301", quantity),),
            (),
        )
        for who, after_ms, quantity, rated in sorted(uses, key=lambda use: use[1])
    ]
    restater = Restater(lambda time_ms: plan, ColumnRater(lambda time_ms: plan))
    (found,) = restater.restate([Anew(state.account, state.contracts, past, past[:1])])
    expected = restated(state.account, state.contracts, past, past[:1], lambda time_ms: plan)
    assert (found.before, found.after, found.uses) == (expected.before, expected.after, expected.uses)
    for one, other in ((found.lines, expected.lines), (found.counters, expected.counters), (found.takes, ())):
        assert sorted(one, key=repr) == sorted(other, key=repr)
    assert restater.ways.by_columns + sum(restater.ways.by_rows.values()) == len(found.uses)


def test_the_share_that_the_row_engine_took_is_told_with_the_reasons() -> None:
    ways = Ways(by_columns=900)
    ways.add(Ways(50, {"spending limits": 40}))
    ways.add(Ways(0, {"spending limits": 5, "uses that stay as they were": 5}))
    assert ways_text(ways) == (
        "950 uses rated by columns, 5.0% of all one by one, 45 for spending limits, 5 for uses that stay as they were"
    )


@pytest.mark.parametrize("quantity", [1 << 33, 1 << 39, 1 << 41, 1 << 55])
@pytest.mark.parametrize("price", ["0.001", "999999", "0.3333333"])
def test_what_would_grow_past_a_word_is_left_to_the_row_engine(quantity: int, price: str) -> None:
    catalogue = Catalogue(
        "large",
        1,
        rounding=Rounding("half_even", 6),
        services=(Service("data", "byte", quantity_max=str(1 << 60)),),
        tariffs=(Tariff("t", "data", (Price("p", rates=(Rate(price, "1 KB", "7"),)),)),),
        offerings=(Offering("o", tariffs=("t",), discounts=("d",)),),
        discounts=(Discount("d", "offering", percent="33.333333"),),
    )
    plan = compile_plan(merge(catalogue), LocalTime("Asia/Shanghai"))
    account = an_account("acc", 1, "GD", members=(ME,), zone="Asia/Shanghai", currency=plan.currency)
    state = AccountState(account, {ME: Contract(ME, "acc", "GD", subscriptions=(Subscription("o"),))})
    usages = [Usage(ME, "data", 1_772_000_000_000 + place, quantity + place) for place in range(3)]
    found = assert_as_the_row_engine(always(plan), state, usages)
    assert found.left.get("acc", MAGNITUDE) == MAGNITUDE
    assert ("acc" in found.left) or quantity < 1 << 41


ZONE = "Asia/Shanghai"
BEGIN_MS = LocalTime(ZONE).moment_ms("2026-09-20T21:30:00")
DEARER_MS = LocalTime(ZONE).moment_ms("2026-10-07T00:00:00")
FAMILY = "msisdn:8613012345670"
PARTIES = (
    "", FAMILY, ME, SHE, "msisdn:8613912345678", "msisdn:+8613912345678", "msisdn:008613912345678", "tel:8613800000000",
    "msisdn:10086", "msisdn:110", "msisdn:8610086", "msisdn:861008612", "msisdn:86110", "msisdn:861101", "msisdn:85212",
    "msisdn:8190312345678", "msisdn:14155550123", "msisdn:1234567", "msisdn:12345678", "msisdn:0123456789", "sip:a@b",
    "msisdn:*100#", "msisdn:86", "msisdn:8", "msisdn:99999999999999999999", "msisdn:01234", "8613912345678",
)  # fmt: skip
OFFERINGS = ("mobile-basic", "mobile-59", "mobile-129", "family-bundle", "family-calls", "data-pack-5g", "fixed-line",
             "broadband-metered")  # fmt: skip


def published(region: str) -> Timeline:
    """Give the sample catalogues of a region; from a day on national calls are dearer, and an allowance is larger."""
    found = []
    for one in read_folder(Path(__file__).parents[3] / "catalogues").catalogues:
        found.append(CatalogueRef(one.domain, one.version, 0, pack(one)))
        if not one.domain:
            text = pack(one).replace(b"0.25", b"0.31").replace(b"100 min", b"120 min")
            found.append(CatalogueRef("", one.version + 1, DEARER_MS, text))
    return Timeline.build(found, region, ZONE)


TIMELINES = {region: published(region) for region in ("BJ", "GD", "SC", "SD", "TJ", "XJ", "ZJ")}
HELD = st.lists(
    st.tuples(st.sampled_from(OFFERINGS), st.sampled_from([0, 0, 0, 3, 12]), st.sampled_from([0, 0, 0, 9, 25])),
    min_size=1,
    max_size=4,
)
"""Offering, and on which days it begins and ends; 0 = before all uses, and never."""
SAMPLE_USES = st.lists(
    st.tuples(
        st.sampled_from([ME, ME, SHE]),
        st.sampled_from(["voice", "voice", "data", "data", "sms", "fixed", "broadband"]),
        st.integers(0, 40 * 24 * HOUR_MS),
        st.integers(1, 5_000),
        st.sampled_from(PARTIES),
        st.sampled_from(["", "", "", "", "GD", "BJ", "HK-CSL", "JP-DOCOMO", "46000"]),
    ),
    min_size=1,
    max_size=40,
)


@settings(SLOW, max_examples=50)
@given(
    st.sampled_from(sorted(TIMELINES)),
    HELD,
    st.sampled_from([1, 5, 28, 31]),
    st.sampled_from(["gold", "silver", ""]),
    st.sampled_from([(), ("corporate-voice",)]),
    SAMPLE_USES,
)
def test_cycles_of_the_sample_country_are_rated_as_the_row_engine_does(
    region: str,
    held: list[tuple[str, int, int]],
    cycle_day: int,
    grade: str,
    agreements: tuple[str, ...],
    uses: list[tuple[str, str, int, int, str, str]],
) -> None:
    """Whatever is dialled wherever, over two or three cycles, while subscriptions begin and end and prices change."""
    day = 24 * HOUR_MS
    subscriptions = tuple(
        Subscription(name, BEGIN_MS + begins * day if begins else 0, BEGIN_MS + ends * day if ends else 0)
        for name, begins, ends in held
    )
    mine = Contract(ME, "acc", region, subscriptions=subscriptions, groups={"family": (FAMILY,)})
    account = an_account(
        "acc", 1, region, members=(ME, SHE), zone=ZONE, currency="CNY", cycle_day=cycle_day, agreements=agreements,
        customer_attributes={"grade": grade},
    )  # fmt: skip
    usages = [
        Usage(who, service, BEGIN_MS + after_ms, quantity * SIZES.get(service, 1), party, visited)
        for who, service, after_ms, quantity, party, visited in sorted(uses, key=lambda use: use[2])
    ]
    plan_of = TIMELINES[region].plan_at
    # What has no price is the row engine's alone: without it the rest is compared.
    priced = [
        usage for usage in usages if is_priced(plan_of, usage, account, {ME: mine, SHE: replace(mine, identity=SHE)})
    ]
    state = AccountState(account, {ME: mine, SHE: replace(mine, identity=SHE, groups={})})
    found = assert_as_the_row_engine(plan_of, state, priced)
    event(found.left.get("acc", "by columns"))


SIZES = {"data": 300_000, "broadband": 3_000_000}


def is_priced(plan_of: PlanOf, usage: Usage, account: Account, contracts: Mapping[str, Contract]) -> bool:
    try:
        rate_sum(plan_of(usage.start_ms), usage, contracts[usage.identity], account)
    except Fault:
        return False
    return True

"""Spending limits: the owner counts what members spend, refuses what would pass, and says when it begins anew."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from charging.base.account import Account, SpendingLimit
from charging.base.contract import Contract, Subscription
from charging.base.localtime import LocalTime
from charging.base.spending import resets_ms, spent
from charging.base.usage import Charge, Usage
from charging.catalogue.document import Catalogue
from charging.catalogue.merge import merge
from charging.catalogue.offers import Allowance, Offering
from charging.catalogue.tariffs import Price, Rate, Tariff
from charging.catalogue.words import Service, When
from charging.errors import Refused
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.set_spending_limit import LIMITS_MAX, SetSpendingLimit
from charging.ledger.effect import VersionMoved
from charging.ledger.ledger import available_view, seal
from charging.plans.compile import compile_plan
from charging.rating import rating
from charging.rating.pieces import piece_end
from charging.rating.quotas import quota_terms
from charging.rating.session_asks import Pricing, SessionAsk, UnitAsk
from charging.rating.sessions import plan
from testkit.ledger import START_MS, Desk, contract_of, opening

MOTHER, CHILD = "msisdn:8613000000001", "msisdn:8613000000002"
ZONE = "Asia/Shanghai"
LOCAL = LocalTime(ZONE)
YUAN = 1_000_000
NOON = LOCAL.moment_ms("2027-01-18T12:00")
MIDNIGHT = LOCAL.moment_ms("2027-01-19")
DAY = SpendingLimit("pocket", CHILD, "day", 5 * YUAN, (), "", 80)
CATALOGUE = Catalogue(
    "limits",
    1,
    currency="CNY",
    services=(Service("data", "byte"), Service("sms", "event")),
    tariffs=(
        Tariff("d", "data", (Price("p", rates=(Rate("1", "1000000 B"),)),)),
        Tariff("s", "sms", (Price("p", rates=(Rate("1"),)),)),
    ),
    allowances=(Allowance("abroad", "money", "0", when=When(visited=("away",))),),
    offerings=(Offering("plan", tariffs=("d", "s")),),
)
PLAN = compile_plan(merge(CATALOGUE), LOCAL)
PRICING = Pricing(
    lambda _: PLAN, rating.rate_sum, rating.rate_quota, rating.quantity_max, rating.next_switch, piece_end, quota_terms
)


def family(*limits: SpendingLimit, money: int = 100 * YUAN) -> Desk:
    desk = Desk()
    desk.now_ms = NOON
    desk.do(MOTHER, replace(opening(MOTHER, money), zone=ZONE))
    desk.do(MOTHER, SetContract(contract_of(CHILD, MOTHER)))
    for limit in limits:
        desk.do(MOTHER, SetSpendingLimit(limit, False))
    return desk


def contract(member: str) -> Contract:
    return Contract(member, MOTHER, "GD", subscriptions=(Subscription("plan"),))


def rated(account: Account, member: str, pieces: int, at_ms: int = NOON, visited: str = "") -> tuple[Usage, Charge]:
    usage = Usage(member, "sms", at_ms, pieces, "", visited)
    return usage, rating.rate(PLAN, usage, contract(member), available_view(account))


def spend(desk: Desk, member: str, yuan: int, at_ms: int = NOON, visited: str = "") -> tuple[str, ...]:
    account = desk.accounts[MOTHER]
    desk.now_ms = max(desk.now_ms, at_ms)
    usage, charge = rated(account, member, yuan, at_ms, visited)
    return desk.do(MOTHER, PostCharge(usage, seal(charge), account.version, account.mark)).notices


def refusal(desk: Desk, member: str, yuan: int, at_ms: int = NOON, visited: str = "") -> Refused:
    with pytest.raises(Refused) as found:
        spend(desk, member, yuan, at_ms, visited)
    return found.value


def test_beyond_the_limit_is_refused_with_when_it_begins_anew_and_others_go_on() -> None:
    desk = family(DAY)
    spend(desk, CHILD, 3)
    told = refusal(desk, CHILD, 3)
    assert told.reason == "SPENDING_LIMIT_REACHED"
    assert told.facts == {
        "limit": "pocket",
        "most": str(5 * YUAN),
        "spent": str(3 * YUAN),
        "asked": str(3 * YUAN),
        "resets_ms": str(MIDNIGHT),
    }
    spend(desk, MOTHER, 50)
    spend(desk, CHILD, 2)
    assert spent(desk.accounts[MOTHER], DAY, NOON) == 5 * YUAN
    spend(desk, CHILD, 5, MIDNIGHT)


def test_marks_are_told_once_each_as_spending_passes_them() -> None:
    desk = family(DAY)
    assert spend(desk, CHILD, 3) == ()
    assert spend(desk, CHILD, 1) == ("spending:pocket",)
    assert spend(desk, CHILD, 1) == ("spending-reached:pocket",)


def test_a_limit_of_the_account_holds_for_all_members_together_over_the_cycle() -> None:
    whole = SpendingLimit("house", "", "cycle", 10 * YUAN, (), "", 0)
    desk = family(whole)
    spend(desk, MOTHER, 6)
    told = refusal(desk, CHILD, 6, MIDNIGHT)
    assert told.facts["resets_ms"] == str(LOCAL.moment_ms("2027-02-01"))
    spend(desk, CHILD, 6, LOCAL.moment_ms("2027-02-01T00:00"))


def test_members_who_spend_at_once_on_what_they_saw_can_not_pass_together() -> None:
    desk = family(SpendingLimit("house", "", "day", 5 * YUAN, (), "", 0))
    seen = desk.accounts[MOTHER]
    both = [rated(seen, member, 3) for member in (MOTHER, CHILD)]
    assert not any(charge.depends for _, charge in both)
    posts = [PostCharge(usage, seal(charge), seen.version, seen.mark) for usage, charge in both]
    desk.do(MOTHER, posts[0])
    with pytest.raises(Refused, match="may spend"):
        desk.do(MOTHER, posts[1])
    assert spent(desk.accounts[MOTHER], seen.terms.limits[0], NOON) == 3 * YUAN


def test_what_was_rated_before_there_was_a_limit_is_rated_again() -> None:
    desk = family()
    seen = desk.accounts[MOTHER]
    usage, charge = rated(seen, CHILD, 9)
    desk.do(MOTHER, SetSpendingLimit(DAY, False))
    with pytest.raises(VersionMoved):
        desk.do(MOTHER, PostCharge(usage, seal(charge), seen.version, seen.mark))


def test_services_and_scopes_bound_what_is_counted() -> None:
    abroad = SpendingLimit("abroad", "", "day", 2 * YUAN, (), "abroad", 0)
    data = SpendingLimit("data", "", "day", 0, ("data",), "", 0)
    desk = family(abroad, data)
    spend(desk, CHILD, 9)
    spend(desk, CHILD, 2, visited="HK-CSL")
    assert refusal(desk, CHILD, 1, visited="HK-CSL").facts["limit"] == "abroad"
    ask = SessionAsk("s", "create", 0, CHILD, (UnitAsk("data", 9, 0, NOON),), NOON + 60_000, NOON)
    step = plan(PRICING, desk.accounts[MOTHER], contract(CHILD), ask)
    with pytest.raises(Refused) as found:
        desk.do(MOTHER, step)
    assert (found.value.reason, found.value.facts["limit"]) == ("SPENDING_LIMIT_REACHED", "data")


def session(desk: Desk, name: str, operation: str, number: int, unit: UnitAsk | None, member: str = CHILD) -> None:
    account = desk.accounts[MOTHER]
    units = (unit,) if unit is not None else ()
    ask = SessionAsk(name, operation, number, member, units, desk.now_ms + 60_000, desk.now_ms)
    desk.do(MOTHER, plan(PRICING, account, contract(member), ask))


def granted(desk: Desk, name: str) -> int:
    return next(s.holds[0].granted for s in desk.accounts[MOTHER].open.sessions if s.session_id == name)


def test_what_sessions_keep_counts_as_spent_until_it_is_reported() -> None:
    desk = family(DAY)
    session(desk, "one", "create", 0, UnitAsk("data", 4_000_000, 0, NOON))
    session(desk, "two", "create", 0, UnitAsk("data", 4_000_000, 0, NOON))
    assert (granted(desk, "one"), granted(desk, "two")) == (4_000_000, 1_000_000)
    assert refusal(desk, CHILD, 1).facts["spent"] == str(5 * YUAN)
    session(desk, "one", "release", 1, UnitAsk("data", 0, 1_000_000, 0))
    spend(desk, CHILD, 3)
    assert refusal(desk, CHILD, 1).reason == "SPENDING_LIMIT_REACHED"


def test_a_limit_that_changes_during_a_session_holds_for_its_next_quota() -> None:
    desk = family(DAY)
    session(desk, "one", "create", 0, UnitAsk("data", 2_000_000, 0, NOON))
    desk.do(MOTHER, SetSpendingLimit(replace(DAY, amount=3 * YUAN), False))
    session(desk, "one", "update", 1, UnitAsk("data", 5_000_000, 2_000_000, 0))
    assert granted(desk, "one") == 1_000_000
    desk.do(MOTHER, SetSpendingLimit(replace(DAY, amount=YUAN), False))
    session(desk, "one", "update", 2, UnitAsk("data", 5_000_000, 1_000_000, 0))
    assert granted(desk, "one") == 0
    desk.do(MOTHER, SetSpendingLimit(DAY, True))
    session(desk, "one", "update", 3, UnitAsk("data", 5_000_000, 0, 0))
    assert granted(desk, "one") == 5_000_000
    session(desk, "one", "release", 4, UnitAsk("data", 0, 0, 0))
    assert desk.accounts[MOTHER].accumulators == {}


def test_a_limit_that_counts_something_else_begins_at_nothing_and_one_that_is_raised_goes_on() -> None:
    desk = family(DAY)
    spend(desk, CHILD, 4)
    desk.do(MOTHER, SetSpendingLimit(replace(DAY, amount=6 * YUAN), False))
    assert refusal(desk, CHILD, 3).facts["spent"] == str(4 * YUAN)
    desk.do(MOTHER, SetSpendingLimit(replace(DAY, services=("sms",)), False))
    spend(desk, CHILD, 5)


def test_limits_that_can_not_be_are_refused_and_nothing_moves() -> None:
    desk = family(DAY)
    before = desk.accounts[MOTHER]
    for limit, remove, reason in (
        (replace(DAY, member="msisdn:8613999999999"), False, "MEMBER_UNKNOWN"),
        (replace(DAY, limit_id="other"), True, "LIMIT_UNKNOWN"),
    ):
        with pytest.raises(Refused) as found:
            desk.do(MOTHER, SetSpendingLimit(limit, remove))
        assert (found.value.reason, desk.accounts[MOTHER]) == (reason, before)
    many = family(*[replace(DAY, limit_id=f"l{number}") for number in range(LIMITS_MAX)])
    with pytest.raises(Refused) as found:
        many.do(MOTHER, SetSpendingLimit(DAY, False))
    assert found.value.reason == "LIMITS_FULL"


@given(st.integers(0, 2**32), st.integers(1, 20))
@settings(max_examples=60)
def test_no_order_of_charges_and_sessions_passes_a_limit_without_use_beyond_quota(seed: int, most: int) -> None:
    chance = random.Random(seed)
    limit = SpendingLimit("house", "", "day", most * YUAN, (), "", 50)
    desk = family(limit)
    steps: dict[str, tuple[int, int]] = {}
    reasons: set[str] = set()
    for number in range(20):
        try:
            if chance.random() < 0.5:
                spend(desk, chance.choice((MOTHER, CHILD)), chance.randint(1, 4))
            elif not steps or chance.random() < 0.4:
                name = f"s{number}"
                session(desk, name, "create", 0, UnitAsk("data", chance.randint(1, 8_000_000), 0, NOON))
                steps[name] = (0, granted(desk, name))
            else:
                name = chance.choice(sorted(steps))
                last, quota = steps[name]
                unit = UnitAsk("data", chance.randint(0, 4_000_000), chance.randint(0, quota), 0)
                session(desk, name, "update", last + 1, unit)
                steps[name] = (last + 1, granted(desk, name))
        except Refused as refused:
            reasons.add(refused.reason)
        assert spent(desk.accounts[MOTHER], limit, NOON) <= limit.amount
    assert reasons <= {"SPENDING_LIMIT_REACHED"}
    before = desk.accounts
    desk.crash()
    assert desk.accounts == before
    assert resets_ms(desk.accounts[MOTHER], limit, START_MS) > START_MS

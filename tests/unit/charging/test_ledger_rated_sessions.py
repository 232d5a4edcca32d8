"""Sessions under the real rating: connect fee, free minutes, a tariff switch at 18:00, two services in one session."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from charging.base.account import MAIN_BOOK, MONEY, Account, Book
from charging.base.contract import Contract, Subscription
from charging.base.localtime import LocalTime
from charging.base.usage import Usage
from charging.catalogue.document import from_plain, pack
from charging.ledger import ledger
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.post_charge import PostCharge
from charging.plans.plan import Plan
from charging.plans.timeline import Timeline
from charging.rating.pieces import piece_end
from charging.rating.quotas import quota_terms
from charging.rating.rating import next_switch, quantity_max, rate, rate_quota, rate_sum
from charging.rating.session_asks import Pricing, SessionAsk, UnitAsk
from charging.rating.sessions import plan
from charging.wire import CatalogueRef, SessionOutcome
from testkit.ledger import Desk

ME = "msisdn:8613012345678"
ZONE = "Asia/Shanghai"
START_MS = LocalTime(ZONE).moment_ms("2026-03-02T17:50")
SWITCH_MS = LocalTime(ZONE).moment_ms("2026-03-02T18:00")
SNIPPET = {
    "catalogue": "sessions",
    "version": "1",
    "currency": "CNY",
    "rounding": {"mode": "half_up", "places": "4"},
    "services": [{"id": "voice", "unit": "second"}, {"id": "data", "unit": "byte"}],
    "bands": [{"id": "day", "to": "18:00"}],
    "tariffs": [
        {
            "id": "call",
            "service": "voice",
            "standard": "true",
            "prices": [
                {
                    "id": "p",
                    "connect": "0.1",
                    "bands": [{"bands": ["day"], "rates": [{"price": "0.6", "per": "60"}]}],
                    "rates": [{"price": "0.07", "per": "7"}],
                }
            ],
        },
        {
            "id": "net",
            "service": "data",
            "standard": "true",
            "prices": [{"id": "p", "rates": [{"price": "5", "per": "1 GB", "increment": "1 MB"}]}],
        },
    ],
    "allowances": [{"id": "minutes", "unit": "second", "quota": "4 min", "when": {"services": ["voice"]}}],
    "offerings": [{"id": "plan", "services": ["voice", "data"], "allowances": ["minutes"]}],
}


def timeline() -> Timeline:
    catalogue = from_plain(SNIPPET)
    return Timeline.build([CatalogueRef("", 1, 0, pack(catalogue))], "GD", ZONE)


LINE = timeline()
PRICING: Pricing[Plan] = Pricing(LINE.plan_at, rate_sum, rate_quota, quantity_max, next_switch, piece_end, quota_terms)
CONTRACT = Contract(ME, ME, "GD", subscriptions=(Subscription("plan"),))


def opened(money: int) -> Desk:
    desk = Desk()
    desk.now_ms = START_MS
    books = (Book(MAIN_BOOK, MONEY, money),)
    desk.do(ME, OpenAccount(ME, "", "prepaid", "CNY", 0, 1, CONTRACT, books, {}, {}, (), carried=True))
    return desk


def step(desk: Desk, operation: str, invocation: int, *units: UnitAsk) -> SessionOutcome:
    ask = SessionAsk("s", operation, invocation, ME, units, START_MS + 10**7)
    done = desk.do(ME, plan(PRICING, desk.accounts[ME], CONTRACT, ask))
    assert done.detail is not None
    return msgspec.msgpack.decode(done.detail, type=SessionOutcome)


def one_piece(account: Account, seconds: int, service: str = "voice") -> Account:
    """Give the state after the same use as one charge."""
    usage = Usage(ME, service, START_MS, seconds)
    charge = ledger.seal(rate(LINE.plan_at(START_MS), usage, CONTRACT, account))
    desk = Desk()
    command = desk.command(ME, PostCharge(usage, charge, account.version))
    return ledger.decide(account, command, START_MS).account


@settings(max_examples=60, deadline=None)
@given(pieces=st.lists(st.integers(0, 400), min_size=1, max_size=6), requested=st.integers(0, 400))
def test_borders_between_allowance_money_and_tariffs_do_not_change_the_price(pieces: list[int], requested: int) -> None:
    desk = opened(100_000_000)
    before = desk.accounts[ME]
    step(desk, "create", 0, UnitAsk("voice", requested, 0, START_MS))
    for number, used in enumerate(pieces):
        operation = "release" if number == len(pieces) - 1 else "update"
        step(desk, operation, number + 1, UnitAsk("voice", requested, used, START_MS))
    whole = one_piece(before, sum(pieces))
    after = desk.accounts[ME]
    assert after.books == whole.books
    assert {key: used for key, used in after.accumulators.items() if used} == whole.accumulators


@settings(max_examples=40, deadline=None)
@given(money=st.integers(0, 3_000_000), requested=st.integers(1, 4_000))
def test_a_grant_is_the_largest_that_the_account_covers(money: int, requested: int) -> None:
    desk = opened(money)
    grant = step(desk, "create", 0, UnitAsk("voice", requested, 0, START_MS)).grants[0]
    assert grant.granted == requested or grant.final_unit
    before = desk.accounts[ME]
    free = opened(money).accounts[ME]
    if grant.granted < requested:
        dearer = rate(LINE.plan_at(START_MS), Usage(ME, "voice", START_MS, grant.granted + 1), CONTRACT, free)
        assert dearer.amount > money
    step(desk, "release", 1, UnitAsk("voice", 0, grant.granted, START_MS))
    assert desk.accounts[ME].books[0].amount >= 0
    assert before.books[0].amount == money


def test_the_switch_at_eighteen_is_told_and_a_switch_that_is_past_is_not() -> None:
    desk = opened(100_000_000)
    first = step(desk, "create", 0, UnitAsk("voice", 300, 0, START_MS)).grants[0]
    assert first.tariff_switch_ms == SWITCH_MS
    later = step(desk, "update", 1, UnitAsk("voice", 300, 700, START_MS)).grants[0]
    assert later.tariff_switch_ms != SWITCH_MS


def test_two_services_of_one_session_cost_what_they_would_alone() -> None:
    desk = opened(100_000_000)
    before = desk.accounts[ME]
    units = [UnitAsk("voice", 300, 0, START_MS), UnitAsk("data", 50_000_000, 0, START_MS)]
    step(desk, "create", 0, *units)
    step(desk, "update", 1, UnitAsk("data", 50_000_000, 30_000_000, START_MS))
    step(desk, "update", 2, UnitAsk("voice", 300, 290, START_MS), UnitAsk("data", 0, 5_000_000, START_MS))
    step(desk, "release", 3, UnitAsk("voice", 0, 200, START_MS))
    alone = one_piece(one_piece(before, 490), 35_000_000, "data")
    assert desk.accounts[ME].books == alone.books


def test_the_view_of_a_rating_shows_what_sessions_keep_as_taken() -> None:
    desk = opened(100_000_000)
    step(desk, "create", 0, UnitAsk("voice", 200, 0, START_MS))
    view = ledger.available_view(desk.accounts[ME])
    charge = rate(LINE.plan_at(START_MS), Usage(ME, "voice", START_MS, 100), CONTRACT, view)
    without = rate(LINE.plan_at(START_MS), Usage(ME, "voice", START_MS, 100), CONTRACT, desk.accounts[ME])
    assert (without.amount, charge.amount > 0) == (0, True)


def capped(then: str) -> Pricing[Plan]:
    price = {"id": "p", "rates": [{"price": "0.01"}], "cap": {"amount": "1", "then": then}}
    tariff = {"id": "call", "service": "voice", "standard": "true", "prices": [price]}
    tree = {**SNIPPET, "tariffs": [tariff], "allowances": [], "offerings": [{"id": "plan", "services": ["voice"]}]}
    line = Timeline.build([CatalogueRef("", 1, 0, pack(from_plain(tree)))], "GD", ZONE)
    return Pricing(line.plan_at, rate_sum, rate_quota, quantity_max, next_switch, piece_end, quota_terms)


def granted(pricing: Pricing[Plan], requested: int) -> tuple[int, bool, str]:
    ask = SessionAsk("s", "create", 0, ME, (UnitAsk("voice", requested, 0, START_MS),), START_MS + 10**7)
    unit = plan(pricing, opened(100_000_000).accounts[ME], CONTRACT, ask).units[0]
    return unit.granted, unit.final_unit, unit.final_action


def test_a_cap_that_ends_the_call_grants_what_it_pays_for_and_no_more() -> None:
    assert granted(capped("end"), 90) == (90, False, "")
    assert granted(capped("end"), 3600) == (100, True, "terminate")


def test_after_a_cap_that_frees_the_call_all_is_granted() -> None:
    assert granted(capped("free"), 3600) == (3600, False, "")


def test_a_session_that_a_cap_has_ended_is_granted_nothing() -> None:
    desk = opened(100_000_000)
    for operation, invocation, used in (("create", 0, 0), ("update", 1, 100)):
        ask = SessionAsk("s", operation, invocation, ME, (UnitAsk("voice", 50, used, START_MS),), START_MS + 10**7)
        step_of = plan(capped("end"), desk.accounts[ME], CONTRACT, ask)
        desk.do(ME, step_of)
    assert (step_of.units[0].granted, step_of.units[0].final_unit) == (0, True)
    assert desk.accounts[ME].books[0].amount == 100_000_000 - 1_000_000

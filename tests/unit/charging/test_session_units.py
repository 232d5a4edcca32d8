"""Units of a session as a network keys them: several of one service, each with its own result and its own end."""

import msgspec
import pytest

from charging.base.account import MAIN_BOOK, MONEY, Account, Book
from charging.base.bounds import UNITS_MAX
from charging.base.contract import Contract, Subscription
from charging.base.unit_key import NONE, NUMBER_MAX, is_key, numbers_of, unit_key
from charging.catalogue.document import from_plain, pack
from charging.errors import Fault, Invalid, Refused
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.top_up import TopUp
from charging.plans.plan import Plan
from charging.plans.timeline import Timeline
from charging.rating.pieces import piece_end
from charging.rating.quotas import quota_terms
from charging.rating.rating import next_switch, quantity_max, rate_quota, rate_sum
from charging.rating.session_asks import Pricing, SessionAsk, UnitAsk
from charging.rating.sessions import plan
from charging.wire import CatalogueRef, SessionGrant, SessionOutcome
from testkit.ledger import START_MS, Desk

ME = "msisdn:8613012345678"
YUAN, MB = 1_000_000, 1 << 20
ANY, VIDEO, PORTAL, CALLS, NOBODYS = 10, 20, 30, 40, 99
CATALOGUE = {
    "catalogue": "keys", "version": "1", "currency": "CNY", "rounding": {"places": "2"},
    "services": [
        {"id": "data", "unit": "byte", "quantity_max": "1 TB",
         "quota": {"usual": "10 MB", "threshold": "2 MB", "holding": "5 min", "validity": "1 h",
                   "final": {"action": "redirect", "redirect": "http://pay.example/"}}},
        {"id": "voice", "unit": "second"}],
    "rating_groups": [
        {"id": "internet", "group": str(ANY), "service": "data"},
        {"id": "video", "group": str(VIDEO), "service": "data", "attributes": {"app": "video"},
         "quota": {"final": {"action": "restrict", "filters": ["messages"]}}},
        {"id": "film", "group": str(VIDEO), "identifiers": ["7"], "service": "data", "attributes": {"app": "film"}},
        {"id": "portal", "group": str(PORTAL), "service": "data", "controlled": "false"},
        {"id": "calls", "group": str(CALLS), "service": "voice"}],
    "tariffs": [
        {"id": "net", "service": "data", "standard": "true", "prices": [
            {"id": "video", "when": {"attributes": {"app": ["video"]}}, "rates": [{"price": "0.1", "per": "1 MB"}]},
            {"id": "film", "when": {"attributes": {"app": ["film"]}}, "rates": [{"price": "2", "per": "1 MB"}]},
            {"id": "any", "rates": [{"price": "1", "per": "1 MB"}]}]}],
    "offerings": [{"id": "plan", "services": ["data"]}],
}  # fmt: skip
LINE = Timeline.build([CatalogueRef("", 1, 0, pack(from_plain(CATALOGUE)))], "GD", "Asia/Shanghai")
PRICING: Pricing[Plan] = Pricing(LINE.plan_at, rate_sum, rate_quota, quantity_max, next_switch, piece_end, quota_terms)


def unit(group: int, requested: int = 0, used: int = 0, *, identifier: int = NONE, usual: bool = False) -> UnitAsk:
    return UnitAsk("", requested, used, START_MS, group=group, identifier=identifier, usual=usual)


class Gateway:
    """A network gateway with one session of one subscriber."""

    def __init__(self, money: int) -> None:
        self.desk = Desk()
        self.desk.now_ms = START_MS
        self.contract = Contract(ME, ME, "GD", subscriptions=(Subscription("plan"),))
        main = Book(MAIN_BOOK, MONEY, money)
        self.desk.do(ME, OpenAccount(ME, "", "prepaid", "CNY", 0, 1, self.contract, (main,), {}, {}, (), carried=True))
        self.invocation = -1

    @property
    def account(self) -> Account:
        return self.desk.accounts[ME]

    def step(self, *units: UnitAsk, end: bool = False) -> dict[str, SessionGrant]:
        operation = "release" if end else "update" if self.invocation >= 0 else "create"
        ask = SessionAsk("s", operation, self.invocation + 1, ME, units, START_MS + 10**7, START_MS, START_MS)
        done = self.desk.do(ME, plan(PRICING, self.account, self.contract, ask))
        self.invocation += 1
        assert done.detail is not None
        return {grant.numbers: grant for grant in msgspec.msgpack.decode(done.detail, type=SessionOutcome).grants}


def test_two_rating_groups_of_one_service_have_their_own_quota_price_and_sum() -> None:
    gateway = Gateway(100 * YUAN)
    granted = gateway.step(unit(ANY, 10 * MB), unit(VIDEO, 20 * MB))
    assert {key: (each.service, each.granted, each.code) for key, each in granted.items()} == {
        "#10": ("data", 10 * MB, 2001),
        "#20": ("data", 20 * MB, 2001),
    }
    assert gateway.account.books[0].reserved == 12 * YUAN
    assert gateway.step(unit(VIDEO, 20 * MB, 10 * MB))["#20"].charged == YUAN
    ended = gateway.step(unit(ANY, used=4 * MB), end=True)
    assert {key: each.charged for key, each in ended.items()} == {"#10": 4 * YUAN, "#20": YUAN}
    assert (gateway.account.books[0].amount, gateway.account.books[0].reserved) == (95 * YUAN, 0)


def test_a_service_identifier_is_looked_up_first_and_the_group_stands_for_all_others() -> None:
    gateway = Gateway(100 * YUAN)
    film, other = (unit(VIDEO, MB, identifier=number) for number in (7, 8))
    granted = gateway.step(film, other)
    assert gateway.account.books[0].reserved == 2 * YUAN + YUAN // 10
    assert set(granted) == {"#20/7", "#20/8"}


def test_a_service_named_beside_the_numbers_counts_and_they_only_tell_units_apart() -> None:
    gateway = Gateway(100 * YUAN)
    first, second = (UnitAsk("data", MB, 0, START_MS, group=group) for group in (NOBODYS, VIDEO))
    assert {each.code for each in gateway.step(first, second).values()} == {2001}
    assert gateway.account.books[0].reserved == 2 * YUAN


def test_an_unknown_key_and_a_service_without_a_price_are_refused_alone() -> None:
    gateway = Gateway(100 * YUAN)
    granted = gateway.step(unit(NOBODYS, MB), unit(ANY, MB), unit(CALLS, 60))
    assert {key: (each.code, each.reason, each.granted) for key, each in granted.items()} == {
        "#10": (2001, "", MB),
        "#99": (5031, "UNIT_KEY_UNKNOWN", 0),
        "#40": (4010, "SERVICE_NOT_SUBSCRIBED", 0),
    }
    assert [hold.key for hold in gateway.account.open.sessions[0].holds] == ["#10"]
    later = gateway.step(unit(NOBODYS, MB))
    assert later["#99"].code == 5031
    ended = gateway.step(unit(NOBODYS, used=5), unit(ANY, used=MB), end=True)
    assert (ended["#99"].code, ended["#10"].charged) == (5031, YUAN)
    assert gateway.account.open.sessions == ()


def test_a_session_that_would_begin_with_refused_units_alone_does_not() -> None:
    gateway = Gateway(100 * YUAN)
    with pytest.raises(Invalid) as fault:
        gateway.step(unit(NOBODYS, MB), unit(CALLS, 60))
    assert fault.value.reason == "UNIT_KEY_UNKNOWN"
    assert gateway.account.open.sessions == ()


def test_what_needs_no_control_is_told_so_and_never_charged() -> None:
    gateway = Gateway(0)
    granted = gateway.step(unit(PORTAL, MB))
    assert (granted["#30"].code, granted["#30"].service, granted["#30"].granted) == (4011, "data", 0)
    gateway.step(unit(PORTAL, used=50 * MB))
    assert gateway.account.open.sessions[0].holds == ()
    gateway.step(end=True)
    assert gateway.account.books[0].amount == 0


def test_the_last_quota_is_told_with_what_becomes_of_the_user() -> None:
    gateway = Gateway(3 * YUAN)
    granted = gateway.step(unit(ANY, 5 * MB), unit(VIDEO, MB))
    last, nothing = granted["#10"], granted["#20"]
    assert (last.granted, last.code, last.final_unit) == (3 * MB, 2001, True)
    assert (last.final_action, last.redirect, last.filters) == ("redirect", "http://pay.example/", ())
    assert (nothing.granted, nothing.code, nothing.reason) == (0, 4012, "INSUFFICIENT_FUNDS")
    assert (nothing.final_action, nothing.redirect, nothing.filters) == ("restrict", "", ("messages",))


def test_a_user_without_money_is_led_to_the_page_from_the_first_step_on_and_served_once_paid() -> None:
    gateway = Gateway(0)
    first = gateway.step(unit(ANY, MB))["#10"]
    assert (first.code, first.final_unit, first.final_action, first.redirect) == (
        4012, True, "redirect", "http://pay.example/",
    )  # fmt: skip
    gateway.desk.do(ME, TopUp("", "money", 5 * YUAN, 0, 0, "", "deposit"))
    served = gateway.step(unit(ANY, MB))["#10"]
    assert (served.code, served.granted, served.final_unit) == (2001, MB, False)


def test_a_contract_says_another_final_action_than_the_catalogue() -> None:
    gateway = Gateway(0)
    gateway.contract = Contract(
        ME, ME, "GD", subscriptions=(Subscription("plan"),), attributes={"final_action": "terminate"}
    )
    with pytest.raises(Refused) as fault:
        gateway.step(unit(ANY, MB))
    assert fault.value.reason == "INSUFFICIENT_FUNDS"


def test_quota_comes_with_threshold_holding_and_validity_of_the_catalogue() -> None:
    gateway = Gateway(100 * YUAN)
    usual = gateway.step(unit(ANY, usual=True))["#10"]
    assert (usual.granted, usual.threshold, usual.holding_s) == (10 * MB, 2 * MB, 300)
    assert usual.valid_until_ms == START_MS + 3_600_000
    small = gateway.step(unit(ANY, MB, 0))["#10"]
    assert (small.granted, small.threshold) == (MB, 0), "all of it is below the threshold"
    more = gateway.step(unit(ANY, 20 * MB, usual=True))["#10"]
    assert more.granted == 20 * MB, "what is asked for goes before what is usual"


def test_a_suspended_account_is_denied_and_one_without_money_has_reached_its_limit() -> None:
    gateway = Gateway(100 * YUAN)
    gateway.step(unit(ANY, MB))
    gateway.desk.do(ME, SetStatus("suspended", "lost"))
    denied = gateway.step(unit(ANY, MB, MB))["#10"]
    assert (denied.code, denied.reason, denied.charged, denied.granted) == (4010, "ACCOUNT_SUSPENDED", YUAN, 0)


@pytest.mark.parametrize("again", [unit(ANY, MB), UnitAsk("data", MB, 0, START_MS, group=ANY)])
def test_a_key_that_is_there_twice_refuses_the_step(again: UnitAsk) -> None:
    gateway = Gateway(100 * YUAN)
    with pytest.raises(Invalid) as fault:
        gateway.step(unit(ANY, MB), again)
    assert fault.value.reason == "SESSION_MALFORMED"


def test_as_many_units_as_a_session_may_have_are_served_and_no_more() -> None:
    gateway = Gateway(1_000 * YUAN)
    many = [unit(ANY, MB, identifier=number) for number in range(UNITS_MAX)]
    assert {each.code for each in gateway.step(*many).values()} == {2001}
    full = gateway.step(unit(ANY, MB, identifier=0), unit(ANY, MB, identifier=NUMBER_MAX))
    assert {key: (each.code, each.reason) for key, each in full.items()} == {
        "#10/0": (2001, ""),
        f"#10/{NUMBER_MAX}": (5031, "SESSION_UNITS_FULL"),
    }
    with pytest.raises(Fault, match="at most 32"):
        gateway.step(*[unit(ANY, MB, identifier=number) for number in range(100)])
    used = [unit(ANY, used=MB, identifier=number) for number in range(UNITS_MAX)]
    assert sum(each.charged for each in gateway.step(*used, end=True).values()) == UNITS_MAX * YUAN


def test_a_step_that_is_repeated_tells_the_same_results_and_one_out_of_order_changes_nothing() -> None:
    gateway = Gateway(100 * YUAN)
    first = gateway.step(unit(ANY, MB), unit(NOBODYS, MB))
    gateway.invocation -= 1
    gateway.desk.crash()
    ask = SessionAsk("s", "update", 0, ME, (unit(ANY, 2 * MB),), START_MS + 10**7, START_MS, START_MS)
    done = gateway.desk.do(ME, plan(PRICING, gateway.account, gateway.contract, ask))
    assert done.repeated
    assert done.detail is not None
    again = msgspec.msgpack.decode(done.detail, type=SessionOutcome).grants
    assert {grant.numbers: grant for grant in again} == first
    gateway.invocation = 1
    with pytest.raises(Invalid) as fault:
        gateway.step(unit(ANY, MB))
    assert fault.value.reason == "INVOCATION_AHEAD"


def test_a_unit_goes_on_as_what_it_began_when_the_catalogue_calls_its_key_otherwise() -> None:
    gateway = Gateway(100 * YUAN)
    gateway.step(unit(VIDEO, 10 * MB))
    other = {**CATALOGUE, "rating_groups": []}
    line = Timeline.build([CatalogueRef("", 1, 0, pack(from_plain(other)))], "GD", "Asia/Shanghai")
    pricing = Pricing(line.plan_at, rate_sum, rate_quota, quantity_max, next_switch, piece_end, quota_terms)
    ask = SessionAsk("s", "release", 1, ME, (unit(VIDEO, used=10 * MB),), START_MS + 10**7, START_MS, START_MS)
    gateway.desk.do(ME, plan(pricing, gateway.account, gateway.contract, ask))
    assert gateway.account.books[0].amount == 99 * YUAN


@pytest.mark.parametrize(
    ("group", "identifier", "key"),
    [(0, NONE, "#0"), (NONE, 0, "#/0"), (0, 0, "#0/0"), (NUMBER_MAX, NUMBER_MAX, "#4294967295/4294967295")],
)
def test_numbers_are_told_apart_at_their_bounds(group: int, identifier: int, key: str) -> None:
    assert unit_key("data", group, identifier) == key
    assert numbers_of(key) == (group, identifier)
    assert is_key(key)
    assert numbers_of("data") == (NONE, NONE)

"""Sessions whose quota was granted on what is no more so: the mutation that changed it names them, and which units."""

from collections.abc import Iterable

import pytest

from charging.base.account import MAIN_BOOK, Threshold
from charging.base.contract import Subscription
from charging.errors import Refused
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.set_credit_limit import SetCreditLimit
from charging.ledger.commands.set_payment_mode import SetPaymentMode
from charging.ledger.commands.set_profile import SetProfile
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.set_threshold import SetThreshold
from charging.ledger.commands.top_up import TopUp
from charging.ledger.events import ReauthAsked
from charging.ledger.kinds import Action
from charging.ledger.own import due_sessions, expire_command
from charging.rating.session_asks import UnitAsk
from testkit.ledger import START_MS, Desk, charge_of, contract_of, post

ME, SON = "msisdn:8613000000001", "msisdn:8613000000002"
MINE, SONS = "mine", "sons"
Asked = dict[str, list[str]]


def unit(requested: int, used: int = 0, group: int = 10, service: str = "data") -> UnitAsk:
    return UnitAsk(service, requested, used, START_MS, group=group)


def household(money: int = 1_000) -> Desk:
    """Two members, each with an open session; the second's is by service code."""
    desk = Desk()
    desk.open(ME, money)
    desk.do(ME, SetContract(contract_of(SON, ME)))
    desk.do(ME, desk.plan(ME, MINE, "create", 0, unit(5), unit(5, group=20)))
    step = desk.plan(ME, SONS, "create", 0, UnitAsk("voice", 5, 0, START_MS))
    desk.do(ME, type(step)(**{**{name: getattr(step, name) for name in step.__struct_fields__}, "identity": SON}))
    return desk


def asked(desk: Desk, account_id: str = ME) -> Asked:
    """What the newest entry asks of the network: units by session."""
    newest = desk.journals[account_id][-1]
    found: Iterable[ReauthAsked] = (event for event in newest.events if isinstance(event, ReauthAsked))
    return {
        each.session_id: [numbers or service for service, numbers in each.units]
        for event in found
        for each in event.sessions
    }


EVERYBODY = {MINE: ["#10", "#20"], SONS: ["voice"]}


@pytest.mark.parametrize(
    ("action", "wanted"),
    [
        (SetStatus("suspended", "lost"), EVERYBODY),
        (SetCreditLimit(5_000, "good"), EVERYBODY),
        (SetPaymentMode("postpaid"), EVERYBODY),
        (SetProfile({"segment": "gold"}, {}, ()), EVERYBODY),
        (SetContract(contract_of(SON, ME)), {SONS: ["voice"]}),
        (TopUp(MAIN_BOOK, "money", 100, 0, 0, "", "deposit"), {}),
        (Adjust(MAIN_BOOK, -1, "typing error"), {}),
        (SetThreshold(Threshold("low", "balance", 5), False), {}),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, dict) else "",
)
def test_each_change_names_the_sessions_that_it_concerns(action: Action, wanted: Asked) -> None:
    desk = household()
    desk.do(ME, action, "change", "li")
    assert asked(desk) == wanted
    before = desk.accounts[ME]
    desk.crash()
    assert desk.accounts[ME] == before


def test_an_account_without_an_open_session_asks_for_none() -> None:
    desk = Desk()
    desk.open(ME, 1_000)
    desk.do(ME, SetStatus("suspended", "lost"))
    assert asked(desk) == {}


def test_money_names_the_units_that_were_told_of_their_last_quota_and_no_others() -> None:
    desk = Desk()
    desk.open(ME, 85)
    desk.do(ME, desk.plan(ME, MINE, "create", 0, unit(5), unit(5, group=20)))
    desk.do(ME, Adjust(MAIN_BOOK, -1, "typing error"), "less", "li")
    assert asked(desk) == {}
    desk.do(ME, TopUp(MAIN_BOOK, "money", 100, 0, 0, "", "deposit"))
    assert asked(desk) == {MINE: ["#20"]}
    desk.do(ME, desk.plan(ME, MINE, "update", 1, unit(5, used=2, group=20)))
    desk.do(ME, TopUp(MAIN_BOOK, "money", 100, 0, 0, "", "deposit"))
    assert asked(desk) == {}, "it has what it asked for"


def test_what_another_session_gives_back_is_news_to_one_that_was_short() -> None:
    desk = Desk()
    desk.open(ME, 100)
    desk.do(ME, desk.plan(ME, "long", "create", 0, unit(8)))
    desk.do(ME, desk.plan(ME, "short", "create", 0, unit(8)))
    desk.do(ME, desk.plan(ME, "long", "release", 1, unit(0, used=1)))
    assert asked(desk) == {"short": ["#10"]}


def test_a_charge_that_uses_up_the_money_names_the_sessions_of_an_account_that_it_suspends() -> None:
    desk = Desk()
    desk.open(ME, 100, attributes={"auto_suspend": "yes"})
    desk.do(ME, desk.plan(ME, MINE, "create", 0, unit(0)))
    desk.do(ME, post(desk.accounts[ME], charge_of(100)))
    assert desk.accounts[ME].terms.status == "suspended"
    assert asked(desk) == {MINE: ["#10"]}


def test_a_session_that_its_owner_ends_meanwhile_is_named_no_more_and_its_next_step_is_refused() -> None:
    desk = household()
    desk.do(ME, SetStatus("suspended", "lost"))
    assert set(asked(desk)) == {MINE, SONS}
    desk.now_ms += 120_000
    for session in due_sessions(desk.accounts[ME], desk.now_ms):
        desk.commit(expire_command(desk.accounts[ME], session, desk.now_ms))
    with pytest.raises(Refused) as fault:
        desk.do(ME, desk.plan(ME, MINE, "update", 1, unit(5, used=2)))
    assert fault.value.reason == "SESSION_EXPIRED"
    desk.do(ME, SetStatus("active", "found"))
    assert asked(desk) == {}


def test_a_plan_that_changes_is_told_for_the_member_whose_plan_it_is() -> None:
    desk = household()
    changed = contract_of(ME)
    desk.do(ME, SetContract(type(changed)(ME, ME, changed.domain, subscriptions=(Subscription("other"),))))
    assert set(asked(desk)) == {MINE}

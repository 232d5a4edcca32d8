"""Opening, members, status, modes, credit, marks that raise notices, suspension by itself, moves between domains."""

import pytest
from msgspec.structs import replace

from charging.base.account import MONEY, Book, Threshold
from charging.base.bounds import MEMBERS_MAX, THRESHOLDS_MAX
from charging.errors import Broken, Invalid, Refused
from charging.ledger import ledger
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.move_in import MoveIn
from charging.ledger.commands.move_out import MoveOut
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.set_credit_limit import SetCreditLimit
from charging.ledger.commands.set_payment_mode import SetPaymentMode
from charging.ledger.commands.set_profile import SetProfile
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.set_threshold import SetThreshold
from charging.ledger.commands.top_up import TopUp
from charging.ledger.effect import VersionMoved
from charging.ledger.events import ContractSet
from charging.ledger.funds import balance_view
from charging.rating.session_asks import UnitAsk
from testkit.ledger import START_MS, Desk, charge_of, contract_of, opening, post

ID = "msisdn:8613000000001"
MEMBER = "broadband:bj0012@adsl"


def deposit(amount: int) -> TopUp:
    return TopUp("", "", amount, 0, 0, "", "deposit")


def test_an_account_opens_with_its_first_contract_and_always_has_a_main_book() -> None:
    desk = Desk()
    action = replace(opening(ID), books=(Book("gift", MONEY, 5, priority=1),))
    done = desk.do(ID, action)
    account = desk.accounts[ID]
    assert [book.book_id for book in account.books] == ["gift", "main"]
    assert (account.members, account.version, account.terms_version, done.amount) == ((ID,), 1, 1, 5)


@pytest.mark.parametrize(
    ("change", "kind", "reason"),
    [
        ({"payment_mode": "barter"}, Invalid, "PAYMENT_MODE_UNKNOWN"),
        ({"credit_limit": -1}, Invalid, "AMOUNT_OUT_OF_RANGE"),
        ({"cycle_day": 32}, Invalid, "CYCLE_DAY_OUT_OF_RANGE"),
        ({"contract": contract_of(ID, "other")}, Invalid, "ACCOUNT_MISMATCH"),
        ({"books": (Book("a", MONEY, 1), Book("a", MONEY, 1))}, Invalid, "BOOKS_MALFORMED"),
        ({"books": (Book("a", MONEY, -1),)}, Invalid, "BOOKS_MALFORMED"),
        ({"books": (Book("main", "byte", 1),)}, Invalid, "BOOKS_MALFORMED"),
    ],
)
def test_impossible_openings_are_invalid(change, kind, reason) -> None:  # noqa: ANN001
    desk = Desk()
    with pytest.raises(kind) as fault:
        desk.do(ID, replace(opening(ID), **change))
    assert (fault.value.reason, desk.accounts) == (reason, {})


def test_an_account_opens_once() -> None:
    desk = Desk()
    desk.open(ID)
    with pytest.raises(Refused) as refusal:
        desk.do(ID, opening(ID, 5))
    assert refusal.value.reason == "ACCOUNT_EXISTS"


def test_members_join_share_the_books_and_leave() -> None:
    desk = Desk()
    desk.open(ID, 100)
    desk.do(ID, SetContract(contract_of(MEMBER, ID)))
    account = desk.accounts[ID]
    assert (account.members, account.terms_version) == ((ID, MEMBER), 2)
    usage = replace(post(account, charge_of(60, accruals=(("all@2027-01", 6),))).usage, identity=MEMBER)
    desk.do(ID, replace(post(account, charge_of(60, accruals=(("all@2027-01", 6),))), usage=usage))
    desk.do(ID, post(desk.accounts[ID], charge_of(40, accruals=(("all@2027-01", 4),))))
    assert (desk.accounts[ID].books[0].amount, desk.accounts[ID].accumulators) == (0, {"all@2027-01": 10})
    desk.do(ID, SetContract(replace(contract_of(MEMBER, ID), status="ended")))
    assert desk.accounts[ID].members == (ID,)


def test_a_contract_names_its_account_and_members_are_bounded() -> None:
    desk = Desk()
    desk.open(ID)
    with pytest.raises(Invalid, match="names account"):
        desk.do(ID, SetContract(contract_of(MEMBER, MEMBER)))
    desk.accounts[ID] = replace(desk.accounts[ID], members=tuple(str(n) for n in range(MEMBERS_MAX)))
    with pytest.raises(Refused) as refusal:
        desk.do(ID, SetContract(contract_of(MEMBER, ID)))
    assert refusal.value.reason == "MEMBERS_FULL"


def test_the_mode_switches_at_any_time_without_stopping_service() -> None:
    desk = Desk()
    desk.open(ID, 100, credit_limit=50)
    desk.do(ID, desk.plan(ID, "s", "create", 0, UnitAsk("voice", 5, 0, START_MS)))
    desk.do(ID, SetPaymentMode("postpaid"))
    desk.do(ID, desk.plan(ID, "s", "update", 1, UnitAsk("voice", 5, 5, START_MS)))
    desk.do(ID, SetPaymentMode("prepaid"))
    done = desk.do(ID, desk.plan(ID, "s", "release", 2, UnitAsk("voice", 0, 5, START_MS)))
    assert (desk.accounts[ID].terms.payment_mode, desk.accounts[ID].books[0].amount) == ("prepaid", 0)
    assert done.movements[0].after == 0
    with pytest.raises(Invalid, match="prepaid or postpaid"):
        desk.do(ID, SetPaymentMode("barter"))


def test_the_credit_limit_can_not_fall_below_what_is_in_use() -> None:
    desk = Desk()
    account = desk.open(ID, 0, credit_limit=50)
    desk.do(ID, post(account, charge_of(30)))
    with pytest.raises(Refused) as refusal:
        desk.do(ID, SetCreditLimit(29, "risk"))
    assert (refusal.value.reason, refusal.value.facts) == ("CREDIT_IN_USE", {"in_use": "30"})
    desk.do(ID, SetCreditLimit(30, "risk"))
    assert balance_view(desk.accounts[ID], START_MS).available == 0
    with pytest.raises(Invalid):
        desk.do(ID, SetCreditLimit(-1, "slip"))


def test_status_changes_and_closing_is_for_good() -> None:
    desk = Desk()
    desk.open(ID, 100)
    for status in ("suspended", "active"):
        desk.do(ID, SetStatus(status, "asked"))
        assert desk.accounts[ID].terms.status == status
    with pytest.raises(Invalid, match="active, suspended or closed"):
        desk.do(ID, SetStatus("asleep", ""))
    desk.do(ID, desk.plan(ID, "s", "create", 0, UnitAsk("voice", 5, 0, START_MS)))
    with pytest.raises(Refused) as refusal:
        desk.do(ID, SetStatus("closed", "left"))
    assert refusal.value.reason == "SESSIONS_OPEN"
    desk.do(ID, desk.plan(ID, "s", "release", 1))
    desk.do(ID, SetStatus("closed", "left"))
    for action in (SetStatus("active", ""), SetPaymentMode("postpaid"), SetCreditLimit(1, ""), SetProfile({}, {}, ())):
        with pytest.raises(Refused) as refusal:
            desk.do(ID, action)
        assert refusal.value.reason == "ACCOUNT_CLOSED"


def test_marks_raise_a_notice_when_they_are_crossed_and_not_again() -> None:
    desk = Desk()
    desk.open(ID, 100)
    desk.do(ID, SetThreshold(Threshold("low", "balance", 50), False))
    desk.do(ID, SetThreshold(Threshold("heavy", "data", 10), False))
    told = [
        desk.do(ID, post(desk.accounts[ID], charge_of(amount, accruals=(("data@2027-01", 6),)))).notices
        for amount in (50, 1, 1)
    ]
    assert told == [(), ("low-balance:low", "usage:heavy"), ()]
    desk.do(ID, SetThreshold(Threshold("low", "", 0), True))
    desk.do(ID, deposit(100))
    assert desk.do(ID, post(desk.accounts[ID], charge_of(140))).notices == ()


def test_marks_have_their_own_reasons() -> None:
    desk = Desk()
    desk.open(ID)
    with pytest.raises(Refused) as refusal:
        desk.do(ID, SetThreshold(Threshold("none", "", 0), True))
    assert refusal.value.reason == "THRESHOLD_UNKNOWN"
    with pytest.raises(Invalid):
        desk.do(ID, SetThreshold(Threshold("", "balance", 0), False))
    for number in range(THRESHOLDS_MAX):
        desk.do(ID, SetThreshold(Threshold(str(number), "balance", 0), False))
    with pytest.raises(Refused) as refusal:
        desk.do(ID, SetThreshold(Threshold("more", "balance", 0), False))
    assert refusal.value.reason == "THRESHOLDS_FULL"


def test_an_account_is_suspended_when_its_funds_end_and_resumed_when_some_return() -> None:
    desk = Desk()
    account = desk.open(ID, 100, attributes={"auto_suspend": "yes"})
    assert desk.do(ID, post(account, charge_of(100))).notices == ("suspended",)
    with pytest.raises(Refused) as refusal:
        desk.do(ID, post(desk.accounts[ID], charge_of(0)))
    assert (refusal.value.reason, refusal.value.facts["why"]) == ("ACCOUNT_SUSPENDED", "FUNDS_ENDED")
    assert desk.do(ID, deposit(1)).notices == ("resumed",)
    assert desk.accounts[ID].terms.status == "active"
    desk.do(ID, SetStatus("suspended", "stolen"))
    assert desk.do(ID, deposit(1)).notices == ()
    assert desk.accounts[ID].terms.status == "suspended"
    before = dict(desk.accounts)
    desk.crash()
    assert desk.accounts == before


def test_resuming_by_hand_an_account_without_funds_stays_as_staff_said() -> None:
    desk = Desk()
    account = desk.open(ID, 1, attributes={"auto_suspend": "yes"})
    desk.do(ID, post(account, charge_of(1)))
    assert desk.do(ID, SetStatus("active", "goodwill")).notices == ()
    assert desk.accounts[ID].terms.status == "active"


def test_without_the_attribute_nothing_happens_by_itself() -> None:
    desk = Desk()
    account = desk.open(ID, 1)
    assert desk.do(ID, post(account, charge_of(1))).notices == ()
    assert desk.accounts[ID].terms.status == "active"


def test_a_profile_changes_the_terms_that_charges_are_rated_on() -> None:
    desk = Desk()
    old = desk.open(ID, 10)
    desk.do(ID, SetProfile({"tier": "gold"}, {"kind": "business"}, ("deal",)))
    account = desk.accounts[ID]
    terms = account.terms
    assert (terms.attributes, terms.agreements, account.terms_version) == ({"tier": "gold"}, ("deal",), 2)
    with pytest.raises(VersionMoved):
        desk.do(ID, post(old, charge_of(1)))


def test_an_account_moves_to_another_domain_with_all_it_has_and_is_told_again() -> None:
    old, new = Desk(), Desk()
    old.open(ID, 100)
    old.do(ID, old.plan(ID, "s", "create", 0, UnitAsk("voice", 5, 0, START_MS)))
    old.do(ID, SendTransfer("", "msisdn:8613000000002", "", 10, ""))
    first = old.do(ID, MoveOut("SH"))
    again = old.do(ID, MoveOut("SH"))
    assert first.detail is not None
    assert (again.detail, again.repeated) == (first.detail, True)
    with pytest.raises(Refused) as refusal:
        old.do(ID, MoveOut("BJ"))
    assert refusal.value.reason == "ACCOUNT_MOVED"
    new.do(ID, MoveIn(first.detail, (contract_of(ID, domain="SH"),)))
    account = new.accounts[ID]
    assert (account.terms.domain, account.terms.status, account.books[0].amount) == ("SH", "active", 90)
    assert (len(account.open.sessions), len(account.open.outgoing)) == (1, 1)
    assert account.version == old.accounts[ID].version + 1 == account.terms_version
    new.crash()
    assert new.accounts[ID] == account
    with pytest.raises(Refused) as refusal:
        new.do(ID, MoveIn(first.detail, (contract_of(ID, domain="SH"),)), key="other")
    assert refusal.value.reason == "ACCOUNT_EXISTS"


def test_an_account_may_come_back() -> None:
    old, new = Desk(), Desk()
    old.open(ID, 100)
    out = old.do(ID, MoveOut("SH")).detail
    assert out is not None
    new.do(ID, MoveIn(out, (contract_of(ID, domain="SH"),), came_from="GD/0"))
    assert new.accounts[ID].open.places == ("GD/0",), "there are its bills of before"
    back = new.do(ID, MoveOut("GD")).detail
    assert back is not None
    old.do(ID, MoveIn(back, (contract_of(ID),), came_from="SH/0"))
    assert (old.accounts[ID].terms.status, old.accounts[ID].terms.domain) == ("active", "GD")
    assert old.accounts[ID].open.places == ("GD/0", "SH/0")
    before = dict(old.accounts)
    old.crash()
    assert old.accounts == before


@pytest.mark.parametrize(
    ("action", "kind", "reason"),
    [
        (MoveOut("GD"), Refused, "MOVE_TO_SELF"),
        (MoveIn(b"junk", (contract_of(ID),)), Invalid, "PARCEL_MALFORMED"),
    ],
)
def test_impossible_moves_have_their_reasons(action, kind, reason) -> None:  # noqa: ANN001
    desk = Desk()
    before = desk.open(ID)
    with pytest.raises(kind) as fault:
        desk.do(ID, action)
    assert (fault.value.reason, desk.accounts[ID]) == (reason, before)


def test_replay_refuses_an_entry_that_does_not_follow() -> None:
    desk = Desk()
    desk.open(ID, 100)
    desk.do(ID, deposit(1))
    with pytest.raises(Broken) as defect:
        ledger.replay(None, desk.journals[ID][1])
    assert defect.value.reason == "ACCOUNT_MISSING"
    with pytest.raises(Broken) as defect:
        ledger.replay(desk.accounts[ID], desk.journals[ID][1])
    assert defect.value.reason == "REPLAY_GAP"


def test_the_balance_is_one_view_over_all_services() -> None:
    desk = Desk()
    gift = Book("gift", MONEY, 20, priority=1)
    desk.open(ID, 100, credit_limit=50, books=(gift, Book("over", MONEY, 5, valid_to_ms=START_MS)))
    asks = (UnitAsk("voice", 5, 0, START_MS), UnitAsk("data", 3, 0, START_MS))
    desk.do(ID, desk.plan(ID, "s", "create", 0, *asks))
    view = balance_view(desk.accounts[ID], START_MS)
    assert (view.real, view.reserved, view.available, view.credit_limit) == (120, 80, 90, 50)


def test_money_that_is_over_keeps_nobody_in_service_and_holds_no_mark_up() -> None:
    desk = Desk()
    gift = Book("gift", MONEY, 500, priority=500, valid_to_ms=desk.now_ms + 10)
    desk.open(ID, 100, books=(gift,), attributes={"auto_suspend": "yes"})
    desk.do(ID, SetThreshold(Threshold("low", "balance", 60), False))
    desk.now_ms += 20
    noticed = desk.do(ID, post(desk.accounts[ID], charge_of(50))).notices
    assert noticed == ("low-balance:low",)
    assert desk.do(ID, post(desk.accounts[ID], charge_of(50))).notices == ("suspended",)


def test_a_closed_account_lets_its_members_go_and_keeps_its_money() -> None:
    desk = Desk()
    desk.open(ID, 100)
    desk.do(ID, SetContract(contract_of(MEMBER, ID)))
    desk.do(ID, SetStatus("closed", "left"))
    account = desk.accounts[ID]
    assert (account.terms.status, account.members, account.books[0].amount) == ("closed", (), 100)
    ended = [event.contract for event in desk.journals[ID][-1].events if isinstance(event, ContractSet)]
    assert [(one.identity, one.account_id, one.status, one.version) for one in ended] == [
        (ID, ID, "ended", account.version),
        (MEMBER, ID, "ended", account.version),
    ]
    desk.do(ID, Adjust("", -100, "paid out"), actor="clerk")
    desk.crash()
    assert desk.accounts[ID].books[0].amount == 0


def test_only_the_contract_of_a_member_can_end() -> None:
    desk = Desk()
    desk.open(ID, 100)
    with pytest.raises(Refused) as refusal:
        desk.do(ID, SetContract(replace(contract_of(MEMBER, ID), status="ended")))
    assert refusal.value.reason == "MEMBER_UNKNOWN"

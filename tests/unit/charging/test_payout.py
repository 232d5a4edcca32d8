"""What is left of an account that closes: paid out in the same entry: exactly what was seen, or nothing."""

import pytest
from msgspec.structs import replace

from charging.base.asked import Asked
from charging.base.contract import Contract
from charging.base.due import Due
from charging.errors import Invalid, Refused
from charging.ledger import ledger
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.dues import Dues, FeePosted
from charging.ledger.effect import VersionMoved
from charging.ledger.events import Booked
from testkit.ledger import START_MS, Desk, charge_of
from testkit.samples import FULL

ALICE = "msisdn:8613000000001"
EARLY = Due(ALICE, "year", "early", "early", START_MS, START_MS + 1, ledger.seal(charge_of(30)))


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.open(ALICE, 100)
    return desk


def test_an_account_that_closes_pays_out_all_it_has_in_one_entry(desk: Desk) -> None:
    done = desk.do(ALICE, SetStatus("closed", "moves abroad", 100), "once")
    assert (done.amount, desk.accounts[ALICE].books[0].amount) == (100, 0)
    entry = desk.journals[ALICE][-1]
    assert {leg.place: leg.delta for event in entry.events for leg in event.legs()} == {
        "book:main": -100,
        "payout": 100,
    }
    state = desk.accounts[ALICE]
    desk.crash()
    assert desk.accounts[ALICE] == state
    with pytest.raises(Refused, match="closed"):
        desk.do(ALICE, SetStatus("closed", "again", 100))


@pytest.mark.parametrize("amount", [99, 101])
def test_another_amount_than_there_is_pays_nothing_and_closes_nothing(desk: Desk, amount: int) -> None:
    before = desk.accounts[ALICE]
    with pytest.raises(Refused) as raised:
        desk.do(ALICE, SetStatus("closed", "", amount))
    assert (raised.value.reason, raised.value.facts) == ("PAYOUT_MISMATCH", {"amount": "100"})
    assert desk.accounts[ALICE] is before


def test_nothing_is_paid_out_while_bills_are_open(desk: Desk) -> None:
    account = desk.accounts[ALICE]
    desk.accounts[ALICE] = account.with_open(bills=FULL.open.bills)
    with pytest.raises(Refused) as raised:
        desk.do(ALICE, SetStatus("closed", "", 100))
    assert raised.value.reason == "BILLS_OPEN"


def test_money_stays_with_a_closed_account_that_nobody_asks_to_pay_out(desk: Desk) -> None:
    desk.do(ALICE, SetStatus("closed", ""))
    assert desk.accounts[ALICE].books[0].amount == 100


def test_a_payout_is_of_an_account_that_closes_and_is_held_against_the_limit_of_who_asks() -> None:
    asked = Asked(ALICE, 1, "", "CN")
    with pytest.raises(Invalid) as raised:
        SetStatus("suspended", "", 5).checked(asked)
    assert raised.value.reason == "FIELD_WITHOUT_EFFECT"
    closing = SetStatus("closed", "", 5)
    assert closing.checked(asked) == closing
    assert closing.at_stake() == 5
    assert replace(closing, pay_out=0).at_stake() == 0
    assert replace(closing, dues=Dues((EARLY,))).at_stake() == 35


def dues(desk: Desk, *fees: Due) -> Dues:
    account = desk.accounts[ALICE]
    return Dues(fees, account.version, account.mark)


def test_fees_of_the_end_come_before_the_payout_in_one_entry(desk: Desk) -> None:
    done = desk.do(ALICE, SetStatus("closed", "", 70, dues=dues(desk, EARLY)))
    assert (done.amount, desk.accounts[ALICE].books[0].amount) == (100, 0)
    assert [type(event) for event in desk.journals[ALICE][-1].events][-2:] == [FeePosted, Booked]
    state = desk.accounts[ALICE]
    desk.crash()
    assert desk.accounts[ALICE] == state


def test_an_account_that_can_not_pay_its_end_stays_open(desk: Desk) -> None:
    dear = replace(EARLY, charge=ledger.seal(charge_of(101)))
    before = desk.accounts[ALICE]
    with pytest.raises(Refused) as raised:
        desk.do(ALICE, SetStatus("closed", "", dues=dues(desk, dear)))
    assert raised.value.reason == "INSUFFICIENT_FUNDS"
    assert desk.accounts[ALICE] is before


def test_an_end_rated_on_other_contracts_is_rated_again_though_nothing_was_due(desk: Desk) -> None:
    rated = dues(desk)
    desk.do(ALICE, SetContract(Contract(ALICE, ALICE, "GD")))
    with pytest.raises(VersionMoved):
        desk.do(ALICE, SetStatus("closed", "", dues=rated))
    desk.do(ALICE, SetStatus("closed", "", dues=dues(desk)))

"""Fees that come with a change of a contract, as its owner posts them: in one entry, no time twice, nothing given back
that was not taken."""

import pytest
from msgspec.structs import replace

from charging.base.contract import Contract, Subscription
from charging.base.due import Due
from charging.base.feemark import FeeMark
from charging.errors import Fault, Invalid, Refused
from charging.ledger import history, ledger
from charging.ledger.commands.subscribe import Subscribe
from charging.ledger.commands.top_up import TopUp
from charging.ledger.commands.unsubscribe import Unsubscribe
from charging.ledger.dues import Dues, FeePosted
from charging.ledger.effect import VersionMoved
from charging.ledger.events import ContractSet
from testkit.ledger import DAY_MS, START_MS, Desk, charge_of

ALICE = "msisdn:8613000000001"
END_MS = START_MS + 30 * DAY_MS
HELD = Contract(ALICE, ALICE, "GD", subscriptions=(Subscription("plan"),), version=1)


def rent(amount: int = 30, from_ms: int = START_MS, to_ms: int = END_MS, *, depends: bool = False) -> Due:
    return Due(ALICE, "pack", "rent", "rent", from_ms, to_ms, ledger.seal(charge_of(amount, depends=depends)))


def back(amount: int, from_ms: int, to_ms: int = END_MS) -> Due:
    return replace(rent(amount, from_ms, to_ms), credit=True)


def brings(desk: Desk, *dues: Due) -> Dues:
    account = desk.accounts[ALICE]
    return Dues(dues, account.version, account.mark)


def subscribing(desk: Desk, *dues: Due, offering: str = "pack") -> Subscribe:
    return Subscribe(offering, "now", START_MS, 0, {}, 0, 1, HELD, brings(desk, *dues))


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.open(ALICE, 100)
    return desk


def money(desk: Desk) -> int:
    return desk.accounts[ALICE].books[0].amount


def test_a_change_and_its_fees_are_one_entry_with_the_fee_explained_in_the_history(desk: Desk) -> None:
    done = desk.do(ALICE, subscribing(desk, rent()))
    assert (done.amount, money(desk)) == (30, 70)
    entry = desk.journals[ALICE][-1]
    assert [type(event) for event in entry.events] == [ContractSet, FeePosted]
    line = history.line(entry)
    assert (line.amount, line.service, line.quantity, len(line.steps)) == (30, "", 0, 1)
    assert "plan" in line.reason
    assert desk.accounts[ALICE].open.fees == (FeeMark(ALICE, "pack", "rent", START_MS, END_MS, 30),)


def test_a_change_whose_fee_can_not_be_paid_does_not_happen(desk: Desk) -> None:
    before = desk.accounts[ALICE]
    with pytest.raises(Refused) as raised:
        desk.do(ALICE, subscribing(desk, rent(60), replace(rent(60), fee="entry")))
    assert raised.value.reason == "INSUFFICIENT_FUNDS"
    assert raised.value.facts["available"] == "40"
    assert desk.accounts[ALICE] is before


def test_no_time_is_paid_for_twice_and_what_follows_is(desk: Desk) -> None:
    desk.do(ALICE, subscribing(desk, rent()))
    with pytest.raises(Refused) as raised:
        desk.do(ALICE, subscribing(desk, rent(from_ms=END_MS - 1, to_ms=END_MS + DAY_MS)))
    assert raised.value.reason == "FEE_POSTED"
    assert raised.value.facts["until_ms"] == str(END_MS)
    desk.do(ALICE, subscribing(desk, rent(from_ms=END_MS, to_ms=END_MS + DAY_MS), offering="other"))
    assert money(desk) == 40


@pytest.mark.parametrize(
    "credit",
    [back(31, START_MS), back(1, START_MS - 1), back(1, START_MS, END_MS - 1), replace(back(1, START_MS), fee="other")],
)
def test_no_more_is_given_back_than_was_taken_for_that_time(desk: Desk, credit: Due) -> None:
    desk.do(ALICE, subscribing(desk, rent()))
    before = desk.accounts[ALICE]
    held = replace(HELD, subscriptions=(*HELD.subscriptions, Subscription("pack", START_MS)))
    with pytest.raises(Refused) as raised:
        desk.do(ALICE, Unsubscribe("pack", "now", START_MS, 0, held, brings(desk, credit)))
    assert raised.value.reason == "FEE_CREDIT_EXCEEDS"
    assert desk.accounts[ALICE] is before


def test_what_is_given_back_once_is_not_there_to_be_given_back_again(desk: Desk) -> None:
    desk.do(ALICE, subscribing(desk, rent()))
    half = START_MS + 15 * DAY_MS
    held = replace(HELD, subscriptions=(*HELD.subscriptions, Subscription("pack", START_MS)))
    desk.do(ALICE, Unsubscribe("pack", "now", half, 0, held, brings(desk, back(15, half))))
    assert money(desk) == 85
    with pytest.raises(Refused) as raised:
        desk.do(ALICE, Unsubscribe("pack", "now", half, 0, held, brings(desk, back(15, half))))
    assert raised.value.reason == "FEE_CREDIT_EXCEEDS"
    desk.do(ALICE, subscribing(desk, rent(15, from_ms=half)))
    assert money(desk) == 70


def test_fees_that_were_rated_on_another_state_are_rated_again_when_it_matters(desk: Desk) -> None:
    plain, discounted = subscribing(desk, rent()), subscribing(desk, rent(depends=True))
    desk.do(ALICE, TopUp("main", "money", 5, 0, 0, "", "deposit"))
    with pytest.raises(VersionMoved):
        desk.do(ALICE, discounted)
    desk.do(ALICE, plain)
    with pytest.raises(VersionMoved):  # The fee is posted by now, which the platform could not know.
        desk.do(ALICE, replace(plain, offering="other"))


@pytest.mark.parametrize("due", [
    rent(-1), rent(from_ms=END_MS), replace(rent(), charge=ledger.seal(charge_of(1, takes=(("minutes", 1),)))),
])  # fmt: skip
def test_what_no_platform_should_send_is_told_as_its_fault(desk: Desk, due: Due) -> None:
    with pytest.raises(Invalid) as raised:
        desk.do(ALICE, subscribing(desk, due))
    assert raised.value.reason == "FEES_MALFORMED"


def test_too_many_fees_and_another_currency_move_nothing(desk: Desk) -> None:
    before = desk.accounts[ALICE]
    foreign = replace(rent(), charge=ledger.seal(charge_of(1, currency="XTS")))
    for dues in ((foreign,), tuple(replace(rent(0), fee=f"f{number}") for number in range(65))):
        with pytest.raises(Fault):
            desk.do(ALICE, subscribing(desk, *dues))
    assert desk.accounts[ALICE] is before


def test_a_repeat_posts_no_fee_again_and_a_new_owner_finds_the_marks(desk: Desk) -> None:
    command = desk.command(ALICE, subscribing(desk, rent()), "once")
    assert desk.commit(command) == desk.commit(command)
    state = desk.accounts[ALICE]
    desk.crash()
    assert desk.accounts[ALICE] == state
    assert money(desk) == 70

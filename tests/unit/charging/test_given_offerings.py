"""Offerings as gifts in the ledger: one entry takes the money in and begins them, or the money comes back, once."""

import pytest
from msgspec.structs import replace

from charging.base.contract import Subscription
from charging.base.due import Due
from charging.base.outgoing import Present
from charging.errors import Fault, Invalid, Refused
from charging.ledger.auditing import Audit
from charging.ledger.commands.give_offering import GiveOffering, OfferingTerms
from charging.ledger.commands.receive_transfer import ReceiveTransfer
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.dues import FeePosted
from charging.ledger.giving import pack_given, read_given
from testkit.examples import given_to
from testkit.ledger import START_MS, Desk

ALICE, BOB = "msisdn:8613000000001", "msisdn:8613000000002"
PRICE, FEE = 9, 1


def friends() -> Desk:
    desk = Desk()
    desk.open(ALICE, 100, credit_limit=500)
    desk.open(BOB, 5)
    return desk


def give(desk: Desk, **changed: object) -> None:
    terms = given_to(desk, ALICE, BOB)
    desk.do(ALICE, GiveOffering(BOB, "pack", {}, 1, "main", replace(terms, **changed)), "once")


def main_of(desk: Desk, account_id: str) -> int:
    return next(book.amount for book in desk.accounts[account_id].books if book.book_id == "main")


def test_money_and_offering_arrive_in_one_entry_once_and_what_the_fee_marks_is_the_receivers() -> None:
    desk = friends()
    terms = given_to(desk, ALICE, BOB)
    for _ in range(2):
        desk.do(ALICE, GiveOffering(BOB, "pack", {}, 1, "main", terms), "once")
        desk.crash()
        desk.drive_transfers()
    assert (main_of(desk, ALICE), main_of(desk, BOB)) == (100 - PRICE - FEE, 5)
    arrived = desk.journals[BOB][-1]
    assert [event.due.charge.amount for event in arrived.events if isinstance(event, FeePosted)] == [PRICE]
    assert [mark.offering for mark in desk.accounts[BOB].open.fees] == ["pack"]
    for account_id in (ALICE, BOB):
        audit = Audit(account_id)
        for entry in desk.journals[account_id]:
            audit.add(entry)
        assert audit.findings == []


def test_what_is_taken_is_never_of_the_receivers_other_money_nor_of_credit() -> None:
    desk = friends()
    desk.open("msisdn:8613000000003", 0)
    terms = replace(given_to(desk, ALICE, BOB), price=101)
    with pytest.raises(Refused) as refused:
        desk.do(ALICE, GiveOffering(BOB, "pack", {}, 1, "", terms))
    assert refused.value.reason == "INSUFFICIENT_FUNDS"
    give(desk)
    desk.drive_transfers()
    assert desk.accounts[BOB].books[0].amount == 5


@pytest.mark.parametrize("meanwhile", ["closed", "late", "fees of its own", "another price"])
def test_what_can_not_begin_any_more_comes_back_with_its_fee_once(meanwhile: str) -> None:
    desk = friends()
    terms = given_to(desk, ALICE, BOB)
    if meanwhile == "another price":
        given = read_given(terms.given)
        terms = replace(terms, price=PRICE - 1, given=pack_given(given))
    desk.do(ALICE, GiveOffering(BOB, "pack", {}, 1, "main", terms), "once")
    if meanwhile == "closed":
        desk.do(BOB, SetStatus("closed", "moved", 5))
    elif meanwhile == "late":
        desk.now_ms += 3_600_000
    elif meanwhile == "fees of its own":
        row = desk.accounts[ALICE].open.outgoing[0]
        assert row.present is not None
        given = read_given(row.present.offering)
        (due,) = given.dues.fees
        other = replace(given, dues=replace(given.dues, base_version=0, fees=(_depending(due),)))
        present = replace(row.present, offering=pack_given(other))
        desk.accounts[ALICE] = desk.accounts[ALICE].with_open(outgoing=(replace(row, present=present),))
        desk.do(BOB, SetStatus("suspended", "asked"))
    before = len(desk.journals[BOB])
    desk.drive_transfers()
    desk.drive_transfers()
    assert (main_of(desk, ALICE), desk.accounts[ALICE].open.outgoing) == (100, ())
    reason = {"closed": "ACCOUNT_CLOSED", "late": "CHANGE_IN_PAST"}.get(meanwhile, "GIFT_OUTDATED")
    assert reason in str(desk.journals[ALICE][-1].events)
    assert all(not entry.events for entry in desk.journals[BOB][before:])


def _depending(due: Due) -> Due:
    return replace(due, charge=replace(due.charge, depends=True))


@pytest.mark.parametrize(
    ("changed", "to", "reason"),
    [
        ({"terms": None}, BOB, "OFFERING_NOT_GIVEN"),
        ({"price": -1}, BOB, "OFFERING_NOT_GIVEN"),
        ({"currency": "USD"}, BOB, "CURRENCY_MISMATCH"),
        ({"price": 100, "fee": 501}, BOB, "INSUFFICIENT_FUNDS"),
        ({}, ALICE, "GIFT_TO_ITSELF"),
    ],
)
def test_each_bad_gift_has_its_reason_and_moves_nothing(changed: dict[str, object], to: str, reason: str) -> None:
    desk = friends()
    terms: OfferingTerms | None = given_to(desk, ALICE, BOB)
    if "terms" in changed:
        terms = None
    elif terms is not None:
        terms = replace(terms, **changed)
    before = desk.accounts[ALICE]
    with pytest.raises(Fault) as fault:
        desk.do(ALICE, GiveOffering(to, "pack", {}, 1, "", terms))
    assert (fault.value.reason, desk.accounts[ALICE]) == (reason, before)


def test_what_is_free_may_be_given_too_and_what_can_not_be_read_is_refused() -> None:
    desk = friends()
    given = read_given(given_to(desk, ALICE, BOB).given)
    free = replace(given, dues=replace(given.dues, fees=()), added=Subscription("free", START_MS, 0))
    give(desk, price=0, fee=0, given=pack_given(free))
    desk.drive_transfers()
    assert (main_of(desk, ALICE), desk.accounts[ALICE].open.outgoing) == (100, ())
    assert "free" in str(desk.journals[BOB][-1].events)
    present = Present(ALICE, "pack", "money", "", 0, b"\xc1")
    with pytest.raises(Invalid, match="can't be read"):
        desk.do(BOB, ReceiveTransfer(ALICE, "main", 9, "", 0, "XTS", present))

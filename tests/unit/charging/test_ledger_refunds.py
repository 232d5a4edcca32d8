"""Refunds by key: never more than the charge, back to where it came from."""

import pytest

from charging.base.account import MONEY, Book
from charging.errors import Invalid, NotFound, Refused
from charging.ledger.commands.refund import REFUND_WINDOW_MS, REFUNDS_MAX, Refund
from testkit.ledger import DAY_MS, START_MS, Desk, charge_of, post

ID = "msisdn:8613000000001"


def amounts(desk: Desk) -> dict[str, int]:
    return {book.book_id: book.amount for book in desk.accounts[ID].books}


def charged_desk() -> Desk:
    """Give an account that paid 30 from a gift and 20 from its main book, 40 seconds of a pack, under the key c."""
    desk = Desk()
    books = (Book("gift", MONEY, 30, priority=1, valid_to_ms=START_MS + DAY_MS), Book("pack", "second", 100))
    account = desk.open(ID, 100, books=books)
    desk.do(ID, post(account, charge_of(50, takes=(("pack", 40),), accruals=(("voice@2027-01", 100),))), key="c")
    assert amounts(desk) == {"gift": 0, "main": 80, "pack": 60}
    return desk


def test_a_whole_refund_gives_back_money_units_and_accumulators() -> None:
    desk = charged_desk()
    assert desk.do(ID, Refund("c", 0, "complaint")).amount == 50
    assert amounts(desk) == {"gift": 30, "main": 100, "pack": 100}
    assert desk.accounts[ID].accumulators == {"voice@2027-01": 0}


def test_parts_return_what_was_taken_last_first_and_never_add_up_to_more_than_the_charge() -> None:
    desk = charged_desk()
    desk.do(ID, Refund("c", 15, "part"))
    assert amounts(desk) == {"gift": 0, "main": 95, "pack": 60}
    desk.do(ID, Refund("c", 10, "part"))
    assert amounts(desk) == {"gift": 5, "main": 100, "pack": 60}
    with pytest.raises(Refused) as refusal:
        desk.do(ID, Refund("c", 26, "too much"))
    assert (refusal.value.reason, refusal.value.facts["left"]) == ("REFUND_EXCEEDS_CHARGE", "25")
    assert desk.do(ID, Refund("c", 0, "rest")).amount == 25
    assert amounts(desk) == {"gift": 30, "main": 100, "pack": 100}
    desk.crash()
    assert amounts(desk) == {"gift": 30, "main": 100, "pack": 100}


def test_refunding_twice_is_refused() -> None:
    desk = charged_desk()
    desk.do(ID, Refund("c", 0, "complaint"))
    for amount in (0, 1):
        with pytest.raises(Refused) as refusal:
            desk.do(ID, Refund("c", amount, "again"))
        assert refusal.value.reason == "REFUNDED_ALREADY"
    assert amounts(desk)["main"] == 100


@pytest.mark.parametrize(
    ("refund", "kind", "reason"),
    [
        (Refund("c", 51, ""), Refused, "REFUND_EXCEEDS_CHARGE"),
        (Refund("c", -1, ""), Invalid, "AMOUNT_OUT_OF_RANGE"),
        (Refund("unknown", 1, ""), NotFound, "CHARGE_UNKNOWN"),
        (Refund("key-1", 1, ""), NotFound, "CHARGE_UNKNOWN"),
    ],
)
def test_each_bad_refund_has_its_reason_and_moves_nothing(refund, kind, reason) -> None:  # noqa: ANN001
    desk = charged_desk()
    before = desk.accounts[ID]
    with pytest.raises(kind) as fault:
        desk.do(ID, refund)
    assert fault.value.reason == reason
    assert desk.accounts[ID] == before


def test_what_came_from_a_book_that_is_over_returns_to_the_main_book() -> None:
    desk = charged_desk()
    desk.now_ms += 2 * DAY_MS
    desk.do(ID, Refund("c", 0, "late"))
    assert amounts(desk) == {"gift": 0, "main": 130, "pack": 100}


def test_a_free_charge_can_be_reversed_once() -> None:
    desk = Desk()
    account = desk.open(ID)
    desk.do(ID, post(account, charge_of(0, accruals=(("free@2027-01", 60),))), key="f")
    assert desk.do(ID, Refund("f", 0, "never happened")).amount == 0
    assert desk.accounts[ID].accumulators["free@2027-01"] == 0
    with pytest.raises(Refused, match="given back before"):
        desk.do(ID, Refund("f", 0, "again"))


def test_old_charges_are_out_of_reach_and_their_rows_make_room() -> None:
    desk = charged_desk()
    desk.do(ID, Refund("c", 1, "part"))
    desk.now_ms += REFUND_WINDOW_MS + 1
    with pytest.raises(Refused) as refusal:
        desk.do(ID, Refund("c", 1, "late"))
    assert refusal.value.reason == "REFUND_TOO_LATE"
    desk.do(ID, post(desk.accounts[ID], charge_of(1)), key="new")
    desk.do(ID, Refund("new", 0, "soon"))
    assert [row[0] for row in desk.accounts[ID].open.refunds] == ["new"]


def test_the_rows_of_refunds_are_bounded() -> None:
    desk = Desk()
    desk.open(ID, 2 * REFUNDS_MAX)
    for number in range(REFUNDS_MAX + 1):
        desk.do(ID, post(desk.accounts[ID], charge_of(1)), key=f"c{number}")
    for number in range(REFUNDS_MAX):
        desk.do(ID, Refund(f"c{number}", 0, ""))
    with pytest.raises(Refused) as refusal:
        desk.do(ID, Refund(f"c{REFUNDS_MAX}", 0, ""))
    assert refusal.value.reason == "REFUNDS_FULL"

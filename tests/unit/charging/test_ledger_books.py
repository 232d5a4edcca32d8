"""Top-ups, adjustments, moves between books, and the end of expired books."""

import pytest
from msgspec.structs import replace

from charging.base.account import MONEY, Book
from charging.base.bounds import BOOK_MAX
from charging.base.lateness import LATE_MS_MAX
from charging.errors import Conflict, Invalid, Refused
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.move_money import MoveMoney
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.top_up import TopUp
from testkit.ledger import DAY_MS, START_MS, Desk, charge_of, post

ID = "msisdn:8613000000001"


def top_up(amount: int, book_id: str = "", *, unit: str = "", valid_to_ms: int = 0, allowance: str = "") -> TopUp:
    return TopUp(book_id, unit, amount, valid_to_ms, 0, allowance, "deposit")


def amounts(desk: Desk) -> dict[str, int]:
    return {book.book_id: book.amount for book in desk.accounts[ID].books}


def test_a_deposit_adds_to_the_main_book_and_a_pack_makes_its_own() -> None:
    desk = Desk()
    desk.open(ID, 1)
    assert desk.do(ID, top_up(9)).movements[0].after == 10
    done = desk.do(ID, top_up(3_600, "pack", unit="second", valid_to_ms=START_MS + DAY_MS, allowance="night"))
    assert (done.movements[0].before, done.movements[0].after, done.movements[0].unit) == (0, 3_600, "second")
    book = next(book for book in desk.accounts[ID].books if book.book_id == "pack")
    assert (book.valid_to_ms, book.allowance) == (START_MS + DAY_MS, "night")


def test_a_repeat_of_the_key_adds_once_and_another_content_under_it_is_a_conflict() -> None:
    desk = Desk()
    desk.open(ID)
    first = desk.do(ID, top_up(5), key="t")
    assert desk.do(ID, top_up(5), key="t") == first
    with pytest.raises(Conflict):
        desk.do(ID, top_up(6), key="t")
    assert amounts(desk) == {"main": 5}


def test_a_later_end_prolongs_a_book_and_an_open_end_stays_open() -> None:
    desk = Desk()
    desk.open(ID)
    for days in (2, 1, 3):
        desk.do(ID, top_up(1, "gift", valid_to_ms=START_MS + days * DAY_MS))
    assert desk.accounts[ID].books[0].valid_to_ms == START_MS + 3 * DAY_MS
    desk.do(ID, top_up(1, "gift"))
    assert desk.accounts[ID].books[0].valid_to_ms == 0


def test_a_pack_holds_from_its_purchase_and_an_empty_one_begins_anew() -> None:
    desk = Desk()
    desk.open(ID, 5)

    def begins() -> dict[str, int]:
        return {book.book_id: book.valid_from_ms for book in desk.accounts[ID].books}

    desk.do(ID, top_up(3, "pack", unit="byte"))
    desk.do(ID, top_up(3, "gift"))
    desk.do(ID, replace(top_up(3, "soon", unit="byte"), valid_from_ms=START_MS + DAY_MS))
    assert begins() == {"main": 0, "pack": START_MS, "gift": 0, "soon": START_MS + DAY_MS}
    desk.now_ms += DAY_MS
    desk.do(ID, top_up(3, "pack", unit="byte"))
    assert begins()["pack"] == START_MS
    with pytest.raises(Invalid) as refused:
        desk.do(ID, replace(top_up(3, "pack", unit="byte"), valid_from_ms=START_MS + 1))
    assert refused.value.reason == "VALIDITY_FIXED"
    desk.do(ID, Adjust("pack", -6, "used up"), actor="li")
    desk.do(ID, top_up(3, "pack", unit="byte"))
    assert begins()["pack"] == START_MS + DAY_MS


def test_expired_books_lapse_after_the_wait_for_late_records_and_are_never_revived() -> None:
    desk = Desk()
    desk.open(ID, 7, books=(Book("gift", MONEY, 5, valid_to_ms=START_MS + 1), Book("pack", "byte", 9, valid_to_ms=1)))
    desk.now_ms = START_MS + 2
    desk.do(ID, top_up(1))
    assert amounts(desk) == {"main": 8, "gift": 5}
    done = desk.do(ID, top_up(2, "gift", valid_to_ms=START_MS + DAY_MS))
    assert amounts(desk) == {"main": 8, "gift": 2}
    assert (done.movements[0].before, done.movements[0].after) == (5, 2)
    desk.now_ms = START_MS + DAY_MS + LATE_MS_MAX
    desk.do(ID, top_up(1))
    assert amounts(desk) == {"main": 9}
    before = dict(desk.accounts)
    desk.crash()
    assert desk.accounts == before


@pytest.mark.parametrize(
    ("action", "kind", "reason"),
    [
        (top_up(-1), Invalid, "TOP_UP_NOT_POSITIVE"),
        (top_up(0), Invalid, "TOP_UP_NOT_POSITIVE"),
        (top_up(10**15 + 1), Invalid, "AMOUNT_OUT_OF_RANGE"),
        (top_up(1, valid_to_ms=START_MS - 1), Invalid, "VALIDITY_OVER"),
        (top_up(1, unit="byte"), Refused, "UNIT_MISMATCH"),
        (top_up(1, "pack"), Refused, "UNIT_MISMATCH"),
        (top_up(1, "pack", unit="second", allowance="day"), Refused, "ALLOWANCE_MISMATCH"),
        (Adjust("main", -101, "slip"), Refused, "INSUFFICIENT_FUNDS"),
        (Adjust("none", 1, "slip"), Refused, "BOOK_UNKNOWN"),
        (Adjust("main", 0, "slip"), Invalid, "ADJUSTMENT_EMPTY"),
        (Adjust("main", 1, " "), Invalid, "ADJUSTMENT_UNSIGNED"),
        (MoveMoney("main", "main", 1, ""), Refused, "MOVE_TO_SELF"),
        (MoveMoney("main", "none", 1, ""), Refused, "BOOK_UNKNOWN"),
        (MoveMoney("main", "pack", 1, ""), Refused, "UNIT_MISMATCH"),
        (MoveMoney("main", "savings", -1, ""), Invalid, "AMOUNT_NOT_POSITIVE"),
        (MoveMoney("main", "savings", 101, ""), Refused, "INSUFFICIENT_FUNDS"),
        (MoveMoney("over", "main", 1, ""), Refused, "BOOK_EXPIRED"),
        (MoveMoney("main", "over", 1, ""), Refused, "BOOK_EXPIRED"),
    ],
)
def test_each_bad_request_has_its_reason_and_moves_nothing(action, kind, reason) -> None:  # noqa: ANN001
    desk = Desk()
    books = (Book("pack", "second", 5), Book("savings", MONEY, 0), Book("over", MONEY, 5, valid_to_ms=START_MS))
    before = desk.open(ID, 100, books=books, credit_limit=0)
    with pytest.raises(kind) as fault:
        desk.do(ID, action, actor="clerk-7")
    assert fault.value.reason == reason
    assert desk.accounts[ID] == before


def test_an_adjustment_needs_its_actor() -> None:
    desk = Desk()
    desk.open(ID, 100)
    with pytest.raises(Invalid) as fault:
        desk.do(ID, Adjust("main", 1, "slip"))
    assert (fault.value.reason, set(fault.value.fields)) == ("ADJUSTMENT_UNSIGNED", {"actor"})


def test_an_adjustment_may_go_down_to_the_credit_limit_and_not_below() -> None:
    desk = Desk()
    desk.open(ID, 100, credit_limit=50)
    assert desk.do(ID, Adjust("", -150, "billing error 7"), actor="clerk-7").movements[0].after == -50
    with pytest.raises(Refused, match="0 are available"):
        desk.do(ID, Adjust("", -1, "one more"), actor="clerk-7")


def test_moving_between_books_keeps_the_sum_and_never_uses_credit() -> None:
    desk = Desk()
    desk.open(ID, 100, books=(Book("savings", MONEY, 0, allowance="bound"),), credit_limit=1_000)
    done = desk.do(ID, MoveMoney("", "savings", 100, "put aside"))
    assert sum(move.after - move.before for move in done.movements) == 0
    with pytest.raises(Refused) as refusal:
        desk.do(ID, MoveMoney("", "savings", 1, "more"))
    assert refusal.value.reason == "INSUFFICIENT_FUNDS"


def test_a_closed_account_takes_no_deposit_but_can_still_be_paid_out() -> None:
    desk = Desk()
    desk.open(ID, 100)
    desk.do(ID, SetStatus("closed", "left"))
    with pytest.raises(Refused) as refusal:
        desk.do(ID, top_up(1))
    assert refusal.value.reason == "ACCOUNT_CLOSED"
    assert desk.do(ID, Adjust("", -100, "paid out"), actor="clerk-7").movements[0].after == 0


def test_a_refusal_is_kept_under_its_key_even_when_funds_come_later() -> None:
    desk = Desk()
    account = desk.open(ID, 1)
    charge = post(account, charge_of(2))
    with pytest.raises(Refused, match=r"0.000002 CNY are asked and 0.000001 are available"):
        desk.do(ID, charge, key="c")
    desk.do(ID, top_up(5))
    with pytest.raises(Refused):
        desk.do(ID, charge, key="c")
    assert amounts(desk) == {"main": 6}


def test_a_book_never_grows_beyond_what_all_sums_on_the_way_can_hold() -> None:
    desk = Desk()
    desk.open(ID, 10**15, books=(Book("side", MONEY, 10**15),))
    other = "msisdn:8613000000002"
    desk.open(other, 10)
    while desk.accounts[ID].books[0].amount < BOOK_MAX:
        desk.do(ID, TopUp("", "", 10**15, 0, 0, "", "deposit"))
    before = desk.accounts[ID]
    for action in (TopUp("", "", 1, 0, 0, "", "deposit"), Adjust("", 1, "more"), MoveMoney("side", "", 1, "save")):
        with pytest.raises(Refused) as refusal:
            desk.do(ID, action, actor="clerk-7")
        assert refusal.value.reason == "BOOK_FULL"
    desk.do(other, SendTransfer("", ID, "", 5, "gift"))
    desk.drive_transfers()
    assert desk.accounts[other].books[0].amount == 10
    assert desk.accounts[ID] == before

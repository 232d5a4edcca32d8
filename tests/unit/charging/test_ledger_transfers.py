"""Transfers between accounts: exactly once, never half."""

import pytest
from msgspec.structs import replace

from charging.base.account import MONEY, Book
from charging.errors import Invalid, NotFound, Refused
from charging.ledger.commands.move_money import MoveMoney
from charging.ledger.commands.move_out import MoveOut
from charging.ledger.commands.receive_transfer import ReceiveTransfer
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.settle_transfer import SettleTransfer
from charging.ledger.own import receive_command
from charging.ledger.sending import OUTGOING_MAX
from testkit.ledger import START_MS, Desk, contract_of, opening

A, B = "msisdn:8613000000001", "msisdn:8613000000002"


def two(money: int = 100) -> Desk:
    desk = Desk()
    desk.open(A, money, credit_limit=50, books=(Book("pack", "byte", 5), Book("bound", MONEY, 5, allowance="x")))
    desk.open(B)
    return desk


def main_of(desk: Desk, account_id: str) -> int:
    return next(book.amount for book in desk.accounts[account_id].books if book.book_id == "main")


def test_money_leaves_travels_and_arrives_once_through_crashes_and_repeats() -> None:
    desk = two()
    desk.do(A, SendTransfer("", B, "", 30, "gift"), key="t")
    assert (main_of(desk, A), main_of(desk, B)) == (70, 0)
    desk.crash()
    row = desk.accounts[A].open.outgoing[0]
    for _ in range(3):
        desk.commit(receive_command(desk.accounts[A], row, B, desk.now_ms))
        desk.crash()
    assert (main_of(desk, A), main_of(desk, B)) == (70, 30)
    desk.drive_transfers()
    assert desk.accounts[A].open.outgoing == ()
    desk.do(A, SendTransfer("", B, "", 30, "gift"), key="t")
    desk.drive_transfers()
    assert (main_of(desk, A), main_of(desk, B)) == (70, 30)


@pytest.mark.parametrize("action", [SetStatus("closed", "left"), MoveOut("SH")])
def test_what_the_other_side_refuses_comes_back(action) -> None:  # noqa: ANN001
    desk = two()
    desk.do(B, action)
    desk.do(A, SendTransfer("", B, "", 30, "gift"))
    desk.drive_transfers()
    assert (main_of(desk, A), main_of(desk, B), desk.accounts[A].open.outgoing) == (100, 0, ())


def test_an_account_that_does_not_exist_gives_it_back() -> None:
    desk = two()
    desk.do(A, SendTransfer("", "msisdn:8613000000009", "", 30, "gift"))
    desk.drive_transfers()
    assert main_of(desk, A) == 100


@pytest.mark.parametrize(
    ("action", "kind", "reason"),
    [
        (SendTransfer("", A, "", 1, ""), Refused, "TRANSFER_TO_ITSELF"),
        (SendTransfer("", "msisdn:8613000000003", "", 1, ""), Refused, "TRANSFER_TO_ITSELF"),
        (SendTransfer("", B, "", 0, ""), Invalid, "AMOUNT_NOT_POSITIVE"),
        (SendTransfer("", B, "", 101, ""), Refused, "INSUFFICIENT_FUNDS"),
        (SendTransfer("none", B, "", 1, ""), Refused, "BOOK_UNKNOWN"),
        (SendTransfer("pack", B, "", 1, ""), Refused, "BOOK_BOUND"),
        (SendTransfer("bound", B, "", 1, ""), Refused, "BOOK_BOUND"),
        (ReceiveTransfer(A, "", 1, "", 0, "CNY"), Refused, "TRANSFER_TO_ITSELF"),
        (ReceiveTransfer(B, "pack", 1, "", 0, "CNY"), Refused, "UNIT_MISMATCH"),
        (ReceiveTransfer(B, "", 0, "", 0, "CNY"), Invalid, "AMOUNT_NOT_POSITIVE"),
        (ReceiveTransfer(B, "", 1, "", 0, "USD"), Refused, "CURRENCY_MISMATCH"),
        (SettleTransfer("none", True, ""), NotFound, "TRANSFER_UNKNOWN"),
    ],
)
def test_each_bad_transfer_has_its_reason_and_moves_nothing(action, kind, reason) -> None:  # noqa: ANN001
    desk = two()
    desk.do(A, SetContract(contract_of("msisdn:8613000000003", A)))
    before = desk.accounts[A]
    with pytest.raises(kind) as fault:
        desk.do(A, action)
    assert fault.value.reason == reason
    assert desk.accounts[A] == before


def test_money_of_another_currency_comes_back() -> None:
    desk = two()
    dollars = replace(opening("msisdn:8613000000003", 7), currency="USD")
    desk.do("msisdn:8613000000003", dollars)
    desk.do(A, SendTransfer("", "msisdn:8613000000003", "", 30, "gift"))
    desk.drive_transfers()
    assert (main_of(desk, A), main_of(desk, "msisdn:8613000000003"), desk.accounts[A].open.outgoing) == (100, 7, ())


@pytest.mark.parametrize(
    "book",
    [Book("promo", MONEY, 0, valid_to_ms=START_MS), Book("promo", MONEY, 0, valid_from_ms=START_MS + 1)],
)
def test_money_for_a_book_that_is_not_valid_comes_back_as_a_move_into_it_is_refused(book: Book) -> None:
    desk = two()
    desk.open("msisdn:8613000000003", 5, books=(book,))
    desk.do(A, SendTransfer("", "msisdn:8613000000003", "promo", 30, "gift"))
    desk.drive_transfers()
    assert (main_of(desk, A), desk.accounts[A].open.outgoing) == (100, ())
    assert [book.amount for book in desk.accounts["msisdn:8613000000003"].books] in ([5, 0], [0, 5])
    with pytest.raises(Refused) as refusal:
        desk.do("msisdn:8613000000003", MoveMoney("main", "promo", 5, ""))
    assert refusal.value.reason == "BOOK_EXPIRED"


def test_money_bound_to_a_scope_leaves_it_neither_to_another_account_nor_to_another_book() -> None:
    for action in (SendTransfer("bound", B, "", 1, ""), MoveMoney("bound", "main", 1, "")):
        with pytest.raises(Refused) as refusal:
            two().do(A, action)
        assert refusal.value.reason == "BOOK_BOUND"


def test_a_suspended_account_sends_nothing() -> None:
    desk = two()
    desk.do(A, SetStatus("suspended", "lost"))
    with pytest.raises(Refused) as refusal:
        desk.do(A, SendTransfer("", B, "", 1, ""))
    assert refusal.value.reason == "ACCOUNT_SUSPENDED"


def test_transfers_under_way_are_bounded_and_hold_off_closing() -> None:
    desk = two()
    for _ in range(OUTGOING_MAX):
        desk.do(A, SendTransfer("", B, "", 1, ""))
    for action in (SendTransfer("", B, "", 1, ""), SetStatus("closed", "left")):
        with pytest.raises(Refused) as refusal:
            desk.do(A, action)
        assert refusal.value.reason == "TRANSFERS_PENDING"

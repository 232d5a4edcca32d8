"""Vouchers as an account knows them: asked for, decided once, wrong codes counted where nothing evades them."""

import pytest

from charging.base.account import MONEY, Book
from charging.errors import Fault, Refused, Unavailable
from charging.ledger.auditing import Audit
from charging.ledger.commands.lift_voucher_block import LiftVoucherBlock
from charging.ledger.commands.redeem_voucher import CodeRead, RedeemVoucher
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.history import line, outcome
from charging.ledger.outcome import Done, Failed
from charging.ledger.own import settle_voucher_command
from charging.ledger.vouchers import WINDOW_MS, WRONG_MAX, Worth
from testkit.ledger import DAY_MS, START_MS, Desk

ME = "msisdn:8613000000001"
READ = CodeRead("vouchers:GD/0:1.0", (b"a hash of code16",))
FIFTY = Worth("GD/0:1.0.7", MONEY, 50, "", "", 0)
NO_SUCH = Failed("refused", "VOUCHER_UNKNOWN", "there is no voucher of this code")


def desk_of(money: int = 100, *books: Book) -> Desk:
    desk = Desk()
    desk.open(ME, money, books=books)
    return desk


def redeem(desk: Desk, key: str) -> str:
    """Ask for a voucher; gives the reason that is told."""
    try:
        desk.do(ME, RedeemVoucher("", READ), key)
    except Fault as fault:
        return fault.reason
    return ""


def settle(desk: Desk, key: str, worth: Worth | None, refusal: Failed | None = None, returns: str = "") -> None:
    row = next(row for row in desk.accounts[ME].open.outgoing if row.key == key)
    desk.commit(settle_voucher_command(desk.accounts[ME], row, desk.now_ms, worth, refusal, returns))


def guess(desk: Desk, key: str) -> str:
    """Give a wrong code; tells the reason of its end, or of its refusal."""
    found = redeem(desk, key)
    if found != "VOUCHER_UNDER_WAY":
        return found
    settle(desk, key, None, NO_SUCH)
    return redeem(desk, key)


def money(desk: Desk) -> dict[str, int]:
    return {book.book_id: book.amount for book in desk.accounts[ME].books}


def sound(desk: Desk) -> None:
    audit = Audit(ME)
    for entry in desk.journals[ME]:
        audit.add(entry)
    assert audit.findings == []
    before = desk.accounts
    desk.crash()
    assert desk.accounts == before


def test_a_voucher_is_under_way_until_its_sheet_has_said_then_every_repeat_is_told_the_end() -> None:
    desk = desk_of()
    assert [redeem(desk, "once") for _ in range(2)] == ["VOUCHER_UNDER_WAY"] * 2
    assert money(desk) == {"main": 100}
    settle(desk, "once", FIFTY)
    command = desk.command(ME, RedeemVoucher("", READ), "once")
    done = desk.commit(command)
    assert (done.amount, money(desk), desk.accounts[ME].open.outgoing) == (50, {"main": 150}, ())
    assert [(each.before, each.after) for each in done.movements] == [(100, 150)]
    assert "GD/0:1.0.7" in line(desk.journals[ME][-1]).reason
    assert desk.accounts[ME].terms.topped_up
    sound(desk)


def test_what_it_gives_is_in_its_book_with_its_scope_and_holds_as_long_as_it_says() -> None:
    desk = desk_of()
    redeem(desk, "units")
    settle(desk, "units", Worth("GD/0:1.0.8", "byte", 700, "pack", "data-scope", DAY_MS))
    book = next(book for book in desk.accounts[ME].books if book.book_id == "pack")
    assert (book.unit, book.amount, book.allowance, book.valid_to_ms) == ("byte", 700, "data-scope", START_MS + DAY_MS)
    sound(desk)


def test_what_the_books_can_not_take_goes_back_and_is_told_with_the_reason_of_the_books() -> None:
    desk = desk_of(100, Book("pack", "second", 5))
    redeem(desk, "units")
    with pytest.raises(Refused) as refused:
        settle(desk, "units", Worth("GD/0:1.0.8", "byte", 700, "pack"))
    assert refused.value.reason == "UNIT_MISMATCH"
    settle(desk, "units", None, None, refused.value.reason)
    assert desk.accounts[ME].open.outgoing[0].voucher.returns == "UNIT_MISMATCH"  # type: ignore[union-attr]
    assert redeem(desk, "units") == "VOUCHER_UNDER_WAY"
    settle(desk, "units", None)
    assert (redeem(desk, "units"), money(desk)) == ("UNIT_MISMATCH", {"main": 100, "pack": 5})
    assert desk.accounts[ME].open.missed == ()
    sound(desk)


def test_after_too_many_wrong_codes_no_voucher_is_taken_until_an_operator_says_so() -> None:
    desk = desk_of()
    told = [guess(desk, f"guess-{number}") for number in range(WRONG_MAX)]
    assert told == ["VOUCHER_UNKNOWN"] * WRONG_MAX
    assert line(desk.journals[ME][-1]).reason == "VOUCHER_UNKNOWN"
    assert "vouchers-blocked" in outcome(desk.journals[ME][-1]).notices  # type: ignore[union-attr]
    for _ in range(2):
        assert redeem(desk, "right") == "VOUCHERS_BLOCKED"
        desk.crash()
        desk.now_ms += WINDOW_MS
    desk.do(ME, LiftVoucherBlock("he has the card"))
    assert redeem(desk, "right-2") == "VOUCHER_UNDER_WAY"
    with pytest.raises(Refused, match="no wrong code"):
        desk.do(ME, LiftVoucherBlock("again"))
    sound(desk)


def test_wrong_codes_count_in_a_window_that_goes_along_and_a_right_one_wipes_none_of_them_out() -> None:
    desk = desk_of()
    for number in range(WRONG_MAX - 1):
        guess(desk, f"early-{number}")
    redeem(desk, "right")
    settle(desk, "right", FIFTY)
    assert len(desk.accounts[ME].open.missed) == WRONG_MAX - 1
    desk.now_ms += WINDOW_MS + 1
    assert [guess(desk, f"late-{number}") for number in range(WRONG_MAX - 1)] == ["VOUCHER_UNKNOWN"] * (WRONG_MAX - 1)
    assert guess(desk, "one-more") == "VOUCHER_UNKNOWN"
    assert redeem(desk, "after") == "VOUCHERS_BLOCKED"


def test_guesses_side_by_side_do_not_pass_the_bound() -> None:
    desk = desk_of()
    guess(desk, "wrong")
    told = [redeem(desk, f"side-{number}") for number in range(WRONG_MAX)]
    assert told == ["VOUCHER_UNDER_WAY"] * (WRONG_MAX - 1) + ["VOUCHERS_PENDING"]
    for number in range(WRONG_MAX - 1):
        settle(desk, f"side-{number}", None, NO_SUCH)
    assert redeem(desk, "next") == "VOUCHERS_BLOCKED"


@pytest.mark.parametrize("reason", ["VOUCHER_USED", "VOUCHER_EXPIRED", "VOUCHER_BLOCKED", "VOUCHER_ELSEWHERE"])
def test_whoever_knew_the_code_of_a_voucher_that_can_not_be_used_has_not_guessed(reason: str) -> None:
    desk = desk_of()
    redeem(desk, "known")
    settle(desk, "known", None, Failed("refused", reason, "no"))
    assert (redeem(desk, "known"), desk.accounts[ME].open.missed) == (reason, ())


def test_an_account_does_not_close_over_a_voucher_that_is_under_way() -> None:
    desk = desk_of(0)
    redeem(desk, "asked")
    with pytest.raises(Refused) as refused:
        desk.do(ME, SetStatus("closed", "gone"))
    assert refused.value.reason == "TRANSFERS_PENDING"
    settle(desk, "asked", None, NO_SUCH)
    assert isinstance(desk.do(ME, SetStatus("closed", "gone")), Done)
    assert redeem(desk, "too-late") == "ACCOUNT_CLOSED"


def test_a_platform_that_leaves_the_code_in_is_refused() -> None:
    desk = desk_of()
    for action in (
        RedeemVoucher("GD-0001", READ),
        RedeemVoucher("", None),
        RedeemVoucher("", CodeRead("vouchers:GD/0:1.0", (b"short",))),
    ):
        with pytest.raises(Fault, match="not read"):
            desk.do(ME, action)
    assert isinstance(Unavailable("VOUCHER_UNDER_WAY", "so"), Fault)

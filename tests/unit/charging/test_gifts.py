"""Gifts between subscribers: by a rule, bounded, with the other party in both histories, never lost nor doubled."""

import pytest
from msgspec.structs import replace

from charging.base.account import MONEY, Book
from charging.errors import Invalid, Refused
from charging.ledger.auditing import Audit
from charging.ledger.commands.gift import Gift, GiftTerms
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.top_up import TopUp
from charging.ledger.history import line
from charging.ledger.own import receive_command, settle_command
from testkit.ledger import START_MS, Desk

ALICE, BOB = "msisdn:8613000000001", "msisdn:8613000000002"
DAY_MS = 86_400_000
MONEY_RULE = GiftTerms("Friends", MONEY, (), 10, 500, 800, 1_000, 3, "main", "", 0, ALICE)
UNITS_RULE = GiftTerms("Data", "byte", ("pack",), 1, 500, 0, 0, 0, "gift.data", "data-scope", START_MS + DAY_MS, ALICE)


def friends() -> Desk:
    desk = Desk()
    desk.open(
        ALICE, 5_000, books=(Book("pack", "byte", 600, allowance="data-scope"), Book("bound", MONEY, 50, allowance="x"))
    )
    desk.open(BOB)
    return desk


def amounts(desk: Desk, account_id: str) -> dict[str, int]:
    return {book.book_id: book.amount for book in desk.accounts[account_id].books}


def deliver(desk: Desk) -> None:
    """Carry what is under way, as the courier does."""
    for row in desk.accounts[ALICE].open.outgoing:
        refusal = ""
        try:
            desk.commit(receive_command(desk.accounts[ALICE], row, row.to_identity, desk.now_ms))
        except Refused as refused:
            refusal = refused.reason
        desk.commit(settle_command(desk.accounts[ALICE], row, refusal, desk.now_ms))


def test_money_arrives_once_with_the_other_party_in_both_histories_and_the_fee_is_the_givers() -> None:
    desk = friends()
    desk.do(ALICE, Gift(BOB, "friends", 100, "main", MONEY_RULE), "once")
    desk.do(ALICE, Gift(BOB, "friends", 100, "main", MONEY_RULE), "once")
    deliver(desk)
    assert (amounts(desk, ALICE)["main"], amounts(desk, BOB)["main"]) == (4_897, 100)
    assert BOB in line(desk.journals[ALICE][1]).reason
    assert ALICE in line(desk.journals[BOB][1]).reason
    for account_id in (ALICE, BOB):
        audit = Audit(account_id)
        for entry in desk.journals[account_id]:
            audit.add(entry)
        assert audit.findings == []
    before = desk.accounts
    desk.crash()
    assert desk.accounts == before


def test_units_arrive_in_a_book_with_the_scope_and_the_end_that_the_rule_gives() -> None:
    desk = friends()
    desk.do(ALICE, Gift(BOB, "data", 200, "pack", UNITS_RULE))
    deliver(desk)
    book = next(book for book in desk.accounts[BOB].books if book.book_id == "gift.data")
    assert (book.unit, book.amount, book.allowance, book.valid_to_ms) == ("byte", 200, "data-scope", START_MS + DAY_MS)
    assert amounts(desk, ALICE)["pack"] == 400


def test_what_the_other_side_can_not_take_comes_back_where_it_was_also_units() -> None:
    desk = friends()
    desk.do(ALICE, Gift(BOB, "data", 200, "pack", replace(UNITS_RULE, to_book="main", allowance="")))
    deliver(desk)
    assert (amounts(desk, ALICE)["pack"], amounts(desk, BOB)) == (600, {"main": 0})
    assert line(desk.journals[ALICE][-1]).reason == "UNIT_MISMATCH"


def test_what_comes_back_after_its_book_has_ended_lapses_there_and_is_no_free_money() -> None:
    desk = Desk()
    desk.open(ALICE, 1_000, books=(Book("bound", MONEY, 50, allowance="x", valid_to_ms=START_MS + 1_000),))
    desk.open(BOB)
    rule = replace(MONEY_RULE, books=("bound",), fee=0, to_book="main")
    desk.do(ALICE, Gift(BOB, "friends", 50, "bound", rule))
    desk.now_ms += 2_000
    desk.do(ALICE, TopUp("main", MONEY, 1, 0, 0, "", ""))
    desk.commit(
        settle_command(desk.accounts[ALICE], desk.accounts[ALICE].open.outgoing[0], "ACCOUNT_CLOSED", desk.now_ms)
    )
    assert amounts(desk, ALICE) == {"main": 1_001, "bound": 50}
    desk.now_ms += 40 * DAY_MS
    desk.do(ALICE, TopUp("main", MONEY, 1, 0, 0, "", ""))
    assert amounts(desk, ALICE) == {"main": 1_002}


def test_a_day_and_a_month_bound_what_is_given_by_a_rule() -> None:
    desk = friends()
    desk.do(ALICE, Gift(BOB, "friends", 500, "main", MONEY_RULE))
    with pytest.raises(Refused) as refused:
        desk.do(ALICE, Gift(BOB, "friends", 301, "main", MONEY_RULE))
    assert (refused.value.reason, refused.value.facts["of"]) == ("GIFT_OUT_OF_BOUNDS", "day")
    desk.do(ALICE, Gift(BOB, "friends", 300, "main", MONEY_RULE))
    desk.now_ms += DAY_MS
    with pytest.raises(Refused) as refused:
        desk.do(ALICE, Gift(BOB, "friends", 300, "main", MONEY_RULE))
    assert refused.value.facts["of"] == "month"
    desk.do(ALICE, Gift(BOB, "friends", 200, "main", MONEY_RULE))


@pytest.mark.parametrize(
    ("gift", "reason"),
    [
        (Gift(BOB, "friends", 9, "main", MONEY_RULE), "GIFT_OUT_OF_BOUNDS"),
        (Gift(BOB, "friends", 501, "main", MONEY_RULE), "GIFT_OUT_OF_BOUNDS"),
        (Gift(ALICE, "friends", 50, "main", MONEY_RULE), "GIFT_TO_ITSELF"),
        (Gift(BOB, "friends", 50, "bound", MONEY_RULE), "BOOK_BOUND"),
        (Gift(BOB, "friends", 50, "nowhere", MONEY_RULE), "BOOK_UNKNOWN"),
        (Gift(BOB, "friends", 50, "pack", MONEY_RULE), "UNIT_MISMATCH"),
        (Gift(BOB, "data", 50, "main", replace(UNITS_RULE, unit=MONEY)), "BOOK_BOUND"),
        (Gift(BOB, "data", 500, "pack", replace(UNITS_RULE, fee=9_000)), "INSUFFICIENT_FUNDS"),
        (Gift(BOB, "friends", 499, "main", replace(MONEY_RULE, fee=4_600)), "INSUFFICIENT_FUNDS"),
    ],
)
def test_what_the_rule_or_the_account_does_not_allow_is_refused_and_nothing_moves(gift: Gift, reason: str) -> None:
    desk = friends()
    before = desk.accounts[ALICE]
    with pytest.raises(Refused) as refused:
        desk.do(ALICE, gift)
    assert (refused.value.reason, desk.accounts[ALICE]) == (reason, before)


def test_without_a_rule_nothing_is_given() -> None:
    desk = friends()
    with pytest.raises(Invalid) as wrong:
        desk.do(ALICE, Gift(BOB, "friends", 50, "main"))
    assert wrong.value.reason == "GIFT_UNKNOWN"


@pytest.mark.parametrize(("kept", "left"), [(False, 5_000), (True, 4_997)])
def test_a_gift_that_comes_back_brings_its_fee_unless_the_rule_keeps_it(kept: bool, left: int) -> None:
    desk = friends()
    desk.do(BOB, SetStatus("closed", "gone"))
    desk.do(ALICE, Gift(BOB, "friends", 100, "main", replace(MONEY_RULE, fee_kept=kept)))
    assert amounts(desk, ALICE)["main"] == 4_897
    deliver(desk)
    assert amounts(desk, ALICE)["main"] == left
    audit = Audit(ALICE)
    for entry in desk.journals[ALICE]:
        audit.add(entry)
    assert audit.findings == []

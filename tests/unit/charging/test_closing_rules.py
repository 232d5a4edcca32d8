"""What a close adds and moves besides the lines: discounts, other books, bills of nothing, coins of any currency."""

from dataclasses import replace as replace_table

import pytest
from msgspec.structs import replace

from charging.base.usage import Step, Usage
from charging.bills.sums import BillSum
from charging.bills.taxtable import TaxTable
from charging.errors import Invalid
from charging.ledger.auditing import audit
from charging.ledger.commands.pay import Pay
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.top_up import TopUp
from charging.ledger.ledger import seal
from charging.rating.bill_discounts import BillDiscounts
from charging.rating.closing import closing_of
from testkit.examples import ALICE
from testkit.ledger import DAY_MS, START_MS, Desk, charge_of, opening
from tests.unit.charging.test_close_period import (
    FEBRUARY_MS,
    JANUARY,
    PLAIN,
    YUAN,
    close,
    closing,
    main,
    postpaid,
    use,
)


def test_a_main_book_below_zero_is_paid_by_another_book_when_the_bill_is_settled_by_both() -> None:
    desk = postpaid()
    use(desk, 12_345_678)
    desk.do(ALICE, TopUp("gift", "money", 50 * YUAN, 0, 0, "", "deposit"))
    desk.now_ms = FEBRUARY_MS
    bill = close(desk)
    assert (bill.settled, bill.payable, bill.carried_out) == (12_340_000, 0, 5_678)
    assert {book.book_id: book.amount for book in desk.accounts[ALICE].books} == {"main": 0, "gift": 37_654_322}
    assert bill.balance is not None
    assert bill.balance.closing == 37_654_322
    assert audit(desk.journals[ALICE], ALICE).findings == ()


def test_money_that_is_over_pays_nothing_for_the_main_book() -> None:
    desk = postpaid()
    use(desk, 12_340_000)
    desk.do(ALICE, replace(TopUp("gift", "money", 50 * YUAN, 0, 0, "", "deposit"), valid_to_ms=START_MS + DAY_MS))
    desk.now_ms = FEBRUARY_MS
    bill = close(desk)
    assert (bill.settled, bill.payable) == (0, 12_340_000)
    assert {book.book_id: book.amount for book in desk.accounts[ALICE].books} == {"main": 0, "gift": 50 * YUAN}


def test_a_bill_that_leaves_out_or_adds_to_what_was_posted_is_refused() -> None:
    desk = postpaid()
    use(desk, 3 * YUAN)
    desk.now_ms = FEBRUARY_MS
    account = desk.accounts[ALICE]
    invented = BillDiscounts((BillSum("voice", "", "usage", 0, -YUAN),))
    with pytest.raises(Invalid) as raised:
        desk.do(ALICE, closing_of(account, PLAIN, JANUARY, desk.now_ms, discounts=invented))
    assert raised.value.facts["sum"] == "lines that were posted"
    dearer = BillDiscounts((BillSum("voice", "", "discount", 0, YUAN),))
    with pytest.raises(Invalid):
        desk.do(ALICE, closing_of(account, PLAIN, JANUARY, desk.now_ms, discounts=dearer))
    line = BillSum("voice", "", "discount", 0, -YUAN, "A", "firm")
    with pytest.raises(Invalid):
        desk.do(ALICE, closing_of(account, PLAIN, JANUARY, desk.now_ms, discounts=BillDiscounts((line,))))
    steps = (Step("discount", "firm", "", 0, "", -YUAN, 1, "account: 1 off", "A"),)
    cheaper = BillDiscounts((line,), (("firm.limit|x@1", YUAN),), steps)
    desk.do(ALICE, closing_of(account, PLAIN, JANUARY, desk.now_ms, discounts=cheaper))
    assert desk.accounts[ALICE].accumulators["firm.limit|x@1"] == YUAN
    assert main(desk.accounts[ALICE]) == 0
    assert audit(desk.journals[ALICE], ALICE).findings == ()


def test_a_period_with_nothing_in_it_has_a_bill_where_the_catalogue_says_so() -> None:
    desk = postpaid(money=5 * YUAN)
    desk.now_ms = FEBRUARY_MS
    plain = closing(desk)
    assert plain.bill is None
    bill = close(desk, replace_table(PLAIN, zero=True))
    assert (bill.lines, bill.total, bill.payable, bill.due_day) == ((), 0, 0, "")
    assert bill.balance is not None
    assert (bill.balance.opening, bill.balance.money_in, bill.balance.closing) == (0, 5 * YUAN, 5 * YUAN)
    assert desk.journals[ALICE][-1].events[0].numbers() != (), "it has a number as any other"
    assert audit(desk.journals[ALICE], ALICE).findings == ()


@pytest.mark.parametrize(("currency", "coin", "used", "asked", "carried"), [
    ("JPY", 1_000_000, 12_345_678, 12_000_000, 345_678),
    ("CNY", 10_000, 12_345_678, 12_340_000, 5_678),
    ("KWD", 1_000, 12_345_678, 12_345_000, 678),
])  # fmt: skip
def test_currencies_of_none_two_and_three_places_are_asked_for_in_their_coins_from_the_account_to_the_arrears(
    currency: str, coin: int, used: int, asked: int, carried: int
) -> None:
    desk = Desk()
    action = replace(opening(ALICE, 0, credit_limit=1_000 * YUAN), payment_mode="postpaid", currency=currency)
    desk.do(ALICE, action)
    account = desk.accounts[ALICE]
    sealed = replace(seal(charge_of(used, currency=currency)), item="voice")
    desk.do(ALICE, PostCharge(Usage(ALICE, "voice", START_MS, 60), sealed, account.version, account.mark))
    desk.now_ms = FEBRUARY_MS
    bill = close(desk, TaxTable(due_days=15))
    assert (bill.currency, bill.coin, bill.total, bill.carried_out) == (currency, coin, asked, carried)
    assert [each.open for each in desk.accounts[ALICE].open.bills] == [asked]
    desk.do(ALICE, Pay(asked, bill.number, "", "", "", ""))
    assert desk.accounts[ALICE].open.bills == ()
    assert audit(desk.journals[ALICE], ALICE).findings == ()

"""Closing a billing period: one command an account, its bill right to the micro-unit, and never made twice."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from charging.base.account import Account, Book
from charging.base.usage import Usage
from charging.bills.bill import Bill
from charging.bills.checking import check_bill
from charging.bills.taxtable import TaxSpan, TaxTable
from charging.errors import Invalid, Refused
from charging.ledger.auditing import audit
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.close_period import ClosePeriod, PeriodClosed
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.commands.top_up import TopUp
from charging.ledger.effect import VersionMoved
from charging.ledger.ledger import seal
from charging.ledger.period_closing import bucket_mark, opening_of
from charging.ledger.reconciling import series_faults
from charging.rating.closing import closing_of
from testkit.examples import ALICE, BOB, ROOMMATE
from testkit.ledger import START_MS, Desk, charge_of, contract_of, opening

JANUARY = 2027 * 12
MONTH_MS = 31 * 86_400_000
FEBRUARY_MS = START_MS + MONTH_MS
YUAN, FEN = 1_000_000, 10_000
PLAIN = TaxTable(coin=FEN, due_days=15)
ON_TOP = TaxTable({"*": (TaxSpan(0, 1 << 20, "basic", 9_000_000),)}, include=False, coin=FEN, due_days=15)


def postpaid(credit: int = 1_000 * YUAN, money: int = 0) -> Desk:
    desk = Desk()
    desk.do(ALICE, replace(opening(ALICE, money, credit_limit=credit), payment_mode="postpaid"))
    return desk


def use(desk: Desk, amount: int, item: str = "voice", start_ms: int = START_MS, identity: str = ALICE) -> None:
    account = desk.accounts[ALICE]
    sealed = replace(seal(charge_of(amount)), item=item)
    desk.do(ALICE, PostCharge(Usage(identity, "voice", start_ms, 60), sealed, account.version, account.mark))


def closing(desk: Desk, taxes: TaxTable = PLAIN) -> ClosePeriod:
    account = desk.accounts[ALICE]
    return closing_of(account, taxes, account.terms.closed + 1, desk.now_ms)


def close(desk: Desk, taxes: TaxTable = PLAIN) -> Bill:
    desk.do(ALICE, closing(desk, taxes))
    event = desk.journals[ALICE][-1].events[0]
    assert isinstance(event, PeriodClosed)
    assert event.bill is not None
    check_bill(event.bill)
    return event.bill


def main(account: Account) -> int:
    return next(book.amount for book in account.books if book.book_id == "main")


def test_a_bill_has_lines_by_item_and_member_and_opens_for_what_is_left_to_pay() -> None:
    desk = postpaid()
    desk.do(ALICE, SetContract(contract_of(ROOMMATE, ALICE)))
    use(desk, 12_345_678)
    use(desk, 5 * YUAN, identity=ROOMMATE)
    use(desk, 3 * YUAN, item="data")
    desk.now_ms = FEBRUARY_MS
    bill = close(desk)
    assert [(line.item, line.member, line.gross) for line in bill.lines] == [
        ("voice", "", 12_345_678),
        ("voice", ROOMMATE, 5 * YUAN),
        ("data", "", 3 * YUAN),
    ]
    assert (bill.total, bill.payable, bill.carried_out) == (20_340_000, 20_340_000, 5_678)
    assert (bill.period, bill.from_day, bill.to_day) == ("2027-01/1", "2027-01-01", "2027-01-31")
    account = desk.accounts[ALICE]
    assert [(each.number, each.open) for each in account.open.bills] == [(bill.number, 20_340_000)]
    assert main(account) == -5_678, "what is carried stays in the book, the rest is owed by the bill"
    assert account.terms.closed == JANUARY
    assert account.buckets.of(JANUARY) == ()
    assert audit(desk.journals[ALICE], ALICE).findings == ()


def test_what_a_bill_carries_is_asked_by_the_next_one_and_nothing_is_lost() -> None:
    desk = postpaid()
    use(desk, 6_000)
    use(desk, 6_000, start_ms=FEBRUARY_MS)
    desk.now_ms = FEBRUARY_MS
    first = close(desk)
    desk.now_ms = FEBRUARY_MS + MONTH_MS
    second = close(desk)
    assert (first.total, first.carried_out) == (0, 6_000)
    assert (second.carried_in, second.total, second.carried_out) == (6_000, 10_000, 2_000)
    assert main(desk.accounts[ALICE]) == -2_000


def test_prepaid_usage_is_settled_by_the_balance_and_nothing_is_owed() -> None:
    desk = postpaid(credit=0, money=50 * YUAN)
    use(desk, 12_340_000)
    desk.now_ms = FEBRUARY_MS
    bill = close(desk)
    assert (bill.total, bill.settled, bill.payable, bill.due_day) == (12_340_000, 12_340_000, 0, "")
    assert bill.balance is not None
    assert (bill.balance.opening, bill.balance.money_in, bill.balance.closing) == (0, 50 * YUAN, 37_660_000)
    assert desk.accounts[ALICE].open.bills == ()
    assert main(desk.accounts[ALICE]) == 37_660_000


def test_usage_of_the_new_period_makes_no_bill_stale_and_is_in_none() -> None:
    desk = postpaid()
    use(desk, 3 * YUAN)
    desk.now_ms = FEBRUARY_MS
    made = closing(desk)
    use(desk, 7 * YUAN, start_ms=FEBRUARY_MS)
    desk.do(ALICE, made)
    account = desk.accounts[ALICE]
    assert account.open.bills[0].open == 3 * YUAN
    assert opening_of(account, JANUARY + 1) == 0
    assert main(account) == -7 * YUAN


def test_a_posting_to_the_bucket_makes_the_bill_stale() -> None:
    desk = postpaid()
    use(desk, 3 * YUAN)
    desk.now_ms = FEBRUARY_MS
    made = closing(desk)
    use(desk, 1)
    with pytest.raises(VersionMoved):
        desk.do(ALICE, made)
    assert made.mark != bucket_mark(desk.accounts[ALICE], JANUARY)


def test_late_records_go_to_the_next_bill_with_their_origin() -> None:
    desk = postpaid()
    use(desk, 3 * YUAN)
    desk.now_ms = FEBRUARY_MS
    close(desk)
    use(desk, 2 * YUAN)
    desk.now_ms = FEBRUARY_MS + MONTH_MS
    bill = close(desk)
    assert [(line.item, line.gross, line.origin) for line in bill.lines] == [("voice", 2 * YUAN, "2027-01/1")]


def test_tax_on_top_of_prices_is_taken_by_the_bill_and_posted() -> None:
    desk = postpaid()
    use(desk, 100 * YUAN)
    desk.now_ms = FEBRUARY_MS
    bill = close(desk, ON_TOP)
    assert (bill.net, bill.tax, bill.total) == (100 * YUAN, 9 * YUAN, 109 * YUAN)
    event = desk.journals[ALICE][-1].events[0]
    assert isinstance(event, PeriodClosed)
    assert event.extra == 9 * YUAN
    assert main(desk.accounts[ALICE]) == 0
    assert audit(desk.journals[ALICE], ALICE).totals["revenue"] == 109 * YUAN


def test_adjustments_are_lines_and_money_that_came_in_is_none() -> None:
    desk = postpaid()
    use(desk, 9 * YUAN)
    desk.do(ALICE, Adjust("main", 2 * YUAN, "goodwill"), actor="li")
    desk.do(ALICE, TopUp("", "", 3 * YUAN, 0, 0, "", "payment"))
    desk.now_ms = FEBRUARY_MS
    bill = close(desk)
    assert [(line.kind, line.gross) for line in bill.lines] == [("usage", 9 * YUAN), ("adjustment", -2 * YUAN)]
    assert bill.balance is not None
    assert [(each.kind, each.amount) for each in bill.balance.moved] == [("payment", 3 * YUAN)]
    assert (bill.total, bill.settled, bill.payable) == (7 * YUAN, 3 * YUAN, 4 * YUAN)


def test_a_period_without_postings_closes_without_a_bill_or_a_number() -> None:
    desk = postpaid()
    desk.now_ms = FEBRUARY_MS
    desk.do(ALICE, closing(desk))
    assert desk.accounts[ALICE].terms.closed == JANUARY
    assert desk.journals[ALICE][-1].events[0].numbers() == ()


def test_a_period_is_closed_once_in_order_and_only_when_it_is_over() -> None:
    desk = postpaid()
    use(desk, YUAN)
    made = closing(desk)
    with pytest.raises(Refused) as early:
        desk.do(ALICE, made)
    assert early.value.reason == "PERIOD_NOT_OVER"
    desk.now_ms = FEBRUARY_MS + MONTH_MS
    with pytest.raises(Refused) as ahead:
        desk.do(ALICE, replace(made, month=JANUARY + 1))
    assert ahead.value.reason == "BILL_PERIOD_AHEAD"
    desk.do(ALICE, closing(desk))
    with pytest.raises(Refused) as again:
        desk.do(ALICE, made)
    assert again.value.reason == "BILL_PERIOD_CLOSED"


def test_a_series_of_numbers_has_neither_gaps_nor_doubles() -> None:
    assert list(series_faults(["GD-0-B-2027-0000002", "GD-0-B-2027-0000001", "GD-0-C-2027-0000001"])) == []
    assert len(list(series_faults(["GD-0-B-2027-0000001", "GD-0-B-2027-0000003"]))) == 1
    assert len(list(series_faults(["GD-0-B-2027-0000001", "GD-0-B-2027-0000001"]))) == 1
    assert list(series_faults(["GD-0-B-2027-0000002", "GD-0-B-2027-0000003"])) == []
    (told,) = series_faults(["GD-0-B-2027-0000002", "GD-0-B-2027-0000003"], whole=True)
    assert "gaps [1]" in told


@pytest.mark.parametrize(
    "wrong",
    [
        {"total": 4 * YUAN},
        {"account": BOB},
        {"currency": "EUR"},
        {"period": "2027-02/1"},
        {"carried_in": FEN},
        {"balance": None},
        {"number": "mine"},
        {"settled": FEN},
    ],
    ids=str,
)
def test_a_bill_that_does_not_agree_with_the_account_is_no_bill(wrong: dict[str, object]) -> None:
    desk = postpaid()
    use(desk, 3 * YUAN)
    desk.now_ms = FEBRUARY_MS
    made = closing(desk)
    assert made.bill is not None
    before = desk.accounts[ALICE]
    with pytest.raises(Invalid) as refused:
        desk.do(ALICE, replace(made, bill=replace(made.bill, **wrong)))
    assert refused.value.reason == "BILL_WRONG"
    with pytest.raises(Invalid):
        desk.do(ALICE, replace(made, bill=None))
    with pytest.raises(Invalid):
        desk.do(ALICE, replace(made, items=()))
    assert desk.accounts[ALICE] == before


_steps = st.lists(
    st.tuples(
        st.sampled_from(["use", "late", "new", "pay", "adjust", "close"]),
        st.integers(1, 30 * YUAN),
        st.sampled_from(["voice", "data", "tv"]),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(_steps, st.sampled_from([PLAIN, ON_TOP]), st.integers(0, 40 * YUAN))
def test_whatever_happens_bills_are_revenue_and_each_opens_where_the_one_before_closed(
    steps: list[tuple[str, int, str]], taxes: TaxTable, money: int
) -> None:
    desk = postpaid(credit=10_000 * YUAN, money=money)
    bills: list[Bill] = []
    closed = 0
    for what, amount, item in [*steps, ("close", 0, "")]:
        at_ms = START_MS + closed * MONTH_MS
        desk.now_ms = max(desk.now_ms, at_ms)
        if what == "close":
            desk.now_ms = at_ms + MONTH_MS
            made = closing(desk, taxes)
            desk.do(ALICE, made)
            event = desk.journals[ALICE][-1].events[0]
            assert isinstance(event, PeriodClosed)
            bills += [event.bill] if event.bill is not None else []
            closed += 1
        elif what == "pay":
            desk.do(ALICE, TopUp("", "", amount, 0, 0, "", "payment"))
        elif what == "adjust":
            desk.do(ALICE, Adjust("main", amount, "goodwill"), actor="li")
        else:
            use(desk, amount, item, at_ms + {"use": 0, "late": -MONTH_MS, "new": MONTH_MS}[what])
    report = audit(desk.journals[ALICE], ALICE)
    account = desk.accounts[ALICE]
    assert report.findings == ()
    left = sum(
        amount for key, amount in zip(account.buckets.keys, account.buckets.amounts, strict=True) if key.item[0] != "~"
    )
    assert sum(bill.gross for bill in bills) + left == report.totals.get("revenue", 0) + report.totals.get("adjust", 0)
    assert sum(bill.total for bill in bills) + (bills[-1].carried_out if bills else 0) == sum(b.gross for b in bills)
    desk.crash()
    assert desk.accounts[ALICE] == account


def test_more_items_than_an_open_bill_has_room_for_are_owed_together() -> None:
    desk = postpaid()
    for number in range(70):
        use(desk, YUAN, item=f"item-{number}")
    desk.now_ms = FEBRUARY_MS
    bill = close(desk)
    (owed,) = desk.accounts[ALICE].open.bills
    assert (len(bill.lines), len(owed.items), owed.open) == (70, 64, 70 * YUAN)
    assert (owed.items[-1].item, owed.items[-1].open) == ("~other", 7 * YUAN)


def test_money_that_is_over_settles_no_bill() -> None:
    desk = Desk()
    promised = Book("promo", "money", 50 * YUAN, valid_to_ms=START_MS + 3 * 86_400_000)
    given = opening(ALICE, 0, credit_limit=100 * YUAN, books=(promised,))
    desk.do(ALICE, replace(given, payment_mode="postpaid"))
    desk.now_ms = START_MS + 5 * 86_400_000
    use(desk, 30 * YUAN, start_ms=desk.now_ms)
    desk.now_ms = FEBRUARY_MS
    bill = close(desk)
    assert (bill.total, bill.settled, bill.payable) == (30 * YUAN, 0, 30 * YUAN)
    assert (main(desk.accounts[ALICE]), desk.accounts[ALICE].open.bills[0].open) == (0, 30 * YUAN)
    assert audit(desk.journals[ALICE], ALICE).findings == ()


def test_a_bill_that_opens_elsewhere_than_the_books_were_is_told() -> None:
    desk = postpaid(money=50 * YUAN)
    use(desk, 3 * YUAN)
    desk.now_ms = FEBRUARY_MS
    close(desk)
    entry = desk.journals[ALICE][-1]
    event = entry.events[0]
    assert isinstance(event, PeriodClosed)
    bill = event.bill
    assert bill is not None
    assert bill.balance is not None
    moved = replace(bill.balance, opening=bill.balance.opening + 5, closing=bill.balance.closing + 5)
    changed = replace(event, bill=replace(bill, balance=moved))
    desk.journals[ALICE][-1] = replace(entry, events=(changed, *entry.events[1:]))
    findings = audit(desk.journals[ALICE], ALICE).findings
    assert any("opens at 5, the books were at 0" in finding for finding in findings), findings

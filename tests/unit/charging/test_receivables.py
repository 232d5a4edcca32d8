"""What is owed by bills, beside the books: opened, settled, overdue, late."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, MONEY, Account, Book
from charging.base.openbills import (
    LATE_FEE,
    LateRule,
    OpenBill,
    OpenItem,
    allocate,
    late_fee,
    overdue,
    overdue_since,
    settled_bills,
)
from charging.base.receivables import (
    bill_of,
    bill_opened,
    kept_for_bills,
    late_fees,
    late_fees_billed,
    with_shares,
)
from charging.ledger import funds
from testkit.ledger import DAY_MS, START_MS, an_account

DUE_MS = START_MS + 20 * DAY_MS
YUAN = 1_000_000
CHINESE = LateRule(3_000)
"""3 per mille a day."""


def bill_of_two(
    number: str = "B-1", due_ms: int = DUE_MS, voice: int = 60 * YUAN, broadband: int = 40 * YUAN, **parts: object
) -> OpenBill:
    items = (OpenItem("calls", "voice", voice, voice), OpenItem("line", "broadband", broadband, broadband))
    return replace(OpenBill(number, "2026-12/1", due_ms, voice + broadband, items), **parts)


def debtor(money: int = -100 * YUAN, credit_limit: int = 150 * YUAN) -> Account:
    return an_account("A", 3, "GD", credit_limit=credit_limit, books=(Book(MAIN_BOOK, MONEY, money),))


def main(account: Account) -> Book:
    book = funds.book_of(account, MAIN_BOOK)
    assert book is not None
    return book


def test_a_bill_takes_the_debt_out_of_the_main_book_and_the_credit_with_it() -> None:
    before = debtor()
    after = bill_opened(before, bill_of_two())
    assert main(after).amount == 0
    assert kept_for_bills(after) == 100 * YUAN
    old, new = funds.balance_view(before, START_MS), funds.balance_view(after, START_MS)
    assert (old.available, new.available) == (50 * YUAN, 50 * YUAN)


def test_a_bill_of_which_nothing_is_owed_is_only_remembered() -> None:
    bill = bill_of_two()
    paid = replace(bill, items=tuple(replace(row, open=0) for row in bill.items))
    after = bill_opened(debtor(money=5), paid)
    assert after.open.bills == ()
    assert bill_of(after, "B-1") == replace(paid, items=())
    assert main(after) == Book(MAIN_BOOK, MONEY, 5)


def test_only_so_many_settled_bills_are_remembered() -> None:
    account = debtor()
    for number in range(15):
        account = bill_opened(account, OpenBill(f"B-{number}", "2026-12/1", DUE_MS, 5, ()))
    assert [bill.number for bill in settled_bills(account.open.settled)] == [f"B-{number}" for number in range(3, 15)]


def test_the_oldest_due_is_settled_first_in_the_order_of_its_items_and_never_more_than_is_owed() -> None:
    bills = (bill_of_two("B-2", DUE_MS + DAY_MS), bill_of_two("B-1"))
    shares = allocate(bills, 130 * YUAN)
    assert [(share.number, share.item, share.amount // YUAN) for share in shares] == [
        ("B-1", "calls", 60),
        ("B-1", "line", 40),
        ("B-2", "calls", 30),
    ]
    assert sum(share.amount for share in allocate(bills, 900 * YUAN)) == 200 * YUAN


def test_late_fees_of_a_bill_are_settled_last_or_first_as_its_policy_says() -> None:
    bill = bill_of_two()
    bill = replace(bill, items=(OpenItem(LATE_FEE, "", 5, 5), *bill.items))
    assert allocate((bill,), 6)[0].item == "calls"
    assert [share.item for share in allocate((replace(bill, late=LateRule(0, first=True)),), 6)] == [LATE_FEE, "calls"]


def test_a_settlement_can_name_bill_service_or_item_and_leaves_what_is_disputed() -> None:
    bill = bill_of_two()
    held = replace(bill, items=(replace(bill.items[0], disputed=50 * YUAN), bill.items[1]))
    assert [share.amount // YUAN for share in allocate((held,), 900 * YUAN)] == [10, 40]
    assert [share.item for share in allocate((held,), 900 * YUAN, service="broadband")] == ["line"]
    assert allocate((held,), 900 * YUAN, number="B-9") == ()


def test_a_settled_share_frees_the_credit_that_the_bill_took() -> None:
    account = bill_opened(debtor(), bill_of_two())
    after = with_shares(account, allocate(account.open.bills, 70 * YUAN), START_MS, -1, 0)
    assert kept_for_bills(after) == main(after).reserved == 30 * YUAN
    assert after.open.bills[0].open == 30 * YUAN


def test_a_late_fee_grows_by_the_day_on_what_remains_and_is_rounded_once() -> None:
    """3 ‰ of 100.00 for 10 days, then of 30.00 for 5: 3.00 + 0.45."""
    account = bill_opened(debtor(), bill_of_two(late=CHINESE))
    paid_ms = DUE_MS + 10 * DAY_MS
    after = with_shares(account, allocate(account.open.bills, 70 * YUAN), paid_ms, -1, 0)
    assert late_fees(after, paid_ms + 5 * DAY_MS) == (("B-1", 3_450_000),)


def test_a_late_fee_has_a_grace_and_a_cap() -> None:
    bill = bill_of_two(late=LateRule(3_000, grace_days=5, cap_ppm=50_000))
    assert late_fee(bill, DUE_MS + 5 * DAY_MS - 1) == 0
    assert late_fee(bill, DUE_MS + 5 * DAY_MS) == 1_500_000
    assert late_fee(bill, DUE_MS + 400 * DAY_MS) == 5_000_000


def test_no_late_fee_is_asked_for_a_late_fee_or_for_what_is_disputed() -> None:
    bill = bill_of_two(late=CHINESE)
    disputed = replace(bill.items[1], disputed=40 * YUAN)
    bill = replace(bill, items=(bill.items[0], disputed, OpenItem(LATE_FEE, "", 9 * YUAN, 9 * YUAN)))
    assert late_fee(bill, DUE_MS + 10 * DAY_MS) == 1_800_000


def test_the_late_fee_of_a_bill_that_was_paid_waits_for_the_next_bill() -> None:
    account = bill_opened(debtor(), bill_of_two(late=CHINESE))
    paid_ms = DUE_MS + 10 * DAY_MS
    paid = with_shares(account, allocate(account.open.bills, 100 * YUAN), paid_ms, -1, 0)
    assert [bill.number for bill in paid.open.bills] == ["B-1"]
    fees = late_fees(paid, paid_ms + 99 * DAY_MS)
    assert fees == (("B-1", 3_000_000),)
    asked = late_fees_billed(paid, fees)
    assert asked.open.bills == ()
    assert late_fees(asked, paid_ms + 99 * DAY_MS) == ()


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 60)), max_size=6), st.lists(st.integers(0, 200), max_size=6)
)
def test_late_fees_billed_in_any_number_of_parts_add_up_to_the_whole(
    payments: list[tuple[int, int]], cuts: list[int]
) -> None:
    account = bill_opened(debtor(), bill_of_two(late=LateRule(777, step=1)))
    whole = account
    asked = 0
    moments = sorted([(day, part, True) for day, part in payments] + [(day, 0, False) for day in cuts])
    for day, part, pays in moments:
        now_ms = DUE_MS + day * DAY_MS
        if pays:
            account = with_shares(account, allocate(account.open.bills, part * YUAN), now_ms, -1, 0)
            whole = with_shares(whole, allocate(whole.open.bills, part * YUAN), now_ms, -1, 0)
        else:
            fees = late_fees(account, now_ms)
            asked += sum(amount for _, amount in fees)
            account = late_fees_billed(account, fees)
    end_ms = DUE_MS + 300 * DAY_MS
    assert asked + sum(amount for _, amount in late_fees(account, end_ms)) == sum(
        amount for _, amount in late_fees(whole, end_ms)
    )


def test_instalments_are_overdue_one_after_the_other() -> None:
    month = 30 * DAY_MS
    agreed = tuple((DUE_MS + number * month, 25 * YUAN) for number in range(1, 5))
    bill = bill_of_two(instalments=agreed)
    assert overdue(bill, DUE_MS + month - 1) == 0
    assert overdue(bill, DUE_MS + month) == 25 * YUAN
    assert overdue(bill, DUE_MS + 4 * month) == 100 * YUAN
    assert overdue_since(bill, DUE_MS + 2 * month + 5) == DUE_MS + month


def test_of_one_service_only_its_own_items_are_overdue() -> None:
    assert overdue(bill_of_two(), DUE_MS, "broadband") == 40 * YUAN
    assert overdue(bill_of_two(), DUE_MS - 1, "broadband") == 0

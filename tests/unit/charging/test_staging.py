"""Stages of an account in a bill run of mode staged: what waits, what goes on, and that it ends as in mode direct."""

from dataclasses import dataclass

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from charging.base.account import Account
from charging.base.openbills import NEVER_LATE, LateRule, OpenBill, settled_bills
from charging.base.receivables import open_of
from charging.base.staged import STAGED_MAX
from charging.bills.taxtable import TaxTable
from charging.errors import Fault, NotFound, Refused
from charging.ledger import auditing, funds
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.approve import Approve
from charging.ledger.commands.credit_bill import CreditBill
from charging.ledger.commands.dispute import Dispute
from charging.ledger.commands.pay import Pay
from charging.ledger.commands.propose import proposal_of
from charging.ledger.commands.replay_staged import ReplayStaged
from charging.ledger.commands.resolve_dispute import ResolveDispute
from charging.ledger.commands.reverse_payment import ReversePayment
from charging.ledger.commands.set_profile import SetProfile
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.take_over_bill import TakeOverBill
from charging.ledger.commands.top_up import TopUp
from charging.ledger.commands.write_off import WriteOff
from charging.ledger.staging import reckoned
from charging.rating.closing import closing_of
from testkit.ledger import DAY_MS, START_MS, Desk, charge_of, post

A = "msisdn:8613000000001"
RUN = 2027 * 12
EVER = 1 << 31


def main(account: Account) -> int:
    book = funds.book_of(account, "main")
    assert book is not None
    return book.amount


def available(desk: Desk) -> int:
    return funds.balance_view(desk.accounts[A], desk.now_ms).available


def top_up(amount: int) -> TopUp:
    return TopUp("", "", amount, 0, 0, "", "cash").staged(RUN)


def pay(amount: int) -> Pay:
    return Pay(amount, "", "", "", "bank", "").staged(RUN)


def owing(amount: int, money: int = 0, credit_limit: int = 0, late: LateRule = NEVER_LATE) -> Desk:
    desk = Desk()
    desk.open(A, money, credit_limit=credit_limit)
    if amount:
        desk.do(A, TakeOverBill("B-1", "2026-12/1", "calls", "", amount, START_MS + 20 * DAY_MS, "", late))
    return desk


def test_a_staged_deposit_is_told_at_once_and_no_book_holds_it_before_the_replay() -> None:
    desk = owing(0, money=5)
    done = desk.do(A, top_up(100))
    assert (done.amount, done.notices, done.movements) == (100, ("staged",), ())
    account = desk.accounts[A]
    view = funds.balance_view(account, desk.now_ms)
    assert (main(account), view.real, view.staged, view.reserved, view.available) == (5, 5, 100, 0, 105)
    desk.do(A, ReplayStaged(EVER))
    assert (main(desk.accounts[A]), desk.accounts[A].open.staged) == (105, ())
    with pytest.raises(NotFound, match="nothing is staged"):
        desk.do(A, ReplayStaged(EVER))


def test_service_goes_on_with_staged_money_and_the_books_catch_up() -> None:
    desk = owing(0)
    desk.do(A, top_up(100))
    desk.do(A, post(desk.accounts[A], charge_of(70)))
    assert (main(desk.accounts[A]), available(desk)) == (-70, 30)
    with pytest.raises(Refused, match="are available"):
        desk.do(A, post(desk.accounts[A], charge_of(31)))
    desk.do(A, ReplayStaged(EVER))
    assert (main(desk.accounts[A]), available(desk)) == (30, 30)


def test_new_usage_never_eats_what_a_staged_payment_settles() -> None:
    desk = owing(60, credit_limit=100)
    desk.do(A, pay(60))
    assert open_of(desk.accounts[A]) == 60
    desk.do(A, post(desk.accounts[A], charge_of(100)))
    desk.do(A, ReplayStaged(EVER))
    assert (open_of(desk.accounts[A]), main(desk.accounts[A])) == (0, -100)


def test_new_usage_never_eats_what_a_staged_deposit_settles() -> None:
    desk = owing(30, credit_limit=100)
    desk.do(A, top_up(50))
    desk.do(A, post(desk.accounts[A], charge_of(120)))
    desk.do(A, ReplayStaged(EVER))
    assert (open_of(desk.accounts[A]), main(desk.accounts[A])) == (0, -100)


def test_an_account_that_ran_out_is_switched_on_by_the_staged_deposit_itself() -> None:
    desk = owing(0, money=10)
    desk.do(A, SetProfile({"auto_suspend": "yes"}, {}, ()))
    desk.do(A, post(desk.accounts[A], charge_of(10)))
    assert desk.accounts[A].terms.status == "suspended"
    done = desk.do(A, top_up(20))
    assert desk.accounts[A].terms.status == "active"
    assert set(done.notices) == {"staged", "resumed"}


def test_settlements_are_replayed_before_deposits() -> None:
    desk = owing(60)
    desk.do(A, top_up(20))
    desk.do(A, pay(30))
    desk.do(A, ReplayStaged(EVER))
    stages = [event.row.stage for event in desk.journals[A][-1].events if hasattr(event, "row")]
    assert stages == sorted(stages, reverse=True)
    assert (open_of(desk.accounts[A]), main(desk.accounts[A])) == (10, 0)


def test_a_run_that_goes_on_keeps_its_stage_while_an_older_one_is_replayed() -> None:
    desk = owing(0)
    desk.do(A, top_up(10))
    desk.do(A, TopUp("", "", 7, 0, 0, "", "cash").staged(RUN + 1))
    desk.do(A, ReplayStaged(RUN))
    assert (main(desk.accounts[A]), [row.amount for row in desk.accounts[A].open.staged]) == (10, [7])


def test_a_staged_deposit_can_be_reversed_before_and_after_its_replay() -> None:
    for replay_first in (False, True):
        desk = owing(0, money=5)
        desk.do(A, top_up(100), "paid-1")
        desk.do(A, post(desk.accounts[A], charge_of(80)))
        if replay_first:
            desk.do(A, ReplayStaged(EVER))
        desk.do(A, ReversePayment("paid-1", "chargeback"))
        account = desk.accounts[A]
        assert (account.open.staged, main(account), open_of(account)) == ((), 0, 75), replay_first


def test_a_closed_account_keeps_what_its_balance_can_not_take() -> None:
    desk = owing(40)
    desk.do(A, top_up(100))
    desk.do(A, pay(40))
    desk.do(A, SetStatus("closed", "moves away"))
    with pytest.raises(NotFound, match="can be replayed"):
        desk.do(A, ReplayStaged(EVER))
    assert sum(row.amount for row in desk.accounts[A].open.staged) == 140


@pytest.mark.parametrize("spent", [0, 80])
def test_what_a_closed_account_spent_or_was_paid_out_of_staged_money_is_paid_by_the_replay(spent: int) -> None:
    desk = owing(40)
    desk.do(A, top_up(140))
    if spent:
        desk.do(A, post(desk.accounts[A], charge_of(spent)))
    desk.do(A, SetStatus("closed", "moves away", pay_out=100 - spent))
    assert main(desk.accounts[A]) == -100
    desk.do(A, ReplayStaged(EVER))
    assert (main(desk.accounts[A]), open_of(desk.accounts[A]), desk.accounts[A].open.staged) == (0, 0, ())
    assert auditing.audit(desk.journals[A], A).findings == ()


def test_what_the_last_bill_of_a_closed_account_tells_of_its_stage_came_in() -> None:
    desk = owing(0)
    desk.do(A, post(desk.accounts[A], charge_of(0)))
    desk.do(A, top_up(140))
    desk.do(A, SetStatus("closed", "moves away"))
    desk.now_ms = START_MS + 40 * DAY_MS
    account = desk.accounts[A]
    action = closing_of(account, TaxTable(zero=True), account.terms.closed + 1, desk.now_ms)
    assert action.bill is not None
    assert action.bill.balance is not None
    assert action.bill.balance.closing == 140
    desk.do(A, action.numbered("B-2"))
    assert (main(desk.accounts[A]), desk.accounts[A].open.staged) == (140, ())
    assert auditing.audit(desk.journals[A], A).findings == ()


def test_a_stage_is_never_longer_than_it_may_be_however_often_the_balance_settles() -> None:
    desk = owing(1000)
    for _ in range(STAGED_MAX):
        desk.do(A, top_up(1))
        assert len(desk.accounts[A].open.staged) <= STAGED_MAX
        if len(desk.accounts[A].open.staged) == STAGED_MAX:
            break
    for _ in range(9):
        desk.do(A, TopUp("", "", 2, 0, 0, "", "cash"))
        assert len(desk.accounts[A].open.staged) <= STAGED_MAX
    gone = 1000 - open_of(reckoned(desk.accounts[A]))
    if desk.accounts[A].open.staged:
        desk.do(A, ReplayStaged(EVER))
    assert (open_of(desk.accounts[A]), main(desk.accounts[A])) == (1000 - gone, 0)
    assert auditing.audit(desk.journals[A], A).findings == ()


def test_late_days_are_those_of_mode_direct_where_a_stage_is_full() -> None:
    bills: list[OpenBill] = []
    for month in (0, RUN):
        desk = owing(1000, late=LateRule(3_000, step=1))
        desk.now_ms = START_MS + 40 * DAY_MS
        while month and len(desk.accounts[A].open.staged) < STAGED_MAX - 1:
            desk.do(A, replace(pay(1), stage=month))
        paid = STAGED_MAX - 1
        for _ in range(0 if month else paid):
            desk.do(A, replace(pay(1), stage=0))
        desk.now_ms += 10 * DAY_MS
        desk.do(A, TopUp("", "", 7, 0, 0, "", "cash", stage=month))
        if desk.accounts[A].open.staged:
            desk.do(A, ReplayStaged(EVER))
        assert not auditing.audit(desk.journals[A], A).findings
        bills += desk.accounts[A].open.bills
    assert bills[0] == bills[1]


def test_a_closed_account_takes_what_settles_its_bills() -> None:
    desk = owing(40)
    desk.do(A, pay(40))
    desk.do(A, SetStatus("closed", "moves away"))
    desk.do(A, ReplayStaged(EVER))
    assert (open_of(desk.accounts[A]), desk.accounts[A].open.staged) == (0, ())


def test_a_deposit_that_was_approved_in_the_run_waits_too() -> None:
    desk = owing(0)
    with pytest.raises(Refused, match="approv"):
        desk.do(A, proposal_of(TopUp("", "", 90, 0, 0, "", "cash")), "asked", "li", "operator/li")
    desk.do(A, Approve("asked", False, "seen").staged(RUN), "yes", "wang", "operator/wang")
    account = desk.accounts[A]
    assert (main(account), [row.amount for row in account.open.staged]) == (0, [90])
    desk.do(A, ReplayStaged(EVER))
    assert main(desk.accounts[A]) == 90


@pytest.mark.parametrize(
    "action",
    [
        WriteOff("B-1", 10, "wang", "poor"),
        CreditBill("B-1", 10, "", "goodwill"),
        ResolveDispute("B-1", 5, "looked at", "C-1"),
    ],
)
def test_late_days_are_those_of_mode_direct_where_what_counts_them_is_approved(
    action: WriteOff | CreditBill | ResolveDispute,
) -> None:
    bills: list[OpenBill] = []
    for staged in (False, True):
        desk = owing(90, late=LateRule(3_000, step=1))
        if isinstance(action, ResolveDispute):
            desk.do(A, Dispute("B-1", "", "", 20, "not mine"))
        desk.now_ms = START_MS + 40 * DAY_MS
        paid = pay(60)
        desk.do(A, paid if staged else replace(paid, stage=0))
        desk.now_ms += 10 * DAY_MS
        with pytest.raises(Refused, match="approv"):
            desk.do(A, proposal_of(action), "asked", "li", "operator/li")
        desk.do(A, Approve("asked", False, "seen", number="C-1"), "yes", "wang", "operator/wang")
        if staged and desk.accounts[A].open.staged:
            desk.do(A, ReplayStaged(EVER))
        assert not auditing.audit(desk.journals[A], A).findings
        bills += desk.accounts[A].open.bills
    assert bills[0] == bills[1]


@dataclass(frozen=True)
class Step:
    """One thing that happens to an account during a run."""

    what: str
    amount: int


KINDS = ["top_up", "pay", "charge", "adjust", "credit", "reverse", "close", "later", "dispute", "resolve", "give_up"]
STEPS = st.lists(st.builds(Step, st.sampled_from(KINDS), st.integers(1, 200)), max_size=12)


def played(steps: list[Step], *, staged: bool) -> Desk:
    """Play a script in one mode, and replay at its end."""
    desk = owing(90, money=20, credit_limit=150, late=LateRule(3_000, step=1))
    desk.do(A, post(desk.accounts[A], charge_of(33)))
    closed = False
    desk.now_ms = START_MS + 40 * DAY_MS
    for number, step in enumerate(steps):
        key = f"step-{number}"
        account = desk.accounts[A]
        month = 0 if closed or not staged else RUN
        try:
            if step.what == "top_up":
                desk.do(A, TopUp("", "", step.amount, 0, 0, "", "cash", stage=month), key)
            elif step.what == "pay":
                desk.do(A, Pay(step.amount, "", "", "", "bank", "", month), key)
            elif step.what == "charge":
                desk.do(A, post(account, charge_of(step.amount)), key)
            elif step.what == "adjust":
                desk.do(A, Adjust("main", step.amount - 100, "goodwill"), key)
            elif step.what == "credit":
                desk.do(A, CreditBill("B-1", step.amount, "", "goodwill"), key)
            elif step.what == "dispute":
                desk.do(A, Dispute("B-1", "", "", step.amount % 90, "not mine"), key)
            elif step.what == "resolve":
                desk.do(A, ResolveDispute("B-1", step.amount % 30, "looked at", f"C-{number}"), key)
            elif step.what == "give_up":
                desk.do(A, WriteOff("B-1", step.amount % 90, "wang", "poor"), key)
            elif step.what == "reverse":
                desk.do(A, ReversePayment(f"step-{step.amount % (number + 1)}", "chargeback"), key)
            elif step.what == "later":
                desk.now_ms += DAY_MS
            elif not closed:
                action = closing_of(reckoned(account), TaxTable(), account.terms.closed + 1, desk.now_ms)
                desk.do(A, action.numbered("B-2"), key)
                closed = True
        except Fault:
            continue
    if desk.accounts[A].open.staged:
        desk.do(A, ReplayStaged(EVER))
    return desk


def by_number(account: Account) -> dict[str, OpenBill]:
    return {bill.number: bill for bill in settled_bills(account.open.settled)}


def script(*steps: tuple[str, int]) -> list[Step]:
    return [Step(what, amount) for what, amount in steps]


# A payment reversed once deposits have settled the bill: its late fee counts anew from the reversal in both modes.
@example(script(*[("top_up", 1)] * 2, ("pay", 1), *[("top_up", 1)] * 2, ("top_up", 98), ("reverse", 149)))
@example(script(*[("top_up", 3)] * 2, ("pay", 1), *[("top_up", 1)] * 2, ("top_up", 95), ("reverse", 149)))
# A bill closes the account to its stage: what is paid then is paid at once, behind what waits since days before.
@example(script(("pay", 1), ("close", 1), ("later", 1), ("pay", 1)))
@settings(max_examples=150, deadline=None)
@given(STEPS)
@example([Step("top_up", 1), Step("top_up", 5), Step("pay", 1), Step("top_up", 97), Step("reverse", 172)])
@example([Step("top_up", 1), Step("top_up", 1), Step("pay", 1), Step("top_up", 100), Step("reverse", 172)])
def test_both_modes_end_in_equal_books_bills_and_settlements(steps: list[Step]) -> None:
    direct, staged = played(steps, staged=False), played(steps, staged=True)
    one, other = direct.accounts[A], staged.accounts[A]
    assert other.books == one.books
    assert replace(other.open, settled=b"") == replace(one.open, settled=b"")
    # Which of two bills was settled first is not the same; that, and by how much, is.
    assert by_number(other) == by_number(one)
    assert dict(zip(other.buckets.keys, other.buckets.amounts, strict=True)) == dict(
        zip(one.buckets.keys, one.buckets.amounts, strict=True)
    )
    assert other.terms == one.terms
    assert auditing.audit(staged.journals[A], A).findings == ()

"""The bad input that billing is asked for, case by case: each has a reason of its own, and nothing moves.

What needs a typesetter (a template with a fault) is shown in `documents/test_bill_pdf.py`; here only that its reason is
registered and is nobody else's.
"""

from collections.abc import Callable, Sequence

import pytest
from onetier.v1 import billing_pb2 as pb

from appserver.billing.asking import Question
from appserver.billing.billing import AccountBilling
from appserver.billing.closings import BillingCaller
from business.billing.actions import CompleteRun, OpenRun, RunAction
from business.billing.deciding import decide
from business.billing.events import apply
from business.billing.periods import Period, read_period
from business.billing.runs import BillRuns
from charging.base.fields import CYCLE_DAY
from charging.base.fieldtypes import check_validity
from charging.base.openbills import LateRule
from charging.bills.taxtable import TaxSpan, TaxTable
from charging.errors import Fault
from charging.ledger.commands.credit_bill import CreditBill
from charging.ledger.commands.pay import Pay
from charging.ledger.commands.reverse_payment import ReversePayment
from charging.ledger.commands.take_over_bill import TakeOverBill
from charging.ledger.commands.write_off import WriteOff
from charging.ledger.kinds import Action
from charging.plans.timeline import Timeline
from charging.reasons import REASONS
from charging.wire import Answer
from testkit.ledger import DAY_MS, START_MS, Desk, an_account

A = "msisdn:8613000000001"
BILLED = read_period("2026-09/1")
OVER_MS = 1_000


def desk() -> Desk:
    made = Desk()
    made.open(A, 0)
    for number in ("B-1", "B-2"):
        made.do(A, TakeOverBill(number, "2026-08/1", "calls", "", 100, START_MS + DAY_MS, "", LateRule(0)))
    made.do(A, Pay(100, "B-2", "", "", "", ""), key="paid")
    made.do(A, ReversePayment("paid", "chargeback"))
    made.do(A, Pay(100, "B-2", "", "", "", ""))
    return made


def on_the_account(action: Action) -> Callable[[], None]:
    def do() -> None:
        made = desk()
        before = made.accounts[A]
        try:
            made.do(A, action)
        finally:
            assert made.accounts[A] == before, "nothing moves"

    return do


def runs() -> BillRuns:
    state: BillRuns | None = None
    for action in (open_run(BILLED), CompleteRun(BILLED), open_run(BILLED.next)):
        for event in decide(state, action, 2 * OVER_MS):
            state = apply(state, event)
    assert state is not None
    return state


def open_run(period: Period, ends_ms: int = OVER_MS) -> OpenRun:
    return OpenRun(period, "", ends_ms, 9 * OVER_MS)


def on_the_runs(action: RunAction) -> Callable[[], None]:
    return lambda: [None for _ in decide(runs(), action, 2 * OVER_MS)].clear()


def foreign_page() -> None:
    async def ask(questions: Sequence[Question]) -> list[Answer]:
        raise AssertionError(questions)

    billing = AccountBilling(ask, Timeline.build([], "GD", "UTC"), BillingCaller("", "", ""), 0)
    reading = billing.read(an_account("GD/0:a", 1, "GD"), pb.ReadBillsRequest(page="GD/0:other|24300"))
    try:
        reading.send(None)
    except StopIteration:
        return


def unknown_item() -> None:
    TaxTable({"voice": (TaxSpan(0, 1 << 20, "basic", 9_000_000),)}).tax("tv", 20_000)


CASES: dict[str, tuple[Callable[[], None], str]] = {
    "settlement of a bill that is settled": (on_the_account(Pay(1, "B-2", "", "", "", "")), "BILL_SETTLED"),
    "settlement of a bill of another account": (on_the_account(Pay(1, "B-9", "", "", "", "")), "BILL_UNKNOWN"),
    "settlement above what is owed": (on_the_account(Pay(101, "B-1", "", "", "", "")), "PAYMENT_EXCEEDS_BILL"),
    "reversal twice": (on_the_account(ReversePayment("paid", "again")), "REVERSED_ALREADY"),
    "credit above the bill": (on_the_account(CreditBill("B-1", 101, "", "")), "CREDIT_EXCEEDS_BILL"),
    "write-off without an approver": (on_the_account(WriteOff("B-1", 100, "", "gone")), "WRITE_OFF_UNAPPROVED"),
    "run for a future cycle": (on_the_runs(open_run(Period(BILLED.month + 2, 2), 5 * OVER_MS)), "PERIOD_NOT_OVER"),
    "run for a cycle before the last": (on_the_runs(open_run(Period(BILLED.month - 1, 1))), "CYCLE_BUSY"),
    "run twice at once": (on_the_runs(open_run(BILLED.next)), "RUN_OPEN"),
    "bill day 32": (lambda: CYCLE_DAY.check(32, "cycle_day"), "CYCLE_DAY_OUT_OF_RANGE"),
    "contract that ends before it begins": (lambda: check_validity(2, 1, "contract"), "VALIDITY_OVER"),
    "unknown tax item": (unknown_item, "TAX_ITEM_UNKNOWN"),
    "page token of another list": (foreign_page, "PAGE_TOKEN_FOREIGN"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_has_a_reason_of_its_own(case: str) -> None:
    act, reason = CASES[case]
    with pytest.raises(Fault) as raised:
        act()
    assert raised.value.reason == reason


def test_a_cycle_before_the_last_is_refused_once_no_run_is_open_too() -> None:
    state = runs()
    for event in decide(state, CompleteRun(BILLED.next), 2 * OVER_MS):
        state = apply(state, event)
    with pytest.raises(Fault) as raised:
        decide(state, open_run(BILLED), 2 * OVER_MS)
    assert raised.value.reason == "RUN_COMPLETED"
    with pytest.raises(Fault) as raised:
        decide(state, open_run(Period(BILLED.month - 1, 1)), 2 * OVER_MS)
    assert raised.value.reason == "PERIOD_PASSED"


def test_bill_day_31_is_taken() -> None:
    assert CYCLE_DAY.read(31, "cycle_day") == 31


def test_all_of_the_list_is_here_and_no_two_share_a_reason() -> None:
    reasons = [reason for _, reason in CASES.values()] + ["TEMPLATE_FAULTY"]
    assert len(set(reasons)) == len(reasons) == 14
    assert {reason for reason in reasons if reason not in REASONS} == set()

"""Payments, reversals, disputes, credits and write-offs of open bills, as the ledger decides them."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from charging.base.account import MONEY, Account
from charging.base.dunning import NOTICE, DunningStep
from charging.base.openbills import LateRule, settled_bills
from charging.base.receivables import RECEIVABLE, kept_for_bills, open_of
from charging.errors import Fault, Invalid, Refused
from charging.ledger import auditing, funds
from charging.ledger.commands.agree_instalments import AgreeInstalments
from charging.ledger.commands.credit_bill import CreditBill
from charging.ledger.commands.dispute import Dispute
from charging.ledger.commands.dun import Dun
from charging.ledger.commands.pay import Pay
from charging.ledger.commands.recover import Recover
from charging.ledger.commands.resolve_dispute import ResolveDispute
from charging.ledger.commands.reverse_payment import ReversePayment
from charging.ledger.commands.set_profile import SetProfile
from charging.ledger.commands.set_status import SetStatus
from charging.ledger.commands.settle import Settle
from charging.ledger.commands.take_over_bill import TakeOverBill
from charging.ledger.commands.top_up import TopUp
from charging.ledger.commands.write_off import WriteOff
from charging.ledger.kinds import Action
from charging.ledger.settling import BY_HAND
from testkit.ledger import DAY_MS, START_MS, Desk, charge_of, post

A = "msisdn:8613000000001"
DUE_MS = START_MS + 20 * DAY_MS
LATE = LateRule(3_000, step=1)


def bill(number: str, amount: int, due_ms: int = DUE_MS, service: str = "", item: str = "calls") -> TakeOverBill:
    return TakeOverBill(number, "2026-12/1", item, service, amount, due_ms, "", LATE)


def pay(amount: int, number: str = "", service: str = "") -> Pay:
    return Pay(amount, number, service, "", "", "")


def owing(*bills: TakeOverBill, money: int = 0, credit_limit: int = 0) -> Desk:
    desk = Desk()
    desk.open(A, money, credit_limit=credit_limit)
    for each in bills:
        desk.do(A, each)
    return desk


def state(desk: Desk) -> Account:
    return desk.accounts[A]


def main(desk: Desk) -> int:
    book = funds.book_of(state(desk), "main")
    assert book is not None
    return book.amount


def opens(desk: Desk) -> dict[str, int]:
    return {bill.number: bill.open for bill in state(desk).open.bills if bill.open}


def refused(desk: Desk, action: Action, reason: str, actor: str = "") -> None:
    """Show that nothing moves, and why."""
    before = state(desk)
    with pytest.raises(Fault) as caught:
        desk.do(A, action, actor=actor)
    assert caught.value.reason == reason
    assert state(desk) == before


def test_a_payment_settles_the_oldest_due_first_and_the_rest_is_the_balance() -> None:
    desk = owing(bill("B-2", 50, DUE_MS + DAY_MS), bill("B-1", 100))
    desk.do(A, pay(120))
    assert (opens(desk), main(desk)) == ({"B-2": 30}, 0)
    desk.do(A, pay(100))
    assert (opens(desk), main(desk)) == ({}, 70)


def test_a_named_bill_or_service_is_paid_and_nothing_else_and_never_beyond_what_is_owed() -> None:
    desk = owing(bill("B-1", 100, service="voice"), bill("B-2", 50, service="broadband"))
    desk.do(A, pay(50, service="broadband"))
    assert opens(desk) == {"B-1": 100}
    refused(desk, pay(101, "B-1"), "PAYMENT_EXCEEDS_BILL")
    refused(desk, pay(1, service="broadband"), "NOTHING_OWED")
    desk.do(A, pay(100, "B-1"))
    refused(desk, pay(1, "B-1"), "BILL_SETTLED")
    refused(desk, pay(1, "of-another-account"), "BILL_UNKNOWN")


def test_money_that_comes_in_settles_bills_by_itself_and_so_does_a_balance_when_a_bill_opens() -> None:
    desk = owing(money=70)
    desk.do(A, bill("B-1", 100))
    assert (opens(desk), main(desk)) == ({"B-1": 30}, 0)
    desk.do(A, TopUp("", "", 50, 0, 0, "", "deposit"))
    assert (opens(desk), main(desk)) == ({}, 20)
    assert [bill.number for bill in settled_bills(state(desk).open.settled)] == ["B-1"]


def test_where_the_account_says_so_the_balance_settles_nothing_by_itself() -> None:
    desk = owing(money=70)
    desk.do(A, SetProfile({BY_HAND: "yes"}, {}, ()))
    desk.do(A, bill("B-1", 100))
    assert (opens(desk), main(desk)) == ({"B-1": 100}, 70)
    desk.do(A, Settle("", "", "", 0, "asked"))
    assert (opens(desk), main(desk)) == ({"B-1": 30}, 0)


def test_a_guarantee_is_no_money_to_spend_and_settles_when_it_is_told_to() -> None:
    desk = owing(bill("B-1", 100))
    desk.do(A, TopUp("guarantee", MONEY, 80, 0, 0, "guarantee", "guarantee"))
    assert opens(desk) == {"B-1": 100}
    refused(desk, Settle("guarantee", "", "", 90, ""), "INSUFFICIENT_FUNDS")
    desk.do(A, Settle("guarantee", "B-1", "", 0, "contract ended"))
    assert opens(desk) == {"B-1": 20}


def test_a_bill_takes_up_credit_until_it_is_paid_and_never_more_than_it() -> None:
    desk = owing(bill("B-1", 100), credit_limit=150)
    refused(desk, post(state(desk), charge_of(51)), "INSUFFICIENT_FUNDS")
    desk.do(A, post(state(desk), charge_of(50)))
    desk.do(A, pay(100, "B-1"))
    desk.do(A, post(state(desk), charge_of(100)))
    assert main(desk) == -150


def test_a_payment_that_is_charged_back_is_owed_again_and_so_is_what_was_spent_of_its_rest() -> None:
    desk = owing(bill("B-1", 100))
    desk.do(A, pay(130), "paid-1")
    desk.do(A, post(state(desk), charge_of(20)))
    assert (opens(desk), main(desk)) == ({}, 10)
    desk.do(A, ReversePayment("paid-1", "chargeback"))
    assert (opens(desk), main(desk)) == ({"B-1": 100, "R-paid-1": 20}, 0)
    refused(desk, ReversePayment("paid-1", "again"), "REVERSED_ALREADY")
    desk.do(A, pay(120))
    assert (opens(desk), main(desk)) == ({}, 0)


def test_two_claims_are_two_bills_however_long_their_keys_and_whatever_another_bill_is_called() -> None:
    long = "k" * 62
    desk = owing()
    for key in (f"{long}a1", f"{long}b2", "short"):
        desk.do(A, pay(10), key)
    desk.do(A, post(state(desk), charge_of(30)))
    desk.do(A, bill("R-short", 10, item="charged_back"))
    for key in (f"{long}a1", f"{long}b2", "short"):
        desk.do(A, ReversePayment(key, ""))
    assert (len(opens(desk)), open_of(state(desk))) == (4, 40)
    desk.do(A, pay(10))
    assert open_of(state(desk)) == 30
    assert auditing.audit(desk.journals[A], A).findings == ()


def test_a_top_up_can_be_reversed_as_a_payment_can_and_a_charge_can_not() -> None:
    desk = owing(money=5)
    desk.do(A, TopUp("", "", 50, 0, 0, "", "deposit"), "topped-up")
    desk.do(A, ReversePayment("topped-up", "chargeback"))
    assert main(desk) == 5
    desk.do(A, post(state(desk), charge_of(2)), "charged")
    refused(desk, ReversePayment("charged", ""), "NOT_A_PAYMENT")


def test_a_payment_that_comes_after_its_own_reversal_is_refused() -> None:
    desk = owing(bill("B-1", 100))
    desk.do(A, ReversePayment("lost-1", "fate unknown"))
    desk.do(A, ReversePayment("lost-2", "fate unknown"))
    for key, action in (("lost-1", pay(100)), ("lost-2", TopUp("", "", 50, 0, 0, "", "deposit"))):
        with pytest.raises(Refused) as caught:
            desk.do(A, action, key)
        assert caught.value.reason == "PAYMENT_REVERSED"
    assert opens(desk) == {"B-1": 100}


def test_a_reversal_is_possible_for_half_a_year() -> None:
    desk = owing(bill("B-1", 100))
    desk.do(A, pay(40), "paid-1")
    desk.do(A, pay(60), "paid-2")
    desk.now_ms += 179 * DAY_MS
    desk.do(A, ReversePayment("paid-1", "chargeback"))
    assert opens(desk) == {"B-1": 40}
    desk.now_ms += 2 * DAY_MS
    refused(desk, ReversePayment("paid-2", "chargeback"), "REVERSAL_TOO_LATE")
    assert opens(desk) == {"B-1": 40}


def test_what_is_disputed_is_held_until_it_is_decided() -> None:
    desk = owing(bill("B-1", 100), credit_limit=150)
    desk.do(A, Dispute("B-1", "", "", 60, "not mine"))
    assert kept_for_bills(state(desk)) == 40
    desk.do(A, pay(100))
    assert (opens(desk), main(desk)) == ({"B-1": 60}, 60)
    refused(desk, Dispute("B-1", "", "", 1, ""), "NOTHING_OWED")
    refused(desk, ResolveDispute("B-1", 61, ""), "CREDIT_EXCEEDS_DISPUTE")
    desk.do(A, ResolveDispute("B-1", 25, "half of it was ours"))
    assert (opens(desk), main(desk)) == ({}, 25)
    refused(desk, ResolveDispute("B-1", 0, ""), "BILL_SETTLED")


def test_a_bill_is_credited_up_to_itself_whether_it_was_paid_or_not_and_notes_are_numbered() -> None:
    desk = owing(bill("B-1", 100))
    desk.do(A, pay(70))
    done = desk.do(A, CreditBill("B-1", 20, "", "goodwill"), "first")
    assert done.notices == ("credited:credit_note-1",)
    assert desk.do(A, CreditBill("B-1", 20, "", "goodwill"), "first").notices == done.notices
    assert (opens(desk), main(desk)) == ({"B-1": 10}, 0)
    desk.do(A, CreditBill("B-1", 30, "", "goodwill"))
    assert (opens(desk), main(desk)) == ({}, 20)
    refused(desk, CreditBill("B-1", 51, "", ""), "CREDIT_EXCEEDS_BILL")
    desk.do(A, CreditBill("B-1", 50, "", "all of it"))
    assert main(desk) == 70
    notes = [event for entry in desk.journals[A] for event in entry.events if type(event).__name__ == "BillCredited"]
    told = [(note.numbers(), note.before) for note in notes]
    assert told == [(("credit_note-1",), 0), (("credit_note-2",), 20), (("credit_note-3",), 50)], (
        "of the owner's series"
    )


def test_a_write_off_takes_two_persons_and_what_comes_in_later_is_a_recovery() -> None:
    desk = owing(bill("B-1", 100))
    for actor, approver in (("li", ""), ("li", "li"), ("", "wang")):
        refused(desk, WriteOff("B-1", 100, approver, "gone"), "WRITE_OFF_UNAPPROVED", actor)
    desk.do(A, WriteOff("B-1", 100, "wang", "gone"), actor="li")
    assert opens(desk) == {}
    refused(desk, Recover("B-1", 101, "", ""), "RECOVERY_EXCEEDS_WRITE_OFF")
    desk.do(A, Recover("B-1", 40, "collection", ""))
    assert main(desk) == 0
    refused(desk, Recover("B-1", 61, "", ""), "RECOVERY_EXCEEDS_WRITE_OFF")


def test_what_came_in_is_not_called_what_the_house_calls_something_else() -> None:
    desk = owing(bill("B-1", 100))
    for kind in ("revenue", "written_off", "book:main", RECEIVABLE):
        refused(desk, Pay(10, "", "", "", kind, ""), "PAYMENT_KIND_TAKEN")
        refused(desk, Recover("B-1", 10, kind, ""), "PAYMENT_KIND_TAKEN")


def test_a_closed_account_takes_what_it_owes_and_nothing_else() -> None:
    desk = owing(bill("B-1", 100))
    desk.do(A, SetStatus("closed", "moved abroad"))
    refused(desk, pay(101), "ACCOUNT_CLOSED")
    desk.do(A, pay(100))
    assert opens(desk) == {}


def test_an_agreement_to_pay_later_is_of_what_is_owed_and_ahead() -> None:
    desk = owing(bill("B-1", 100))
    refused(desk, AgreeInstalments("", 3, START_MS - 1, 30, ""), "AGREEMENT_MALFORMED")
    desk.do(A, AgreeInstalments("", 3, START_MS + DAY_MS, 30, "asked"))
    rows = state(desk).open.bills[0].instalments
    assert [amount for _, amount in rows] == [34, 33, 33]
    desk.do(A, AgreeInstalments("", 0, 0, 0, "no more"))
    assert state(desk).open.bills[0].instalments == ()


@pytest.mark.parametrize(
    ("currency", "owed", "wanted"), [("CNY", 98, [34, 32, 32]), ("JPY", 100_000, [33_400, 33_300, 33_300])]
)
def test_parts_that_are_paid_later_can_be_paid_with_coins(currency: str, owed: int, wanted: list[int]) -> None:
    desk = owing(bill("B-1", owed * 10_000))
    desk.accounts[A] = state(desk).with_terms(currency=currency)
    desk.do(A, AgreeInstalments("", 3, START_MS + DAY_MS, 30, "asked"))
    assert [amount / 10_000 for _, amount in state(desk).open.bills[0].instalments] == wanted


def test_an_unsigned_write_off_is_not_even_journaled() -> None:
    desk = owing(bill("B-1", 100))
    lines = len(desk.journals[A])
    with pytest.raises(Invalid):
        desk.do(A, WriteOff("B-1", 1, "li", ""), actor="li")
    assert len(desk.journals[A]) == lines


class Receivables(RuleBasedStateMachine):
    """Any order of bills, money, reversals before their originals, disputes, credits, write-offs, time and crashes."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = owing(credit_limit=100)
        self.made = 0
        self.sums = dict.fromkeys(("opened", "allocated", "credited", "written_off"), 0)
        self.keys = [f"p-{number}" for number in range(6)]

    def attempt(self, action: Action, key: str = "", actor: str = "li") -> None:
        before = state(self.desk)
        try:
            self.desk.do(A, action, key, actor)
        except Fault:
            assert state(self.desk) == before

    @rule(amount=st.integers(1, 200), days=st.integers(0, 60), service=st.sampled_from(("", "voice")))
    def open_a_bill(self, amount: int, days: int, service: str) -> None:
        self.made += 1
        self.attempt(bill(f"B-{self.made}", amount, self.desk.now_ms + days * DAY_MS + 1, service))

    @rule(amount=st.integers(1, 300), at=st.integers(0, 5), number=st.integers(0, 8), named=st.booleans())
    def pay(self, amount: int, at: int, number: int, named: bool) -> None:
        self.attempt(pay(amount, f"B-{number}" if named else ""), self.keys[at])

    @rule(amount=st.integers(1, 300), at=st.integers(0, 5))
    def top_up(self, amount: int, at: int) -> None:
        self.attempt(TopUp("", "", amount, 0, 0, "", "deposit"), self.keys[at])

    @rule(at=st.integers(0, 5))
    def reverse(self, at: int) -> None:
        self.attempt(ReversePayment(self.keys[at], "chargeback"))

    @rule(amount=st.integers(1, 120))
    def charge(self, amount: int) -> None:
        self.attempt(post(state(self.desk), charge_of(amount)))

    @rule(number=st.integers(0, 8), amount=st.integers(0, 200))
    def dispute(self, number: int, amount: int) -> None:
        self.attempt(Dispute(f"B-{number}", "", "", amount, ""))

    @rule(number=st.integers(0, 8), amount=st.integers(0, 60))
    def resolve(self, number: int, amount: int) -> None:
        self.attempt(ResolveDispute(f"B-{number}", amount, ""))

    @rule(number=st.integers(0, 8), amount=st.integers(1, 200))
    def credit(self, number: int, amount: int) -> None:
        self.attempt(CreditBill(f"B-{number}", amount, "", ""))

    @rule(number=st.integers(0, 8), amount=st.integers(1, 200))
    def write_off(self, number: int, amount: int) -> None:
        self.attempt(WriteOff(f"B-{number}", amount, "wang", "gone"))

    @rule(number=st.integers(0, 8), amount=st.integers(1, 200))
    def recover(self, number: int, amount: int) -> None:
        self.attempt(Recover(f"B-{number}", amount, "", ""))

    @rule(parts=st.integers(0, 4), days=st.integers(1, 40))
    def agree(self, parts: int, days: int) -> None:
        first_ms = self.desk.now_ms + days * DAY_MS if parts else 0
        self.attempt(AgreeInstalments("", parts, first_ms, days, ""))

    @rule(days=st.integers(1, 90))
    def wait(self, days: int) -> None:
        self.desk.now_ms += days * DAY_MS

    @rule()
    def crash(self) -> None:
        before = dict(self.desk.accounts)
        self.desk.crash()
        assert self.desk.accounts == before

    @invariant()
    def receivables_are_what_came_less_what_went(self) -> None:
        account = state(self.desk)
        legs = [leg for entry in self.desk.journals[A] for event in entry.events for leg in event.legs()]
        assert open_of(account) == -sum(leg.delta for leg in legs if leg.place == RECEIVABLE)
        for each in account.open.bills:
            assert 0 <= each.disputed <= each.open
            assert all(0 <= row.disputed <= row.open for row in each.items)

    @invariant()
    def the_main_book_keeps_what_is_owed_and_money_does_not_lie_beside_debt(self) -> None:
        account = state(self.desk)
        book = funds.book_of(account, "main")
        assert book is not None
        assert book.reserved == kept_for_bills(account)
        assert book.amount <= 0 or not kept_for_bills(account)

    def teardown(self) -> None:
        assert auditing.audit(self.desk.journals[A], A).findings == ()


Receivables.TestCase.settings = settings(max_examples=120, stateful_step_count=30, deadline=None)
TestReceivables = Receivables.TestCase


@pytest.mark.parametrize("number", ["GD-0-B-2027-0000017", "gd-12-c-2031-1", "XJ_1-3-B-2020-0000001"])
def test_no_bill_is_taken_over_under_a_number_that_the_house_gives(number: str) -> None:
    desk = owing()
    with pytest.raises(Invalid) as raised:
        desk.do(A, bill(number, 100))
    assert raised.value.reason == "BILL_NUMBER_TAKEN"
    desk.do(A, bill("OLD-B-2027-17", 100))
    assert opens(desk) == {"OLD-B-2027-17": 100}


def test_a_sweep_that_finds_nothing_due_writes_no_entry() -> None:
    desk = owing(bill("B-1", 100))
    step = DunningStep("reminder", NOTICE, days=3)
    entries, version = len(desk.journals[A]), state(desk).version
    desk.now_ms = DUE_MS + DAY_MS
    assert desk.do(A, Dun("", (step,))).version == version
    assert (len(desk.journals[A]), state(desk).version) == (entries, version)
    desk.now_ms = DUE_MS + 4 * DAY_MS
    desk.do(A, Dun("", (step,)))
    assert len(desk.journals[A]) == entries + 1
    desk.do(A, Dun("", (step,)))
    assert len(desk.journals[A]) == entries + 1, "and none once it is taken"

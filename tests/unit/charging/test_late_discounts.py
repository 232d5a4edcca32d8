"""What comes after a bill was closed: closed bill and difference take off what one bill of all of it would have."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from appserver.billing.closings import BillingCaller, closing
from charging.base.contract import Contract, Subscription
from charging.base.discounted import REMEMBERED_MAX
from charging.base.usage import Usage
from charging.bills.bill import DISCOUNT, FEE, Bill
from charging.bills.checking import check_bill
from charging.bills.taxtable import TaxTable
from charging.catalogue.document import from_plain, pack
from charging.errors import Invalid
from charging.ledger.auditing import audit
from charging.ledger.commands.close_period import ClosePeriod, PeriodClosed
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.restate_usage import RestatedAmount, RestatedLine, RestateUsage, usage_total
from charging.ledger.commands.set_contract import SetContract
from charging.ledger.ledger import seal
from charging.plans.timeline import Timeline
from charging.rating.closing import closing_of
from charging.rating.period_discounts import period_discounts
from charging.wire import CatalogueRef
from testkit.examples import ALICE, ROOMMATE
from testkit.ledger import DAY_MS, START_MS, Desk, charge_of, opening

YUAN, MONTH_MS = 1_000_000, 31 * DAY_MS
JANUARY = 2027 * 12
PLAIN = TaxTable(coin=10_000, due_days=15)
RULES = {
    "voice-third": {"stage": "product", "percent": "33.3333", "when": {"items": ["voice"]},
                    "limit": {"amount": "8", "over": "cycle"}},
    "five-off": {"stage": "subscriber", "amount": "5", "when": {"amount_min": "20"}},
    "firm-8": {"stage": "account", "percent": "10", "limit": {"amount": "8", "over": "cycle"}},
    "year-12": {"stage": "account", "priority": 90, "percent": "5", "limit": {"amount": "12", "over": "year"}},
    "large": {"stage": "account", "percent": "20", "priority": 110, "when": {"amount_min": "60"}},
    "flat-70": {"stage": "account", "total": "70", "priority": 120},
    "grown": {"stage": "account", "priority": 80,
              "thresholds": {"accumulator": "spent", "steps": [{"at_least": "30", "percent": "10"},
                                                               {"at_least": "60", "percent": "25"}]}},
}  # fmt: skip
AGREED = ("five-off", "firm-8", "year-12", "large", "flat-70", "grown")


def timeline(places: str = "2") -> Timeline:
    rules = [{"id": name, "applies_to": ["bill"], **rule} for name, rule in RULES.items()]
    catalogue = {
        "catalogue": "test", "version": "1", "currency": "CNY", "rounding": {"mode": "half_up", "places": places},
        "accumulators": [{"id": "spent", "counts": "amount", "period": "cycle", "shared": True}],
        "discounts": rules, "bills": {"coin": "0.01", "due_days": "15"},
        "fees": [{"id": "least-40", "amount": "40", "prorated": "false", "charged": "arrears", "minus": "spent",
                  "item": "least"}],
        "offerings": [{"id": "plan", "fees": ["least-40"]}],
    }  # fmt: skip
    return Timeline.build([CatalogueRef("", 1, 0, pack(from_plain(catalogue)))], "GD", "UTC")


BY = timeline()


class Books:
    """An account, its bills and what was posted, month by month."""

    def __init__(self, agreed: Sequence[str], *, least: bool = False) -> None:
        """`least` = with a minimum of 40 a month."""
        self.desk = Desk()
        command = replace(opening(ALICE, 0, credit_limit=100_000 * YUAN), payment_mode="postpaid")
        account_wide = tuple(name for name in agreed if RULES[name]["stage"] == "account")
        self.desk.do(ALICE, replace(command, agreements=account_wide))
        own = tuple(name for name in agreed if RULES[name]["stage"] == "subscriber")
        held = (Subscription("plan", START_MS - 14 * DAY_MS),) if least else ()
        self.contracts = [
            Contract(each, ALICE, "GD", agreements=own, subscriptions=held if each == ALICE else ())
            for each in (ALICE, ROOMMATE)
        ]
        self.desk.do(ALICE, SetContract(self.contracts[1]))
        self.bills: list[Bill] = []

    def use(self, month: int, item: str, amount: int, member: str = ALICE) -> None:
        """Use something in a month, of an amount in hundredths: charged in time, else as a job restates it."""
        account = self.desk.accounts[ALICE]
        start_ms, amount = START_MS + month * 30 * DAY_MS, amount * YUAN // 100
        counted = f"spent@2027{month + 1:02}01"
        if account.terms.closed < JANUARY + month:
            sealed = replace(seal(charge_of(amount, accruals=((counted, amount),))), item=item)
            self.desk.do(ALICE, PostCharge(Usage(member, "voice", start_ms, 60), sealed, account.version, account.mark))
        else:
            self.restate(start_ms, item, amount, member, counted)

    def restate(self, start_ms: int, item: str, amount: int, member: str = ALICE, counted: str = "spent@") -> None:
        account = self.desk.accounts[ALICE]
        self.desk.do(
            ALICE,
            RestateUsage(
                "rerate",
                account.version,
                account.version,
                start_ms,
                usage_total(account, start_ms),
                (RestatedLine(start_ms, item, member, 0, amount),),
                (RestatedAmount(start_ms, counted, amount),),
                (),
                "late usage",
            ),
        )

    def close(self) -> Bill | None:
        account = self.desk.accounts[ALICE]
        month = account.terms.closed + 1
        self.desk.now_ms = max(self.desk.now_ms, START_MS + (month - JANUARY + 1) * MONTH_MS)
        made = closing(BY, account, self.contracts, BillingCaller("run", "billing", ""), self.desk.now_ms)
        for commit in made.fee_commits:
            self.desk.do(ALICE, commit.command.action)
        self.desk.do(ALICE, msgspec.msgpack.decode(made.action, type=ClosePeriod))
        (bill,) = [each.bill for each in self.desk.journals[ALICE][-1].events if isinstance(each, PeriodClosed)]
        if bill is not None:
            check_bill(bill)
            self.bills.append(bill)
        return bill


def off(bills: Sequence[Bill | None], period: str) -> dict[tuple[str, str, str], int]:
    """Add up what was taken off a period, wherever it stands: by item, member and rule."""
    found: dict[tuple[str, str, str], int] = {}
    for bill in bills:
        for line in bill.lines if bill is not None else ():
            if line.kind == DISCOUNT and period == (line.origin or bill.period):
                head = line.item, line.member, line.rule
                found[head] = found.get(head, 0) - line.gross
    return {head: amount for head, amount in found.items() if amount}


def test_what_comes_late_is_not_given_a_limit_once_more() -> None:
    books = Books(["firm-8"])
    books.use(0, "data", 60_00)
    assert off([books.close()], "2027-01/1") == {("data", "", "firm-8"): 6 * YUAN}
    books.use(0, "data", 60_00)  # A tenth of 120 would be 12; at most 8, of which 6 were taken.
    books.use(1, "data", 10_00)
    bill = books.close()
    assert off([bill], "2027-01/1") == {("data", "", "firm-8"): 2 * YUAN}
    assert off([bill], "2027-02/1") == {("data", "", "firm-8"): 1 * YUAN}, "the limit of February is its own"
    assert audit(books.desk.journals[ALICE], ALICE).findings == ()


def test_a_sum_that_a_rule_asks_for_is_reached_late_for_all_of_the_bill() -> None:
    books = Books(["large"])
    books.use(0, "rent", 50_00)
    books.close()
    books.use(0, "data", 10_00)
    bill = books.close()
    # A fifth of 60, though 50 of it stand on the bill before.
    assert off([bill], "2027-01/1") == {("rent", "", "large"): 10 * YUAN, ("data", "", "large"): 2 * YUAN}
    assert bill is not None
    assert bill.gross == -2 * YUAN


def test_what_is_given_back_late_is_given_back_less_its_discount() -> None:
    books = Books(["large"])
    books.use(0, "data", 70_00)
    books.close()
    books.restate(START_MS, "data", -30 * YUAN, counted="spent@20270101")
    bill = books.close()
    # 40 are less than 60, so the 14 that were taken off of 70 come back: 30 less 14.
    assert off([bill], "2027-01/1") == {("data", "", "large"): -14 * YUAN}
    assert bill is not None
    assert bill.gross == -16 * YUAN
    assert audit(books.desk.journals[ALICE], ALICE).findings == ()


def test_no_more_is_taken_back_than_was_given() -> None:
    books = Books(["large"])
    books.use(0, "data", 70_00)
    books.close()
    books.restate(START_MS, "data", -30 * YUAN, counted="spent@20270101")
    account = books.desk.accounts[ALICE]
    found = period_discounts(BY.plan_at, books.contracts, account, JANUARY + 1)
    (line,) = found.lines
    assert line.amount == 14 * YUAN
    dearer = replace(found, lines=(replace(line, amount=15 * YUAN),))
    books.desk.now_ms = START_MS + 2 * MONTH_MS
    with pytest.raises(Invalid) as raised:
        books.desk.do(ALICE, closing_of(account, PLAIN, JANUARY + 1, books.desk.now_ms, discounts=dearer))
    assert raised.value.facts["sum"] == "lines that were posted"


def test_rules_are_had_as_they_were_when_the_bill_was_closed() -> None:
    books = Books(["firm-8"])
    books.use(0, "data", 60_00)
    books.close()
    account = books.desk.accounts[ALICE]
    books.desk.accounts[ALICE] = account.with_terms(agreements=("large",))
    books.contracts = books.contracts[:1]
    books.use(0, "data", 10_00)
    assert off([books.close()], "2027-01/1") == {("data", "", "firm-8"): 1 * YUAN}


def test_what_is_later_than_anybody_remembers_has_no_discount_and_the_bill_says_so() -> None:
    books = Books(["firm-8"])
    books.use(0, "data", 60_00)
    for month in range(REMEMBERED_MAX + 1):
        books.use(month, "rent", 1_00)
        books.close()
    assert len(books.desk.accounts[ALICE].open.discounted) == REMEMBERED_MAX
    books.use(0, "data", 10_00)
    account = books.desk.accounts[ALICE]
    found = period_discounts(BY.plan_at, books.contracts, account, account.terms.closed + 1)
    assert found.lines == ()
    assert "not remembered" in found.steps[0].detail
    bill = books.close()
    assert bill is not None
    assert [line.kind for line in bill.lines] == ["usage"]


def test_who_has_no_rule_remembers_nothing() -> None:
    books = Books([])
    bare = timeline().plan_at(START_MS)
    rules = {name: rule for name, rule in bare.rules.items() if name != "voice-third"}
    bare.rules.clear()
    bare.rules.update(rules)
    books.use(0, "data", 60_00)
    found = period_discounts(lambda _: bare, books.contracts, books.desk.accounts[ALICE], JANUARY)
    assert (found.lines, found.seen) == ((), ())


POSTED = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 3),
        st.sampled_from(["voice", "data", "rent"]),
        st.integers(1, 60_00),
        st.sampled_from([ALICE, ROOMMATE]),
    ),
    min_size=1,
    max_size=8,
)
"""Of which month, on whose bill it stands at the earliest, item, hundredths, and who used it."""


Posted = list[tuple[int, int, str, int, str]]


def billed(posted: Posted, agreed: Sequence[str], *, in_time: bool = False, least: bool = False) -> Books:
    """Bill four months, with what comes late on its bill, or all of it in time."""
    books = Books(agreed, least=least)
    for month in range(4):
        for of, on, item, amount, member in posted:
            if (of if in_time else max(of, on)) == month:
                books.use(of, item, amount, member)
        books.close()
    return books


@settings(max_examples=40, deadline=None)
@given(POSTED, st.sets(st.sampled_from(AGREED), max_size=3), st.booleans())
def test_closed_bills_and_differences_take_off_what_one_bill_of_all_would(
    posted: Posted, agreed: set[str], least: bool
) -> None:
    names = [name for name in AGREED if name in agreed and name != "year-12"]
    late, once = billed(posted, names, least=least), billed(posted, names, in_time=True, least=least)
    for month in range(1, 5):
        assert off(late.bills, f"2027-{month:02}/1") == off(once.bills, f"2027-{month:02}/1")
    assert sum(bill.gross for bill in late.bills) == sum(bill.gross for bill in once.bills)
    asked = [sum(bill.total for bill in bills) + bills[-1].carried_out for bills in (late.bills, once.bills)]
    assert asked[0] == asked[1]
    assert audit(late.desk.journals[ALICE], ALICE).findings == ()


def fees(bills: Sequence[Bill | None], period: str) -> int:
    return sum(
        line.gross
        for bill in bills
        for line in (bill.lines if bill is not None else ())
        if line.kind == FEE and period == (line.origin or bill.period)
    )


def test_a_minimum_is_less_by_what_is_used_late() -> None:
    books = Books([], least=True)
    books.use(0, "data", 30_00)
    assert fees([books.close()], "2027-01/1") == 10 * YUAN
    books.use(1, "data", 15_00)
    assert fees([books.close()], "2027-02/1") == 25 * YUAN
    books.use(0, "data", 4_00)
    bill = books.close()
    assert fees([bill], "2027-01/1") == -4 * YUAN
    assert fees([bill], "2027-02/1") == 0, "what did not change is not touched"
    assert fees([bill], "2027-03/1") == 40 * YUAN
    books.use(1, "data", 26_00)
    assert fees([books.close()], "2027-02/1") == -25 * YUAN, "more than the minimum was used"
    assert audit(books.desk.journals[ALICE], ALICE).findings == ()


def test_a_minimum_whose_counter_is_forgotten_is_not_asked_for_again() -> None:
    books = Books([], least=True)
    for month in range(5):
        books.use(month, "data", 30_00)
        books.close()
    books.restate(START_MS, "data", 10 * YUAN, counted="spent@20270101")
    assert fees([books.close()], "2027-01/1") == 0


@settings(max_examples=15, deadline=None)
@given(POSTED)
def test_a_limit_of_the_year_is_given_once_however_late_things_come(posted: Posted) -> None:
    books = billed(posted, ["year-12"])
    taken = sum(-line.gross for bill in books.bills for line in bill.lines if line.rule == "year-12")
    assert taken <= 12 * YUAN + len(books.bills) * 5_000, "but for the rounding of each bill"

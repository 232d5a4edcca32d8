"""Bills are added up again from the journal: each thing that does not agree is told by period and line."""

from collections.abc import Callable

import pytest
from msgspec.msgpack import encode
from msgspec.structs import replace

from charging.base.account import Book
from charging.base.contract import Contract
from charging.base.usage import Usage
from charging.bills.bill import Bill, MoneyMoved, PeriodBalance, TaxedLine, TaxGroup
from charging.bills.taxtable import TaxSpan, TaxTable
from charging.ledger.auditing import Audit, audit
from charging.ledger.commands.adjust import Adjust
from charging.ledger.commands.close_period import PeriodClosed
from charging.ledger.commands.move_in import MoveIn
from charging.ledger.commands.pay import Paid, Pay
from charging.ledger.commands.post_charge import Charged, PostCharge
from charging.ledger.commands.top_up import TopUp
from charging.ledger.entry import Entry
from charging.ledger.ledger import seal
from charging.rating.closing import closing_of
from testkit.examples import ALICE, BILLED
from testkit.ledger import START_MS, Desk, an_account, charge_of, opening

YUAN, FEN = 1_000_000, 10_000
MONTH_MS = 31 * 86_400_000
TAX = TaxSpan(0, 1 << 20, "basic", 9_000_000)
TAXES = TaxTable({"*": (TAX,)}, parts={"pack": (("voice", 29), ("data", 40))}, coin=FEN, due_days=15)
ON_TOP = TaxTable({"*": (TAX,)}, include=False, coin=FEN, due_days=15)


def a_year_of(desk: Desk, taxes: TaxTable = TAXES) -> None:
    """Let two months pass: calls, a bundle, a payment, a correction, a late call, and a bill after each."""
    desk.do(ALICE, replace(opening(ALICE, 3 * YUAN, credit_limit=1_000 * YUAN), payment_mode="postpaid"))
    use(desk, 12_345_678, "voice")
    use(desk, 59 * YUAN, "pack")
    desk.do(ALICE, Adjust("main", 2 * YUAN, "goodwill"), actor="li")
    desk.do(ALICE, TopUp("", "", 4 * YUAN, 0, 0, "", "deposit"))
    desk.now_ms += MONTH_MS
    close(desk, taxes)
    use(desk, 5 * YUAN, "voice", START_MS)
    use(desk, 3 * YUAN, "data", desk.now_ms)
    desk.do(ALICE, Pay(10 * YUAN, "", "", "", "cash", ""), "paid")
    desk.now_ms += MONTH_MS
    close(desk, taxes)


def use(desk: Desk, amount: int, item: str, start_ms: int = START_MS) -> None:
    account = desk.accounts[ALICE]
    sealed = replace(seal(charge_of(amount)), item=item)
    desk.do(ALICE, PostCharge(Usage(ALICE, "voice", start_ms, 60), sealed, account.version, account.mark))


def close(desk: Desk, taxes: TaxTable) -> None:
    account = desk.accounts[ALICE]
    desk.do(ALICE, closing_of(account, taxes, account.terms.closed + 1, desk.now_ms))


def findings(entries: list[Entry]) -> tuple[str, ...]:
    return audit(entries, ALICE).findings


def falsified(desk: Desk, change: Callable[[PeriodClosed, Bill], PeriodClosed], newest: bool = True) -> tuple[str, ...]:
    """Say what is found when the event of a bill is another one."""
    entries = list(desk.journals[ALICE])
    places = [place for place, entry in enumerate(entries) if closed_in(entry) is not None]
    place = places[-1 if newest else 0]
    event = closed_in(entries[place])
    assert event is not None
    assert event.bill is not None
    events = tuple([change(event, event.bill) if each is event else each for each in entries[place].events])
    entries[place] = replace(entries[place], events=events)
    return findings(entries)


def closed_in(entry: Entry) -> PeriodClosed | None:
    return next((event for event in entry.events if isinstance(event, PeriodClosed)), None)


@pytest.mark.parametrize("taxes", [TAXES, ON_TOP])
def test_bills_of_a_sound_journal_agree_line_by_line(taxes: TaxTable) -> None:
    desk = Desk()
    a_year_of(desk, taxes)
    assert findings(desk.journals[ALICE]) == ()


def test_parts_of_a_bundle_name_what_was_posted() -> None:
    desk = Desk()
    a_year_of(desk)
    bills = [event.bill for entry in desk.journals[ALICE] if (event := closed_in(entry)) is not None]
    assert bills[0] is not None
    parts = [(line.item, line.bundle, line.gross) for line in bills[0].lines if line.bundle]
    assert [(item, bundle) for item, bundle, _ in parts] == [("voice", "pack"), ("data", "pack")]
    assert sum(gross for _, _, gross in parts) == 59 * YUAN


def test_bills_are_summed_up_by_the_period_of_their_run() -> None:
    desk = Desk()
    a_year_of(desk)
    following = Audit(ALICE)
    for entry in desk.journals[ALICE]:
        following.add(entry)
    january, february = following.bills.periods["2027-01/1"], following.bills.periods["2027-02/1"]
    assert (january.closed, january.bills, january.gross) == (1, 1, 69_345_678)
    assert (february.closed, february.bills, february.gross) == (1, 1, 8 * YUAN)
    assert january.asked + january.carried == january.gross
    assert february.asked + january.carried + february.carried == february.gross + january.carried


def moved(line: TaxedLine, amount: int) -> TaxedLine:
    return replace(line, net=line.net + amount)


def shifted(event: PeriodClosed, bill: Bill) -> PeriodClosed:
    """Move an amount from one line to the other: no sum tells it."""
    first, second, *others = bill.lines
    lines = (moved(first, 1_000), moved(second, -1_000), *others)
    return replace(event, bill=replace(bill, lines=lines))


def regrouped(event: PeriodClosed, bill: Bill) -> PeriodClosed:
    (group,) = bill.groups
    return replace(
        event, bill=replace(bill, groups=(TaxGroup(group.category, group.rate, group.net, group.tax + FEN),))
    )


def with_balance(event: PeriodClosed, bill: Bill, change: Callable[[PeriodBalance], PeriodBalance]) -> PeriodClosed:
    assert bill.balance is not None
    return replace(event, bill=replace(bill, balance=change(bill.balance)))


MONEY = MoneyMoved("2027-03-14", "deposit", 7)
FALSE: dict[str, tuple[Callable[[PeriodClosed, Bill], PeriodClosed], str]] = {
    "line": (shifted, "2027-02/1: line usage voice of 2027-01/1 is 5001000, the postings of the period are 5000000"),
    "line left out": (
        lambda event, bill: replace(event, bill=replace(bill, lines=bill.lines[1:])),
        "2027-02/1: line usage voice of 2027-01/1 is 0, the postings of the period are 5000000",
    ),
    "line of nothing": (
        lambda event, bill: replace(event, bill=replace(bill, lines=(*bill.lines, replace(bill.lines[0], item="tv")))),
        "2027-02/1: line usage tv of 2027-01/1 is 5000000, the postings of the period are 0",
    ),
    "tax": (regrouped, "2027-02/1: group basic 9 % has tax"),
    "total": (
        lambda event, bill: replace(event, bill=replace(bill, total=bill.total + FEN)),
        "2027-02/1 asks 8010000 and carries",
    ),
    "carried in": (
        lambda event, bill: replace(event, bill=replace(bill, carried_in=bill.carried_in + 1)),
        "2027-02/1 carries",
    ),
    "opening": (
        lambda event, bill: with_balance(event, bill, lambda each: replace(each, opening=each.opening + 1)),
        "2027-02/1 opens at",
    ),
    "closing": (
        lambda event, bill: with_balance(event, bill, lambda each: replace(each, closing=each.closing - 1)),
        "2027-02/1 closes at",
    ),
    "money": (
        lambda event, bill: with_balance(event, bill, lambda each: replace(each, moved=(*each.moved, MONEY))),
        "that came in and went out, postings say",
    ),
    "what it adds": (lambda event, bill: replace(event, extra=event.extra - FEN), "2027-02/1 adds"),
    "late fee": (
        lambda event, bill: replace(event, late_fees=(("B-1", 7),)),
        "2027-02/1: late fee 7 of bill B-1 has no line",
    ),
}


@pytest.mark.parametrize("what", FALSE)
def test_what_is_false_on_a_bill_is_told_by_its_period_and_line(what: str) -> None:
    change, told = FALSE[what]
    desk = Desk()
    a_year_of(desk)
    found = falsified(desk, change)
    assert any(told in finding for finding in found), found


def test_a_period_that_is_closed_without_the_bill_of_its_postings_is_told() -> None:
    desk = Desk()
    a_year_of(desk)
    found = falsified(desk, lambda event, bill: replace(event, bill=None, extra=0, items=()))
    assert any("period 2027-02 is closed without a bill, 3000000 were posted as usage data" in each for each in found)


def test_a_posting_that_is_not_on_the_bill_is_told_by_its_line() -> None:
    desk = Desk()
    a_year_of(desk)
    entries = list(desk.journals[ALICE])
    place = next(place for place, entry in enumerate(entries) if any(isinstance(e, Charged) for e in entry.events))
    event = entries[place].events[0]
    assert isinstance(event, Charged)
    other = replace(event, charge=replace(event.charge, item="data"))
    entries[place] = replace(entries[place], events=(other,))
    found = findings(entries)
    assert any("2027-01/1: line usage voice is 12345678, the postings of the period are 0" in each for each in found)
    assert any("2027-01/1: line usage data is 0, the postings of the period are 12345678" in each for each in found)


def test_what_is_owed_is_held_against_what_was_billed_and_paid() -> None:
    desk = Desk()
    a_year_of(desk)
    entries = list(desk.journals[ALICE])
    place = next(place for place, entry in enumerate(entries) if entry.key == "paid")
    paid = next(event for event in entries[place].events if isinstance(event, Paid))
    less = replace(paid, shares=tuple([replace(share, amount=share.amount - 1) for share in paid.shares]))
    events = tuple([less if event is paid else event for event in entries[place].events])
    entries[place] = replace(entries[place], events=events)
    assert findings(entries), "postings and books of a payment say the same"


def test_money_that_is_staged_in_a_period_comes_in_with_its_bill_and_is_told_once() -> None:
    desk = Desk()
    desk.do(ALICE, replace(opening(ALICE, 0, credit_limit=1_000 * YUAN), payment_mode="postpaid"))
    use(desk, 9 * YUAN, "voice")
    desk.do(ALICE, TopUp("", "", 4 * YUAN, 0, 0, "", "deposit").staged(BILLED))
    assert desk.accounts[ALICE].open.staged
    desk.now_ms += MONTH_MS
    close(desk, TAXES)
    assert desk.accounts[ALICE].open.staged == ()
    use(desk, 1 * YUAN, "voice", desk.now_ms)
    desk.now_ms += MONTH_MS
    close(desk, TAXES)
    bills = [event.bill for entry in desk.journals[ALICE] if (event := closed_in(entry)) is not None]
    told = [bill.balance.money_in for bill in bills if bill is not None and bill.balance is not None]
    assert told == [4 * YUAN, 0]
    assert findings(desk.journals[ALICE]) == ()


def test_an_account_may_arrive_with_less_than_its_credit_covers() -> None:
    desk = Desk()
    below = an_account(ALICE, 3, "GD", books=(Book("main", "money", -5 * YUAN),), members=(ALICE,))
    desk.do(ALICE, MoveIn(encode(below), (Contract(ALICE, ALICE, "GD"),), "BJ", "GD/3"))
    assert audit(desk.journals[ALICE], ALICE).findings == ()

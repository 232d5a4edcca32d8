"""Fees that a change of a contract brings, each with its arithmetic; China's clock, cycles that begin on the first."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from charging.base.account import Account, Book
from charging.base.contract import Contract, Subscription
from charging.base.due import Due
from charging.base.feemark import FeeMark
from charging.catalogue.document import from_plain, pack
from charging.ledger.dues import posted
from charging.plans.timeline import Timeline
from charging.rating.due_fees import months_left, of_change
from charging.wire import CatalogueRef
from testkit.ledger import an_account

ALICE = "msisdn:8613800000001"
YUAN = 1_000_000
DAY_MS = 86_400_000
SHANGHAI = ZoneInfo("Asia/Shanghai")
CATALOGUE = from_plain(
    {
        "catalogue": "test",
        "version": "1",
        "currency": "CNY",
        "services": [{"id": "data", "unit": "byte"}],
        "fees": [
            {"id": "rent", "amount": "30", "item": "line"},
            {"id": "whole", "amount": "10", "prorated": "false"},
            {"id": "kept", "amount": "10", "while_paused": "due"},
            {"id": "later", "amount": "31", "charged": "arrears"},
            {"id": "entry", "amount": "5", "kind": "one_time"},
            {"id": "switch", "amount": "2", "kind": "one_time", "event": "change"},
            {"id": "exit", "amount": "7", "kind": "one_time", "event": "termination"},
            {"id": "asked", "amount": "9", "kind": "one_time", "event": "request"},
        ],
        "offerings": [
            {"id": "plan", "fees": ["rent", "entry", "switch", "exit", "asked"]},
            {"id": "fixed", "fees": ["whole"]},
            {"id": "line", "fees": ["kept"]},
            {"id": "behind", "fees": ["later"]},
            {"id": "bundle", "kind": "bundle", "includes": ["plan"]},
        ],
    }
)
TIMELINE = Timeline.build([CatalogueRef("", 1, 0, pack(CATALOGUE))], "GD", "Asia/Shanghai")


def at(day: int, hour: int = 0, month: int = 11) -> int:
    return int(datetime(2026, month, day, hour, tzinfo=SHANGHAI).timestamp()) * 1000


def holding(*held: Subscription) -> Contract:
    return Contract(ALICE, "a", "GD", subscriptions=held, version=1)


def account(*marks: FeeMark) -> Account:
    return an_account("a", 3, "GD", currency="CNY", members=(ALICE,), fees=marks)


def told(
    before: Contract, after: Contract, now_ms: int, state: Account | None = None, *, changes: bool = False
) -> list[tuple[str, int]]:
    """Give each fee and what it takes; below zero what is given back."""
    dues = of_change(TIMELINE.plan_at, before, after, state or account(), now_ms, changes=changes)
    return [(due.fee, -due.charge.amount if due.credit else due.charge.amount) for due in dues.fees]


NOBODY = holding()
PLAN = Subscription("plan", at(16, 12))


def test_what_begins_pays_its_entry_and_the_begun_day_with_the_rest_of_the_cycle() -> None:
    # 16 to 30 November are 15 of 30 days.
    assert told(NOBODY, holding(PLAN), at(16, 12)) == [("rent", 15 * YUAN), ("entry", 5 * YUAN)]


def test_what_begins_later_pays_when_it_does() -> None:
    assert told(NOBODY, holding(Subscription("plan", at(1, month=12))), at(16, 12)) == []


def test_an_end_of_its_own_within_the_cycle_ends_the_fee_too() -> None:
    short = replace(PLAN, valid_to_ms=at(19, 12))
    assert told(NOBODY, holding(short), at(16, 12))[0] == ("rent", 4 * YUAN)


def test_a_fee_that_is_not_prorated_is_paid_whole_and_nothing_of_it_is_given_back() -> None:
    fixed = Subscription("fixed", at(16))
    assert told(NOBODY, holding(fixed), at(16)) == [("whole", 10 * YUAN)]
    paid = account(FeeMark(ALICE, "fixed", "whole", at(16), at(1, month=12), 10 * YUAN))
    assert told(holding(fixed), holding(replace(fixed, valid_to_ms=at(20))), at(20), paid) == []


PAID = account(FeeMark(ALICE, "plan", "rent", at(16, 12), at(1, month=12), 15 * YUAN))


def test_what_ends_gives_back_what_it_was_paid_for_beyond_the_begun_day_and_pays_its_exit() -> None:
    ended = holding(replace(PLAN, valid_to_ms=at(20, 9)))
    # Paid for are 16 to 30; 16 to 20 are used.
    assert told(holding(PLAN), ended, at(20, 9), PAID) == [("rent", -10 * YUAN), ("exit", 7 * YUAN)]


def test_an_end_at_midnight_uses_no_day_that_it_does_not_reach() -> None:
    ended = holding(replace(PLAN, valid_to_ms=at(20)))
    assert told(holding(PLAN), ended, at(18), PAID)[0] == ("rent", -11 * YUAN)


def test_a_change_of_plan_pays_the_change_and_gives_its_day_to_the_new_plan() -> None:
    after = holding(replace(PLAN, valid_to_ms=at(20, 9)), Subscription("fixed", at(20, 9)))
    assert told(holding(PLAN), after, at(20, 9), PAID, changes=True) == [("rent", -11 * YUAN), ("whole", 10 * YUAN)]
    back = holding(Subscription("fixed", 0, at(20, 9)), Subscription("plan", at(20, 9)))
    assert told(holding(Subscription("fixed")), back, at(20, 9), changes=True) == [
        ("rent", 11 * YUAN), ("switch", 2 * YUAN)
    ]  # fmt: skip


def test_an_end_at_the_next_cycle_gives_nothing_back_and_a_next_one_pays_nothing_yet() -> None:
    border = at(1, month=12)
    after = holding(replace(PLAN, valid_to_ms=border), Subscription("fixed", border))
    assert told(holding(PLAN), after, at(20), PAID, changes=True) == []


def test_a_fee_behind_is_charged_for_the_running_cycle_until_the_end() -> None:
    behind = Subscription("behind", at(1, month=9))
    ended = replace(behind, valid_to_ms=at(10, 12))
    assert told(holding(behind), holding(ended), at(10, 12)) == [("later", 31 * YUAN * 10 // 30)]
    begun = replace(behind, valid_from_ms=at(9))
    assert told(holding(begun), holding(replace(ended, valid_from_ms=at(9))), at(10, 12)) == [("later", 2_066_667)]
    assert told(holding(behind), holding(ended), at(5)) == []


def test_who_leaves_gets_back_what_is_paid_for_all_that_is_held() -> None:
    gone = Contract(ALICE, "a", "GD", 0, at(20, 9), "ended")
    assert told(holding(PLAN, Subscription("fixed")), gone, at(20, 9), PAID) == [
        ("rent", -10 * YUAN), ("exit", 7 * YUAN)
    ]  # fmt: skip


def test_a_time_that_is_posted_already_is_not_due_again() -> None:
    assert told(NOBODY, holding(PLAN), at(16, 12), PAID) == [("entry", 5 * YUAN)]


def test_what_a_bundle_includes_comes_with_it() -> None:
    assert told(NOBODY, holding(Subscription("bundle", at(16))), at(16)) == []


@given(st.lists(st.integers(0, 29 * 24), min_size=1, max_size=8, unique=True))
def test_however_often_a_plan_is_taken_and_ended_in_a_cycle_each_day_of_it_is_paid_once(hours: list[int]) -> None:
    state = replace(account(), books=(Book("main", "money", 0),)).with_terms(credit_limit=10**12)
    contract = holding()
    days: set[int] = set()
    begun = 0
    for number, hour in enumerate(sorted(hours)):
        now_ms = at(1) + hour * 3_600_000
        if number % 2 == 0:
            begun = now_ms
            after = holding(*contract.subscriptions, Subscription("plan", now_ms))
        else:
            *others, last = contract.subscriptions
            after = holding(*others, replace(last, valid_to_ms=now_ms))
            days |= set(range(_day(begun), _day(now_ms - 1) + 1))
        dues = of_change(TIMELINE.plan_at, contract, after, state, now_ms, changes=False)
        for event in posted(state, dues, now_ms):
            state = event.apply(state)
        contract = after
    if len(hours) % 2:
        days |= set(range(_day(begun), 31))
    others_paid = (len(hours) + 1) // 2 * 5 + len(hours) // 2 * 7
    assert -state.books[0].amount == (len(days) + others_paid) * YUAN


def _day(time_ms: int) -> int:
    return datetime.fromtimestamp(time_ms // 1000, SHANGHAI).day


@pytest.mark.parametrize(
    ("end", "left"),
    [(at(16), 12), (at(15, month=12), 12), (at(16, month=12), 11)],
)
def test_a_month_of_a_minimum_term_that_is_begun_counts(end: int, left: int) -> None:
    assert months_left(TIMELINE.local, at(16, 12), end, 12) == left


def test_what_is_paused_gives_back_the_rest_and_pays_again_from_the_day_it_goes_on() -> None:
    paused = holding(replace(PLAN, valid_to_ms=at(20, 9), paused=True))
    assert told(holding(PLAN), paused, at(20, 9), PAID) == [("rent", -10 * YUAN)]
    after = account(FeeMark(ALICE, "plan", "rent", at(16, 12), at(21), 5 * YUAN))
    goes_on = Subscription("plan", at(26, 8), since_ms=at(16, 12))
    resumed = holding(replace(PLAN, valid_to_ms=at(20, 9)), goes_on)
    # 26 to 30.
    assert told(paused, resumed, at(26, 8), after) == [("rent", 5 * YUAN)]


def test_a_contract_that_is_paused_stops_all_its_fees_but_those_that_are_due_all_the_same() -> None:
    line = replace(PLAN, offering="line")
    before = holding(PLAN, line)
    state = account(*PAID.open.fees, FeeMark(ALICE, "line", "kept", at(16, 12), at(1, month=12), 5 * YUAN))
    paused = replace(before, paused_from_ms=at(20, 9))
    assert told(before, paused, at(20, 9), state) == [("rent", -10 * YUAN)]
    after = account(FeeMark(ALICE, "plan", "rent", at(16, 12), at(21), 5 * YUAN), state.open.fees[1])
    resumed = replace(paused, paused_to_ms=at(26, 8))
    assert told(paused, resumed, at(26, 8), after) == [("rent", 5 * YUAN)]
    # Taken while the contract is paused, an offering pays its entry, and its rent when the contract goes on.
    assert told(replace(NOBODY, paused_from_ms=at(1)), replace(holding(PLAN), paused_from_ms=at(1)), at(16, 12)) == [
        ("entry", 5 * YUAN)
    ]


def test_a_pause_that_is_taken_back_before_it_begins_takes_what_was_given_back() -> None:
    ahead = replace(holding(PLAN), paused_from_ms=at(20))
    assert told(holding(PLAN), ahead, at(17), PAID) == [("rent", -11 * YUAN)]
    after = account(FeeMark(ALICE, "plan", "rent", at(16, 12), at(20), 4 * YUAN))
    assert told(ahead, holding(PLAN), at(18), after) == [("rent", 11 * YUAN)]


def test_credits_come_first_so_that_they_pay_for_what_follows() -> None:
    after = holding(replace(PLAN, valid_to_ms=at(20, 9)), Subscription("fixed", at(20, 9)))
    dues = of_change(TIMELINE.plan_at, holding(PLAN), after, PAID, at(20, 9), changes=True)
    assert [type(due) for due in dues.fees] == [Due, Due]
    assert [due.credit for due in dues.fees] == [True, False]
    assert [due.item for due in dues.fees] == ["line", "whole"]

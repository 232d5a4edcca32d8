"""Minimum terms, fees for ending early and how often an offering is taken, each with its arithmetic."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from charging.base.account import Account
from charging.base.contract import Contract, Subscription
from charging.catalogue.document import from_plain, pack
from charging.checks.check import check
from charging.errors import Invalid
from charging.plans.timeline import Timeline
from charging.rating.due_fees import of_change
from charging.rating.terms import check_terms
from charging.wire import CatalogueRef
from testkit.ledger import an_account

ALICE = "msisdn:8613800000001"
YUAN = 1_000_000
SHANGHAI = ZoneInfo("Asia/Shanghai")


def offered(minimum: str = "12") -> object:
    """Give a catalogue with offerings that are kept for months: at a fee a month, at one fee, or in any case."""
    return from_plain(
        {
            "catalogue": "test",
            "version": "1",
            "currency": "CNY",
            "services": [{"id": "data", "unit": "byte"}],
            "fees": [{"id": "leave", "amount": "20", "kind": "one_time", "event": "request"}],
            "offerings": [
                {"id": "by-month", "minimum_months": minimum, "early_end": "leave", "early_end_by": "month"},
                {"id": "once", "minimum_months": minimum, "early_end": "leave"},
                {"id": "bound", "minimum_months": minimum},
                {"id": "free"},
                {"id": "rare", "begins_max": "2"},
                {"id": "daily", "begins_max": "1", "begins_period": "day"},
            ],
        }
    )


TIMELINE = Timeline.build([CatalogueRef("", 1, 0, pack(offered()))], "GD", "Asia/Shanghai")  # type: ignore[arg-type]
ACCOUNT: Account = an_account("a", 3, "GD", currency="CNY", members=(ALICE,))


def at(month: int, day: int, hour: int = 0) -> int:
    return int(datetime(2026, month, day, hour, tzinfo=SHANGHAI).timestamp()) * 1000


def holding(*held: Subscription) -> Contract:
    return Contract(ALICE, "a", "GD", subscriptions=held, version=1)


def ended(offering: str, end_ms: int, *others: Subscription, changes: bool = False) -> list[tuple[str, int]]:
    """End what began on 31 January, and give the fees."""
    held = Subscription(offering, at(1, 31, 10))
    before, after = holding(held), holding(replace(held, valid_to_ms=end_ms), *others)
    check_terms(TIMELINE.plan_at, before, after, ACCOUNT, "unsubscribe.offering", changes=changes, at_ms=at(1, 31, 10))
    dues = of_change(TIMELINE.plan_at, before, after, ACCOUNT, end_ms, changes=changes)
    return [(due.fee, due.charge.amount) for due in dues.fees]


@pytest.mark.parametrize(
    ("end", "months"),
    [
        (at(2, 1), 12),
        (at(2, 28, 23), 12),  # February has no 31st: the first month is over with it.
        (at(3, 30), 11),
        (at(3, 31), 10),
        (at(12, 31), 1),
    ],
)
def test_ending_early_costs_each_month_that_is_left_a_begun_one_whole(end: int, months: int) -> None:
    assert ended("by-month", end) == [("leave", months * 20 * YUAN)]
    assert ended("once", end) == [("leave", 20 * YUAN)]


def test_after_the_term_ending_costs_nothing() -> None:
    last = int(datetime(2027, 1, 31, tzinfo=SHANGHAI).timestamp()) * 1000
    for offering in ("by-month", "once", "bound"):
        assert ended(offering, last) == []


def test_what_can_not_be_ended_early_is_refused_also_as_a_change_of_plan() -> None:
    for changes in (False, True):
        with pytest.raises(Invalid) as raised:
            ended("bound", at(5, 1), Subscription("free", at(5, 1)), changes=changes)
        assert raised.value.reason == "MINIMUM_TERM"
        assert list(raised.value.fields) == ["unsubscribe.offering"]


def test_a_pause_ends_nothing_and_what_goes_on_after_it_is_as_old_as_it_was() -> None:
    held = Subscription("bound", at(1, 31))
    paused = holding(replace(held, valid_to_ms=at(3, 1), paused=True))
    check_terms(TIMELINE.plan_at, holding(held), paused, ACCOUNT, "pause.offering", changes=False, at_ms=at(1, 31, 10))
    assert of_change(TIMELINE.plan_at, holding(held), paused, ACCOUNT, at(3, 1), changes=False).fees == ()
    on = Subscription("by-month", at(4, 1), since_ms=at(1, 31))
    before, after = holding(on), holding(replace(on, valid_to_ms=at(5, 1)))
    (due,) = of_change(TIMELINE.plan_at, before, after, ACCOUNT, at(5, 1), changes=False).fees
    assert due.charge.amount == 9 * 20 * YUAN


def test_a_contract_that_ends_pays_for_all_that_it_leaves_early() -> None:
    before = holding(Subscription("once", at(1, 31)), Subscription("by-month", at(1, 31)), Subscription("free"))
    gone = Contract(ALICE, "a", "GD", 0, at(2, 10), "ended")
    dues = of_change(TIMELINE.plan_at, before, gone, ACCOUNT, at(2, 10), changes=False)
    assert sum(due.charge.amount for due in dues.fees) == (1 + 12) * 20 * YUAN


@pytest.mark.parametrize(
    ("offering", "begun", "begins", "refused"),
    [
        ("rare", (at(3, 2), at(3, 9)), at(3, 20), True),
        ("rare", (at(3, 2),), at(3, 20), False),
        ("rare", (at(2, 27), at(3, 2)), at(3, 20), False),
        ("daily", (at(3, 2, 1),), at(3, 2, 23), True),
        ("daily", (at(3, 2, 23),), at(3, 3), False),
    ],
)
def test_an_offering_is_taken_no_more_often_than_it_is_sold_in_a_period(
    offering: str, begun: tuple[int, ...], begins: int, refused: bool
) -> None:
    before = holding(*(Subscription(offering, each, each + 1) for each in begun))
    after = holding(*before.subscriptions, Subscription(offering, begins))
    if not refused:
        check_terms(TIMELINE.plan_at, before, after, ACCOUNT, "subscribe.offering", changes=False, at_ms=at(1, 31, 10))
        return
    with pytest.raises(Invalid) as raised:
        check_terms(TIMELINE.plan_at, before, after, ACCOUNT, "subscribe.offering", changes=False, at_ms=at(1, 31, 10))
    assert raised.value.reason == "TAKEN_TOO_OFTEN"


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ({"early_end": "leave"}, "nothing ends early without a minimum term"),
        ({"minimum_months": "12", "early_end": "rent"}, "fee 'rent' is due by itself"),
        ({"minimum_months": "12", "early_end": "entry"}, "fee 'entry' is due by itself"),
        ({"minimum_months": "12", "early_end": "gone"}, "'gone' is not among the fees"),
        ({"minimum_months": "12", "early_end_by": "month"}, "there is no fee to be due by month"),
        ({"minimum_months": "12", "validity": "30 d"}, "it ends by itself after 30 d"),
        ({"begins_period": "day"}, "nothing is counted without begins_max"),
        ({"gift_fee": "1"}, "nobody can give it"),
        ({"may_be_given": "true", "fees": ["rent"]}, "fee 'rent' would be paid by who gets it"),
        ({"may_be_given": "true", "fees": ["leave"]}, "fee 'leave' would be paid by who gets it"),
        ({"may_be_given": "true", "minimum_months": "1"}, "who gets it would be bound"),
        ({"may_be_given": "true", "gift_fee": "1", "fees": ["entry"]}, ""),
        ({"minimum_months": "12", "early_end": "leave", "early_end_by": "month", "begins_max": "1"}, ""),
    ],
)
def test_terms_of_an_offering_that_say_nothing_or_can_not_be_are_found(terms: dict[str, str], sentence: str) -> None:
    fees = [
        {"id": "rent", "amount": "1"},
        {"id": "entry", "amount": "1", "kind": "one_time"},
        {"id": "leave", "amount": "1", "kind": "one_time", "event": "request"},
    ]
    document = {"catalogue": "test", "version": "1", "fees": fees, "offerings": [{"id": "plan", **terms}]}
    found = [finding.message for finding in check(from_plain(document))]
    assert [message for message in found if sentence and sentence in message] or (not sentence and not found), found

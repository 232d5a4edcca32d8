"""Fees over the life of a subscription that is taken, paused, resumed, ended and taken again at any moment, against an
independent opinion: what was posted less what was given back is what the days cost, rounded once a stretch and period.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import floor
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from charging.base.account import MAIN_BOOK, Account, Book
from charging.base.contract import Contract, Subscription
from charging.catalogue.document import from_plain, pack
from charging.ledger import revising
from charging.ledger.dues import Dues, posted
from charging.plans.timeline import Timeline
from charging.rating.due_fees import of_change
from charging.rating.fee_schedule import schedule
from charging.wire import CatalogueRef
from testkit.ledger import an_account

ALICE = "msisdn:8613800000001"
SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR_MS = 3_600_000
BEGIN = datetime(2027, 1, 1, tzinfo=SHANGHAI)
AMOUNT = 10_000_003
FEES = {
    "plain": {},
    "trial": {"trial_days": "9"},
    "free": {"free_months": "1"},
    "both": {"trial_days": "5", "free_months": "1"},
    "thirty": {"proration": "30_day_months"},
    "thirty-trial": {"proration": "30_day_months", "trial_days": "20"},
    "behind": {"charged": "arrears", "trial_days": "3"},
}
TIMELINE = Timeline.build(
    [
        CatalogueRef(
            "",
            1,
            0,
            pack(
                from_plain(
                    {
                        "catalogue": "test",
                        "version": "1",
                        "currency": "CNY",
                        "rounding": {"mode": "half_up", "places": "6"},
                        "fees": [
                            {"id": "entry", "amount": "3", "kind": "one_time"},
                            *({"id": name, "amount": "10.000003"} | more for name, more in FEES.items()),
                        ],
                        "offerings": [{"id": name, "fees": ["entry", name]} for name in FEES],
                    }
                )
            ),
        )
    ],
    "GD",
    "Asia/Shanghai",
)


def ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


class Life:
    """A contract and its account, as platform and owner lead them."""

    def __init__(self, fee: str) -> None:
        self.fee = fee
        self.contract = Contract(ALICE, "a", "GD", version=1)
        rich = Book(MAIN_BOOK, "money", 10**12)
        self.account: Account = an_account("a", 3, "GD", currency="CNY", members=(ALICE,), books=(rich,))

    def post(self, dues: Dues, now_ms: int) -> None:
        for event in posted(self.account, dues, now_ms):
            self.account = event.apply(self.account)

    def change(self, after: Contract, now_ms: int) -> None:
        self.post(of_change(TIMELINE.plan_at, self.contract, after, self.account, now_ms, changes=False), now_ms)
        self.contract = after

    def run(self, now_ms: int) -> None:
        while (dues := schedule(TIMELINE.plan_at, [self.contract], self.account, now_ms)).fees:
            self.post(dues, now_ms)

    @property
    def paid(self) -> int:
        return 10**12 - self.account.books[0].amount


def month_of(day: date) -> tuple[date, int]:
    first = day.replace(day=1)
    return first, ((first + timedelta(days=31)).replace(day=1) - first).days


def free_days(fee: str, taken: date) -> date:
    """The first day that costs something."""
    more = FEES[fee]
    day = taken + timedelta(days=int(more.get("trial_days", 0)))
    for _ in range(int(more.get("free_months", 0))):
        first, whole = month_of(day)
        following = first + timedelta(days=whole)
        day = following + timedelta(days=min(day.day, month_of(following)[1]) - 1)
    return day


def costs(fee: str, stretches: Sequence[tuple[date, date, date, int]]) -> int:
    """What stretches of days cost: (first, first after, taken, quantity) each, a day that two have once."""
    total, until = 0, date.min
    for first, after, taken, quantity in stretches:
        day, free = max(first, until), free_days(fee, taken)
        until = max(until, after)
        while day < after:
            begins, whole = month_of(day)
            end = min(after, begins + timedelta(days=whole))
            paid = [begins + timedelta(days=at) for at in range(whole)]
            counted = sum(weight(fee, each, whole) for each in paid if max(day, free) <= each < end)
            exact = Fraction(AMOUNT * quantity * counted, 30 if "proration" in FEES[fee] else whole)
            total += floor(exact + Fraction(1, 2))
            day = end
    return total


def weight(fee: str, day: date, whole: int) -> int:
    """Days of 30 that a day stands for."""
    if "proration" not in FEES[fee] or (day.day < 30 and day.day < whole):
        return 1
    return 0 if day.day == 31 else 31 - day.day if day.day == whole else 1


steps = st.lists(
    st.tuples(st.sampled_from(["take", "end", "pause", "resume", "run"]), st.integers(1, 900)), max_size=14
)


@settings(max_examples=300, deadline=None)
@given(fee=st.sampled_from(sorted(FEES)), steps=steps, quantity=st.integers(1, 5))
def test_what_was_posted_less_what_was_given_back_is_what_the_days_cost(
    fee: str, steps: list[tuple[str, int]], quantity: int
) -> None:
    life, now, taken = Life(fee), BEGIN, BEGIN.date()
    stretches: list[tuple[date, date, date, int]] = []
    began: datetime | None = None
    state = "none"
    entries = 0

    def stop() -> None:
        assert began is not None
        last = (now - timedelta(milliseconds=1)).date() + timedelta(days=1)
        stretches.append((began.date(), last, taken, quantity))

    for what, hours in [*steps, ("run", 1)]:
        now += timedelta(hours=hours)
        now_ms = ms(now)
        life.run(now_ms)
        if what == "take" and state == "none":
            added = Subscription(fee, now_ms, quantity=quantity)
            life.change(revising.started(life.contract, added, now_ms, "x"), now_ms)
            began, taken, state, entries = now, now.date(), "on", entries + 1
        elif what == "end" and state != "none":
            if state == "on":
                stop()
            life.change(revising.ended(life.contract, fee, now_ms, now_ms), now_ms)
            state = "none"
        elif what == "pause" and state == "on":
            life.change(revising.paused(life.contract, fee, now_ms, 0, now_ms), now_ms)
            stop()
            state = "paused"
        elif what == "resume" and state == "paused":
            life.change(revising.resumed(life.contract, fee, now_ms, now_ms), now_ms)
            began, state = now, "on"
    if state == "on":
        assert began is not None
        first, whole = month_of(now.date())
        behind = FEES[fee].get("charged") == "arrears"
        end = first if behind else first + timedelta(days=whole)
        stretches.append((began.date(), end, taken, quantity))
    assert life.paid == costs(fee, stretches) + entries * 3_000_000 * quantity


@given(hours=st.integers(1, 2_000), quantity=st.integers(1, 9), runs=st.lists(st.integers(1, 400), max_size=6))
def test_one_time_fees_of_what_begins_later_are_posted_once_when_it_does(
    hours: int, quantity: int, runs: list[int]
) -> None:
    life = Life("plain")
    begins = BEGIN + timedelta(hours=hours)
    added = Subscription("plain", ms(begins), quantity=quantity, first_fees="activation")
    life.change(revising.started(life.contract, added, ms(BEGIN), "x"), ms(BEGIN))
    assert life.paid == 0
    now = BEGIN
    for each in [*runs, 0]:
        now += timedelta(hours=each)
        life.run(ms(now))
        entries = [mark for mark in life.account.open.fees if mark.fee == "entry"]
        assert [mark.amount for mark in entries] == ([3_000_000 * quantity] if now >= begins else [])

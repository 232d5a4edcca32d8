"""Usage that comes when what it counts for is kept no more, and parts of calls that were charged: set aside, then rated
with the whole cycle, so that it costs what one pass over all of it would.
"""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from appserver.work.bulk import rated_uses
from charging.base.account import Account
from charging.base.lateness import LATE_DAYS_MAX, refuse_late
from charging.base.localtime import LocalTime
from charging.base.usage import Charge, Usage
from charging.catalogue.document import from_plain, pack
from charging.ledger.commands.post_usage import PostUsage, ReplacedUse, read_outcomes
from charging.ledger.outcome import Done
from charging.plans.timeline import Timeline
from charging.rating.alike import AlikeUses
from charging.rating.rating import rate
from charging.rating.restating import Restatement, restated
from charging.wire import CatalogueRef
from details.rows import StoredUsage, rows_of
from mediation.columns.rater import ColumnRater
from mediation.rerating.bycolumns import Restater
from mediation.rerating.freezing import FrozenAccount
from mediation.rerating.job import AccountOutcome, Studied, ask, lost_price, rated_anew, span_month
from mediation.rerating.whatif import BY, WhatIf
from testkit.ledger import Desk
from tests.unit.mediation.test_rerating import CONTRACTS, HOUR_MS, ME, ZONE, charge, counted, opened, post, sums

LOCAL = LocalTime(ZONE)
AUGUST = 2026 * 12 + 7
BEGIN_MS = LOCAL.moment_ms("2026-08-01T00:00:00")
NOW_MS = LOCAL.moment_ms("2026-10-30T12:00:00")
WHO = "GD/0:me"


def timeline(*, roll: bool = False, calls: bool = True, connect: str = "0.5") -> Timeline:
    """98 a day at most for data, one free minute a month, a connection fee, and a counter of the year."""
    free: dict[str, object] = {"id": "free", "unit": "second", "quota": "60", "when": {"services": ["voice"]}}
    if roll:
        free["roll_over"] = {"limit": "1 min"}
    voice = {"id": "any", "rates": [{"price": "0.1", "per": "60"}], "connect": connect}
    data = {"id": "any", "rates": [{"price": "1", "per": "1 MB"}], "cap": {"amount": "98", "over": "day"}}
    catalogue = from_plain(
        {
            "catalogue": "test",
            "version": "1",
            "currency": "CNY",
            "services": [{"id": "voice", "unit": "second"}, {"id": "data", "unit": "byte"}],
            "tariffs": [
                {"id": "calls", "service": "voice", "prices": [voice]},
                {"id": "roam", "service": "data", "prices": [data]},
            ],
            "allowances": [free],
            "accumulators": [{"id": "year", "counts": "amount", "period": "year"}],
            "offerings": [{"id": "plan", "tariffs": ["calls", "roam"] if calls else ["roam"], "allowances": ["free"]}],
        }
    )
    return Timeline.build([CatalogueRef("", 1, 0, pack(catalogue))], "GD", ZONE)


def since_august() -> Desk:
    desk = opened()
    account = desk.accounts[WHO]
    desk.accounts[WHO] = replace(account, terms=replace(account.terms, closed=AUGUST - 1))
    return desk


class Line:
    """A mediation line in small: batches of one use, jobs, and what the journal has become."""

    def __init__(self, by: Timeline) -> None:
        self.desk = since_august()
        self._batch = self._job = 0
        self.correct(by)

    def correct(self, by: Timeline) -> None:
        """Rate by other catalogues from now on."""
        self.by = by
        self._by_columns = Restater(by.plan_at, ColumnRater(by.plan_at))

    @property
    def account(self) -> Account:
        return self.desk.accounts[WHO]

    def come(self, usage: Usage, now_ms: int, *replaces: ReplacedUse) -> str:
        """Post one use; gives the key it was posted under."""
        self._batch += 1
        self.desk.now_ms = now_ms
        order = PostUsage("plant", self._batch, (usage,), replaces)
        self.outcome = self.desk.do(WHO, rated_uses(order, self.account, now_ms, self._rate, self._alike))
        return self.desk.journals[WHO][-1].key

    def _rate(self, usage: Usage, state: Account) -> Charge:
        charged = rate(self.by.plan_at(usage.start_ms), usage, CONTRACTS[usage.identity], state)
        refuse_late(charged, usage.start_ms, self.desk.now_ms)
        return charged

    def _alike(self, state: Account) -> AlikeUses:
        return AlikeUses(self.by.plan_at, lambda place: None, CONTRACTS[ME], state)

    @property
    def frozen(self) -> FrozenAccount:
        journal = enumerate(self.desk.journals[WHO])
        rows = tuple(row for seq, entry in journal for row in rows_of(seq, [(0, entry)]))
        return FrozenAccount(self.account, CONTRACTS, rows)

    def study(self, month: int) -> Studied | AccountOutcome:
        frozen = self.frozen
        asked = ask(frozen, month)
        if isinstance(asked, AccountOutcome):
            return asked
        anew = asked.anew
        result = restated(anew.account, anew.contracts, anew.uses, anew.before, self.by.plan_at)
        (by_columns,) = self._by_columns.restate([anew])
        assert by_month(by_columns) == by_month(result)
        return Studied(frozen, asked.from_ms, result)

    def lost_price(self, month: int) -> str:
        asked = ask(self.frozen, month)
        assert not isinstance(asked, AccountOutcome)
        anew = asked.anew
        return lost_price(anew, restated(anew.account, anew.contracts, anew.uses, anew.before, self.by.plan_at))

    def rerate(self, month: int) -> bool:
        """Run a job; says whether there was anything to post."""
        found = self.study(month)
        assert isinstance(found, Studied), found
        if found.result.changes:
            self._job += 1
            post(self.desk, found.result, self._job, month)
        return found.result.changes

    def rows(self, kind: str) -> list[StoredUsage]:
        return [row for row in self.frozen.rows if row.usage.kind == kind]


def by_month(found: Restatement) -> tuple[object, ...]:
    lines = sorted((span_month(LOCAL, each.time_ms), each.item, each.member, each.difference) for each in found.lines)
    counters = sorted((each.name, each.difference) for each in found.counters)
    return found.before, found.after, lines, counters, found.takes


def told(done: object) -> tuple[int, str, bool]:
    assert isinstance(done, Done)
    assert done.detail is not None
    said = read_outcomes(done.detail)
    (amount,) = said.amounts
    return amount, said.refused[0].reason if said.refused else "", said.set_aside == (0,)


def at(text: str) -> int:
    return LOCAL.moment_ms(text)


def data(when: str) -> Usage:
    return Usage(ME, "data", at(when), 100 << 20)


def call(when: str, seconds: int) -> Usage:
    return Usage(ME, "voice", at(when), seconds)


def as_one_pass(usages: Sequence[Usage], by: Timeline) -> Account:
    return charge(since_august(), sorted(usages, key=lambda usage: usage.start_ms), by)


def test_a_record_two_cycles_late_costs_what_one_pass_would_and_not_nothing() -> None:
    line = Line(timeline())
    in_time = [data("2026-08-05T10:00:00"), call("2026-08-31T10:00:00", 60), call("2026-10-01T10:00:00", 60)]
    for usage in in_time:
        line.come(usage, usage.start_ms + HOUR_MS)
    late = [data("2026-08-05T11:00:00"), data("2026-08-06T11:00:00"), call("2026-08-31T11:00:00", 60)]
    for usage in late:
        line.come(usage, NOW_MS)
        assert told(line.outcome) == (0, "", True)
    assert [row.usage.amount for row in line.rows("late")] == [0, 0, 0]
    before = line.account
    assert line.rerate(AUGUST)
    # 0 for the second 98 of a day, 98 for the first of another, and 0.60 for a call beyond the free minute.
    assert sum(sums(line.account).values()) - sum(sums(before).values()) == 98_600_000
    assert sums(line.account) == sums(as_one_pass([*in_time, *late], timeline()))
    assert not line.rerate(AUGUST), "twice has no effect"


def test_usage_is_refused_by_name_when_its_cycle_is_too_old_to_be_rated_again() -> None:
    line = Line(timeline())
    line.come(data("2026-06-30T10:00:00"), NOW_MS)
    assert told(line.outcome)[1] == "USAGE_TOO_LATE"
    line.come(data("2026-07-01T10:00:00"), NOW_MS)
    assert told(line.outcome) == (0, "", True)


def test_a_late_part_of_a_charged_call_costs_the_difference_with_one_connection_fee() -> None:
    line = Line(timeline())
    charged, whole = call("2026-10-02T10:00:00", 90), call("2026-10-02T10:00:00", 200)
    key = line.come(charged, charged.start_ms + HOUR_MS)
    amount = told(line.outcome)[0]
    line.come(whole, NOW_MS, ReplacedUse(0, key, charged.start_ms, charged.quantity))
    assert told(line.outcome) == (0, "", True)
    (row,) = line.rows("late")
    assert (row.usage.quantity, row.usage.usage.quantity) == (110, 200)
    assert line.rerate(AUGUST + 2)
    # A minute of 200 s is free, three more are begun; as two uses it would have had two fees.
    assert sums(line.account) == sums(as_one_pass([whole], timeline()))
    assert sum(sums(line.account).values()) == 800_000 > amount
    assert not line.rerate(AUGUST + 2)
    assert not line.rerate(AUGUST + 1)
    longer = call("2026-10-02T10:00:00", 330)
    line.come(longer, NOW_MS, ReplacedUse(0, row.usage.key, whole.start_ms, whole.quantity))
    assert line.rerate(AUGUST + 2)
    assert sums(line.account) == sums(as_one_pass([longer], timeline()))


def test_a_whole_call_that_nothing_prices_any_more_gives_no_part_back() -> None:
    line = Line(timeline())
    charged, whole = call("2026-10-02T10:00:00", 90), call("2026-10-02T10:00:00", 200)
    key = line.come(charged, charged.start_ms + HOUR_MS)
    line.come(whole, NOW_MS, ReplacedUse(0, key, charged.start_ms, charged.quantity))
    line.by = timeline(calls=False)
    assert line.lost_price(AUGUST + 2) == "SERVICE_NOT_SUBSCRIBED"
    line.by = timeline()
    assert line.lost_price(AUGUST + 2) == ""
    assert line.rerate(AUGUST + 2)
    line.by = timeline(calls=False)
    assert line.lost_price(AUGUST + 2) == "SERVICE_NOT_SUBSCRIBED", "what a job charged for it is no less its price"


def test_a_use_at_no_price_for_which_nothing_was_charged_keeps_no_others_waiting() -> None:
    line = Line(timeline())
    line.come(data("2026-08-05T10:00:00"), at("2026-08-05T11:00:00"))
    line.come(call("2026-08-05T12:00:00", 300), NOW_MS)
    line.by = timeline(calls=False)
    assert line.lost_price(AUGUST) == ""


def test_a_late_first_part_moves_the_call_into_the_cycle_in_which_it_began() -> None:
    line = Line(timeline())
    charged, whole = call("2026-10-01T00:10:00", 600), call("2026-09-30T23:50:00", 1_800)
    key = line.come(charged, charged.start_ms + HOUR_MS)
    line.come(whole, NOW_MS, ReplacedUse(0, key, charged.start_ms, charged.quantity))
    assert line.rerate(AUGUST + 1)
    assert sums(line.account) == sums(as_one_pass([whole], timeline()))
    assert not line.rerate(AUGUST + 2), "a job of a later cycle does not charge the part again"


def test_a_whole_call_whose_part_is_nowhere_leaves_the_account_out() -> None:
    line = Line(timeline())
    line.come(call("2026-10-02T10:00:00", 200), NOW_MS, ReplacedUse(0, "gone", at("2026-10-02T10:00:00"), 90))
    found = line.study(AUGUST + 2)
    assert isinstance(found, AccountOutcome)
    assert found.reason == "DETAILS_INCOMPLETE"


def tried(line: Line, month: int, draft: Timeline) -> WhatIf:
    asked = ask(line.frozen, month)
    assert not isinstance(asked, AccountOutcome)
    (studied,) = rated_anew(Restater(draft.plan_at, ColumnRater(draft.plan_at)), [asked])
    assert isinstance(studied, Studied)
    found = WhatIf()
    found.add("GD", studied, draft.plan_at)
    return found


def test_what_if_is_held_against_what_stands_and_not_against_first_charges() -> None:
    line = Line(timeline())
    line.come(call("2026-10-02T10:00:00", 600), at("2026-10-02T11:00:00"))
    line.come(data("2026-10-03T10:00:00"), at("2026-10-03T11:00:00"))
    line.come(call("2026-08-31T11:00:00", 120), NOW_MS)  # At no price until the job.
    assert line.rerate(AUGUST)
    dearer = timeline(connect="0.8")
    line.correct(dearer)
    assert line.rerate(AUGUST)
    stands = sum(sums(line.account).values())
    same = tried(line, AUGUST, dearer)
    assert (same.total.before, same.total.after) == (stands, stands)
    assert [each.difference for by in BY for each in same.sums(by)] == [0, 0, 0]
    assert same.payers() == {"more": 0, "less": 0, "the same": 1}
    former = tried(line, AUGUST, timeline())
    assert (former.total.before, former.total.difference) == (stands, -600_000), "two calls at 0.3 less each"


def test_what_if_does_not_count_a_part_twice_that_stands_with_its_call() -> None:
    line = Line(timeline())
    charged, whole = call("2026-10-02T10:00:00", 90), call("2026-10-02T10:00:00", 200)
    key = line.come(charged, charged.start_ms + HOUR_MS)
    line.come(whole, NOW_MS, ReplacedUse(0, key, charged.start_ms, charged.quantity))
    before = tried(line, AUGUST + 2, timeline())
    assert before.total.before == sum(sums(line.account).values())
    assert line.rerate(AUGUST + 2)
    after = tried(line, AUGUST + 2, timeline())
    assert (after.total.before, after.total.difference) == (800_000, 0)


USES = st.lists(
    st.tuples(
        st.sampled_from(["voice", "voice", "data"]),
        st.integers(0, 91 * 24 - 1),
        st.integers(1, 200),
        st.integers(0, 88 * 24),
        st.sampled_from([None, None, AUGUST, AUGUST + 1, AUGUST + 2]),
    ),
    min_size=1,
    max_size=20,
)
"""What, in which hour it began, how much, how many hours later it came, and from which cycle a job runs then."""


@settings(max_examples=80, deadline=None)
@given(USES, st.booleans())
def test_jobs_of_any_cycles_between_late_uses_end_at_what_one_pass_costs(
    uses: list[tuple[str, int, int, int, int | None]], roll: bool
) -> None:
    by = timeline(roll=roll)
    line, usages = Line(by), list[Usage]()
    ordered = sorted(enumerate(uses), key=lambda each: (each[1][1] + each[1][3], each[0]))
    for place, (service, hour, amount, delay, job) in ordered:
        quantity = amount if service == "voice" else amount << 20
        usage = Usage(ME, service, BEGIN_MS + hour * HOUR_MS + place, quantity)
        usages.append(usage)
        line.come(usage, max(line.desk.now_ms if usages[1:] else 0, usage.start_ms + delay * HOUR_MS + HOUR_MS))
        assert told(line.outcome)[1] == ""
        if job is not None:
            line.rerate(job)
    line.rerate(AUGUST)
    expected = as_one_pass(usages, by)
    assert sums(line.account) == sums(expected)
    have, right = counted(line.account), counted(expected)
    assert {key: have[key] for key in have.keys() & right.keys()} == {
        key: right[key] for key in have.keys() & right.keys()
    }
    assert not any(line.rerate(month) for month in (AUGUST, AUGUST + 1, AUGUST + 2))
    assert LATE_DAYS_MAX < 88

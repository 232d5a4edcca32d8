"""The bill runs of a slot: steps that a billing analyst can read, and any sequence of steps against a plain model."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec import Raw
from msgspec.msgpack import encode
from ruamel.yaml import YAML

from business.billing.actions import CancelRun, CompleteRun, OpenRun, PlanRun, RunAction
from business.billing.deciding import decide
from business.billing.events import apply, say
from business.billing.kind import BILL_RUNS, subject_of
from business.billing.periods import Period, ends_ms, read_period
from business.billing.runs import AHEAD_MAX, ENDED_KEPT_MAX, TEXT_CHARS_MAX, BillRuns, Run, billing_now, run_name
from business.subjects import SUBJECT_BYTES_MAX, pack_subject, unborn, unpack_subject
from charging.base.localtime import LocalTime
from charging.base.subject import Instruction
from charging.errors import Invalid, NotFound, Refused

SHANGHAI = LocalTime("Asia/Shanghai")
GOLDEN = Path(__file__).with_name("runs_golden.yaml")
FAULTS = {"refused": Refused, "invalid": Invalid, "unknown": NotFound}


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def action_of(step: dict[str, str]) -> RunAction:
    verb = next(verb for verb in ("plan", "open", "complete", "cancel") if verb in step)
    period = read_period(step[verb])
    over = ends_ms(period, SHANGHAI)
    until = ms(step["until"]) if "until" in step else 0
    if verb == "plan":
        return PlanRun(period, step["mode"], over, ms(step["from"]), until)
    if verb == "open":
        return OpenRun(period, step.get("mode", ""), over, until)
    return CompleteRun(period) if verb == "complete" else CancelRun(period, step["reason"])


def cases() -> Iterator[object]:
    for case in YAML(typ="base").load(GOLDEN):
        yield pytest.param(case["steps"], id=case["name"])


def check(step: dict[str, str], run: Run | None) -> None:
    assert run is not None
    told = {"is": run.state, "mode_is": run.mode, "completion": run.completion, "attempt": str(run.attempt)}
    wanted = {name: step[name] for name in told if name in step}
    assert {name: told[name] for name in wanted} == wanted
    if "until_is" in step:
        assert run.until_ms == ms(step["until_is"])


@pytest.mark.parametrize("steps", list(cases()))
def test_the_steps_of_the_golden_file_come_out_as_written(steps: list[dict[str, str]]) -> None:
    runs: BillRuns | None = None
    for step in steps:
        action, reason = action_of(step), next((name for name in FAULTS if name in step), "")
        if reason:
            with pytest.raises(FAULTS[reason]) as met:
                decide(runs, action, ms(step["at"]))
            assert met.value.reason == step[reason]
            continue
        for event in decide(runs, action, ms(step["at"])):
            runs = apply(runs, event)
        assert runs is not None
        check(step, runs.of(action.period))


@pytest.mark.parametrize(
    "text", ["2026-13/1", "2026-10/0", "2026-10/32", "2026-10", "1999-10/1", "2026-10/01", " 2026-10/1", ""]
)
def test_what_is_no_period_is_refused_with_what_one_looks_like(text: str) -> None:
    with pytest.raises(Invalid, match="such as 2026-10/1") as met:
        read_period(text)
    assert met.value.reason == "PERIOD_MALFORMED"


@settings(deadline=None)
@given(st.integers(2000, 2099), st.integers(1, 12), st.integers(1, 31))
def test_every_period_is_read_as_it_is_written_and_ends_where_the_next_begins(year: int, month: int, day: int) -> None:
    period = read_period(f"{year}-{month:02d}/{day}")
    assert str(period) == f"{year}-{month:02d}/{day}"
    assert period < period.next
    for zone in ("Asia/Shanghai", "America/Santiago", "Africa/Cairo", "Pacific/Apia"):
        local = LocalTime(zone)
        over = ends_ms(period, local)
        first = datetime.fromtimestamp(over / 1000, UTC)
        assert local.day(over // 1000) >= local.day(over // 1000 - 1) + 1, (zone, first)
        assert local.day(over // 1000) - period.next.first.toordinal() + 719_163 in (0, 1), (zone, first)


def test_an_account_is_in_its_billing_period_while_the_run_is_open_and_it_is_not_closed() -> None:
    august, september, october = (read_period(f"2026-{month}/1") for month in ("08", "09", "10"))
    opened = BillRuns((Run(september, "direct", "open", 0, 9),))
    assert billing_now(opened, 1, closed=False, billed=august) == opened.runs[0]
    assert billing_now(opened, 1, closed=False, billed=None) == opened.runs[0]
    assert billing_now(opened, 1, closed=True, billed=None) is None
    assert billing_now(opened, 1, closed=False, billed=september) is None
    assert billing_now(opened, 2, closed=False, billed=None) is None
    planned = BillRuns((Run(october, "direct", "planned", 1, 9),))
    assert billing_now(planned, 1, closed=False, billed=None) is None
    assert billing_now(None, 1, closed=False, billed=None) is None


def test_a_run_is_named_after_its_slot_and_its_period() -> None:
    assert run_name("GD/17", read_period("2026-10/1")) == "GD/17:2026-10/1"
    assert subject_of("GD/17") == "billruns:GD/17"


class RunsMachine(RuleBasedStateMachine):
    """Any action at any moment, against a table: period → state, and what was ever completed."""

    def __init__(self) -> None:
        super().__init__()
        self.subject = unborn(subject_of("GD/0"))
        self.table: dict[Period, str] = {}
        self.billed: list[Period] = []
        self.now_ms = ms("2026-06-01T00:00")
        self.changes = 0

    periods = st.builds(Period, st.integers(2026 * 12 + 3, 2026 * 12 + 8), st.sampled_from((1, 31)))
    hours = st.integers(0, 1_500)

    @rule(hours=hours)
    def wait(self, hours: int) -> None:
        self.now_ms += hours * 3_600_000

    @rule(period=periods, mode=st.sampled_from(["direct", "staged"]), start=hours, length=st.integers(1, 100))
    def plan(self, period: Period, mode: str, start: int, length: int) -> None:
        from_ms = ends_ms(period, SHANGHAI) + (start - 20) * 3_600_000
        until_ms = from_ms + length * 3_600_000
        if self.do(PlanRun(period, mode, ends_ms(period, SHANGHAI), from_ms, until_ms)):
            assert self.table.get(period, "cancelled") == "cancelled"
            assert start >= 20
            self.table[period] = "planned"

    @rule(period=periods, length=st.integers(0, 100))
    def open(self, period: Period, length: int) -> None:
        until_ms = self.now_ms + length * 3_600_000 if length else 0
        if self.do(OpenRun(period, "", ends_ms(period, SHANGHAI), until_ms)):
            assert self.table.get(period, "cancelled") in ("planned", "cancelled")
            assert self.now_ms >= ends_ms(period, SHANGHAI)
            assert not [
                one for one, state in self.table.items() if state == "open" and one.cycle_day == period.cycle_day
            ]
            self.table[period] = "open"

    @rule(period=periods)
    def complete(self, period: Period) -> None:
        if self.do(CompleteRun(period)):
            assert self.table[period] == "open"
            before = [one for one in self.billed if one.cycle_day == period.cycle_day]
            assert before == [] or before[-1].next == period, "one after the other, none left out, none twice"
            self.billed.append(period)
            self.table[period] = "completed"

    @rule(period=periods)
    def cancel(self, period: Period) -> None:
        if self.do(CancelRun(period, "because")):
            assert self.table[period] in ("planned", "open")
            self.table[period] = "cancelled"

    def do(self, action: RunAction) -> bool:
        """Ask the kind as a slot does: packed in, packed out, and replayed from the facts alone."""
        asked = Instruction(self.subject.subject_id, "k", b"", "", "", 0, Raw(encode(action)))
        try:
            ruling = BILL_RUNS.rule(self.subject, asked, self.now_ms)
        except (Refused, NotFound, Invalid):
            return False
        assert BILL_RUNS.replay(unpack_subject(pack_subject(self.subject)), ruling.facts) == ruling.after
        assert BILL_RUNS.words(ruling.facts).startswith(f"run of {action.period} ")
        self.subject = ruling.after
        self.changes += 1
        return True

    @invariant()
    def the_runs_are_those_of_the_table(self) -> None:
        state = BILL_RUNS.state(self.subject)
        runs = state.runs if state is not None else ()
        assert {run.period: run.state for run in runs} == self.table
        assert self.subject.version == self.changes


TestRunsMachine = RunsMachine.TestCase
TestRunsMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_a_slot_keeps_the_runs_of_a_year_and_a_month_and_the_journal_the_others() -> None:
    runs: BillRuns | None = None
    period = read_period("2024-01/1")
    for _ in range(40):
        now_ms = ends_ms(period, SHANGHAI)
        for action in (OpenRun(period, "", now_ms, now_ms + 1), CompleteRun(period)):
            for event in decide(runs, action, now_ms):
                runs = apply(runs, event)
        period = period.next
    assert runs is not None
    assert len(runs.runs) == ENDED_KEPT_MAX
    assert runs.runs[-1].period.next == period
    with pytest.raises(Refused) as met:
        decide(runs, OpenRun(read_period("2024-01/1"), "", 1, ms("2030-01-01T00:00")), ms("2029-01-01T00:00"))
    assert met.value.reason == "PERIOD_PASSED", "also when the run itself is forgotten"


def done(runs: BillRuns | None, action: RunAction, now_ms: int) -> BillRuns:
    (event,) = decide(runs, action, now_ms)
    return apply(runs, event)


def planned(runs: BillRuns | None, period: Period) -> BillRuns:
    over = ends_ms(period, SHANGHAI)
    return done(runs, PlanRun(period, "direct", over, over, over + 1), 1)


def test_what_is_billed_is_not_billed_again_however_many_later_runs_are_cancelled() -> None:
    runs, later = BillRuns(), read_period("2024-02/1")
    cancelled: list[Period] = []
    for _ in range(ENDED_KEPT_MAX + 2):
        runs = done(planned(runs, later), CancelRun(later, "early days"), 1)
        cancelled.append(later)
        later = later.next
    runs = planned(runs, later)
    january = read_period("2024-01/1")
    over = ends_ms(january, SHANGHAI)
    runs = done(runs, OpenRun(january, "", over, over + 1), over)
    runs = done(runs, CompleteRun(january), over)
    runs = done(runs, CancelRun(later, "and this one"), over)
    assert runs.of(january) is not None
    with pytest.raises(Refused) as met:
        decide(runs, OpenRun(january, "", over, over + 2), over + 1)
    assert met.value.reason == "RUN_COMPLETED"


def test_a_slot_keeps_no_more_planned_runs_than_fit_and_each_of_them_can_be_given_up() -> None:
    runs: BillRuns | None = None
    first = read_period("2030-01/31")
    for day in range(1, 32):
        period = Period(first.month, day)
        for _ in range(AHEAD_MAX):
            runs = planned(runs, period)
            period = period.next
        with pytest.raises(Refused) as met:
            planned(runs, period)
        assert met.value.reason == "RUNS_AHEAD"
    assert runs is not None
    for run in runs.runs:
        runs = done(runs, CancelRun(run.period, "\U0001f4b6" * TEXT_CHARS_MAX), 1)
    assert len(encode(runs)) < SUBJECT_BYTES_MAX, "with every run planned, cancelled with the longest reason"
    for run in list(runs.runs):
        runs = planned(runs, Period(run.period.month + 100, run.period.cycle_day))
    assert len(encode(runs)) < SUBJECT_BYTES_MAX, "and as many planned again"


@pytest.mark.parametrize("until_ms", [-1, (1 << 47) + 1, 1 << 53, (1 << 63) - 1])
def test_a_window_ends_at_a_moment_that_can_be_told(until_ms: int) -> None:
    over = ends_ms(read_period("2026-09/1"), SHANGHAI)
    with pytest.raises(Invalid, match="until_ms"):
        decide(None, OpenRun(read_period("2026-09/1"), "", over, until_ms), over)
    (event,) = decide(None, OpenRun(read_period("2026-09/1"), "", over, 1 << 47), over)
    assert say(event).endswith("until 6429-10-17T02:45+00:00")


@pytest.mark.parametrize("digest", ["x", "AB" * 32, "0" * 63, "0" * 65])
def test_a_backup_is_named_by_its_digest_and_kept_with_its_run(digest: str) -> None:
    period = read_period("2026-09/1")
    over = ends_ms(period, SHANGHAI)
    with pytest.raises(Invalid) as caught:
        decide(None, OpenRun(period, "staged", over, over + 9, digest), over)
    assert caught.value.reason == "BACKUP_MALFORMED"
    (event,) = decide(None, OpenRun(period, "staged", over, over + 9, "0f" * 32), over)
    run = apply(None, event).of(period)
    assert run is not None
    assert (run.mode, run.backup) == ("staged", "0f" * 32)

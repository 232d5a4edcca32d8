"""The rules of bill runs: what is asked → what happens, or why it does not. Pure: time and calendar come with it."""

import re
from typing import assert_never

from msgspec.structs import replace

from business.billing.actions import (
    ApproveDocuments,
    CancelRun,
    CompleteRun,
    OpenRun,
    PlanRun,
    RefuseDocuments,
    RunAction,
)
from business.billing.events import DocumentsJudged, RunCancelled, RunCompleted, RunEvent, RunOpened, RunPlanned
from business.billing.periods import CYCLE_DAY_MAX, Period
from business.billing.runs import (
    AHEAD_MAX,
    CANCELLED,
    COMPLETED,
    DIRECT,
    EARLY,
    FREE,
    HELD,
    LATE,
    MODES,
    OPEN,
    PLANNED,
    RELEASED,
    TEXT_CHARS_MAX,
    WITHHELD,
    BillRuns,
    Documents,
    Mode,
    Run,
)
from charging.errors import Invalid, NotFound, Refused

_DIGEST = re.compile(r"[0-9a-f]{64}")
MONTH_MAX = 3_000 * 12
UNTIL_MS_MAX = 1 << 47
"""Of a window's end, milliseconds UTC: far beyond any plan, and a date that can be told in every zone."""


def decide(state: BillRuns | None, action: RunAction, now_ms: int) -> tuple[RunEvent, ...]:
    """Decide what is asked of the runs of a slot; `state` None = there are none yet. `now_ms` is the owner's, UTC.

    Gives what happened, at least one event. Raises `Refused` RUN_…, PERIOD_…, CYCLE_…, WINDOW_…; `NotFound`
    RUN_UNKNOWN; `Invalid` for what is never right.
    """
    runs = state if state is not None else BillRuns()
    _check_period(action.period)
    match action:
        case PlanRun():
            return (_plan(runs, action),)
        case OpenRun():
            return (_open(runs, action, now_ms),)
        case CompleteRun():
            run = _running(runs, action.period)
            if run.state == PLANNED:
                raise Refused("RUN_NOT_OPEN", f"the run of {run.period} is planned and was never opened: open it first")
            return (RunCompleted(run.period, EARLY if now_ms < run.until_ms else LATE, now_ms),)
        case CancelRun():
            if not 0 < len(action.reason) <= TEXT_CHARS_MAX:
                raise _invalid("REASON_MISSING", "reason", f"why, in 1 to {TEXT_CHARS_MAX} characters")
            return (RunCancelled(_running(runs, action.period).period, action.reason, now_ms),)
        case ApproveDocuments() | RefuseDocuments():
            return (_judge(runs, action, now_ms),)
        case _:
            assert_never(action)


def _plan(runs: BillRuns, action: PlanRun) -> RunPlanned:
    period, mode = action.period, _mode(action.mode)
    _check_window(action.from_ms, action.until_ms)
    before = runs.of(period)
    if before is not None and before.state != CANCELLED:
        raise Refused("RUN_EXISTS", f"the run of {period} is {before.state}: cancel it before you plan another")
    _check_order(runs, period)
    _check_room(runs, period)
    if action.from_ms < action.period_ends_ms:
        text = f"the window of {period} opens before the period is over"
        raise Refused("WINDOW_TOO_EARLY", text, facts={"period_ends_ms": str(action.period_ends_ms)})
    run = Run(period, mode, PLANNED, action.from_ms, action.until_ms, attempt=_attempt(before))
    return RunPlanned(_withheld(run, before))


def _open(runs: BillRuns, action: OpenRun, now_ms: int) -> RunOpened:
    period = action.period
    before = runs.of(period)
    planned = before if before is not None and before.state == PLANNED else None
    if before is not None and before.state == OPEN:
        raise Refused("RUN_OPEN", f"the run of {period} is open already")
    if before is not None and before.state == COMPLETED:
        raise Refused("RUN_COMPLETED", f"the run of {period} is completed: what it missed goes into the next one")
    for run in runs.of_cycle(period.cycle_day):
        if run.state == OPEN:
            text = f"the run of {run.period} is still open, and a cycle is billed one period after the other"
            raise Refused("CYCLE_BUSY", text, facts={"open": str(run.period)})
    _check_order(runs, period)
    if planned is None:
        _check_room(runs, period)
    if now_ms < action.period_ends_ms:
        text = f"the period {period} is not over yet, so nobody can be billed for it"
        raise Refused("PERIOD_NOT_OVER", text, facts={"period_ends_ms": str(action.period_ends_ms)})
    mode = action.mode or (planned.mode if planned is not None else DIRECT)
    until_ms = action.until_ms or (planned.until_ms if planned is not None else 0)
    _check_window(now_ms, until_ms)
    from_ms, attempt = (planned.from_ms, planned.attempt) if planned is not None else (0, _attempt(before))
    _check_backup(action.backup)
    run = Run(period, _mode(mode), OPEN, from_ms, until_ms, opened_ms=now_ms, attempt=attempt, backup=action.backup)
    documents: Documents = HELD if action.approval else FREE
    return RunOpened(_withheld(replace(run, opened_by=action.by, documents=documents), before))


def _withheld(run: Run, before: Run | None) -> Run:
    """Let documents that were held in an earlier attempt wait on, whoever opens the next one and however."""
    if before is None or before.documents not in WITHHELD:
        return run
    openers = dict.fromkeys((*before.openers_before, before.opened_by))
    return replace(run, documents=HELD, openers_before=tuple([each for each in openers if each]))


def _judge(runs: BillRuns, action: ApproveDocuments | RefuseDocuments, now_ms: int) -> DocumentsJudged:
    """Judge the documents of a run whose bills are all made; by another certificate than opened it."""
    period, released = action.period, isinstance(action, ApproveDocuments)
    run = runs.of(period)
    if run is None:
        raise NotFound("RUN_UNKNOWN", f"there is no run of {period} in this slot")
    if run.state != COMPLETED:
        raise Refused("RUN_NOT_COMPLETED", f"the run of {period} is {run.state}: its bills are not all made")
    if run.documents == FREE:
        raise Refused("DOCUMENTS_FREE", f"documents of the run of {period} wait for nobody")
    if run.documents == RELEASED:
        raise Refused("DOCUMENTS_RELEASED", f"documents of the run of {period} went out already")
    if not action.by or action.by in (run.opened_by, *run.openers_before):
        raise Refused(
            "APPROVER_NOT_ANOTHER", f"{action.by or 'nobody'} opened the run of {period}: another one judges it"
        )
    reason = "" if isinstance(action, ApproveDocuments) else action.reason
    if not released and not 0 < len(reason) <= TEXT_CHARS_MAX:
        raise _invalid("REASON_MISSING", "reason", f"why, in 1 to {TEXT_CHARS_MAX} characters")
    return DocumentsJudged(period, released, action.by, reason, now_ms)


def _running(runs: BillRuns, period: Period) -> Run:
    """Give a run that has not ended."""
    run = runs.of(period)
    if run is None:
        raise NotFound("RUN_UNKNOWN", f"there is no run of {period} in this slot")
    if run.state == COMPLETED:
        raise Refused("RUN_COMPLETED", f"the run of {period} was completed {run.completion} already")
    if run.state == CANCELLED:
        raise Refused("RUN_CANCELLED", f"the run of {period} was cancelled: {run.reason}")
    return run


def _check_order(runs: BillRuns, period: Period) -> None:
    """Periods of a cycle day are billed one after the other: none twice, none out of order, none left out."""
    billed = [run.period for run in runs.of_cycle(period.cycle_day) if run.state == COMPLETED]
    if not billed:
        return
    newest = billed[-1]
    if period <= newest:
        text = f"{newest} is billed already, so {period} can't be: what is late goes into the next run"
        raise Refused("PERIOD_PASSED", text, facts={"billed": str(newest)})
    if period > newest.next:
        raise Refused("PERIOD_SKIPPED", f"{newest.next} comes before {period} and is not billed yet")


def _check_room(runs: BillRuns, period: Period) -> None:
    """Bound what a slot keeps: whatever is planned is written down with each change, and told with each answer."""
    ahead = sum(run.state in (PLANNED, OPEN) for run in runs.of_cycle(period.cycle_day))
    if ahead >= AHEAD_MAX:
        text = f"{ahead} runs of cycle day {period.cycle_day} are planned or open: complete or cancel one first"
        raise Refused("RUNS_AHEAD", text, facts={"ahead_max": str(AHEAD_MAX)})


def _check_period(period: Period) -> None:
    if not (0 < period.month <= MONTH_MAX and 1 <= period.cycle_day <= CYCLE_DAY_MAX):
        raise _invalid("PERIOD_MALFORMED", "period", "a month, and the day of it on which the cycle begins")


def _check_window(from_ms: int, until_ms: int) -> None:
    if not 0 < from_ms < until_ms <= UNTIL_MS_MAX:
        raise _invalid("WINDOW_EMPTY", "until_ms", "a time after the window's beginning, UTC, milliseconds")


def _check_backup(digest: str) -> None:
    if digest and not _DIGEST.fullmatch(digest):
        raise _invalid("BACKUP_MALFORMED", "backup", "the BLAKE2b-256 of the backup's file, 64 hexadecimal digits")


def _mode(text: str) -> Mode:
    mode = next((mode for mode in MODES if mode == text), None)
    if mode is None:
        raise _invalid("RUN_MODE_UNKNOWN", "mode", f"one of {', '.join(MODES)}")
    return mode


def _attempt(before: Run | None) -> int:
    return before.attempt + 1 if before is not None else 1


def _invalid(reason: str, field: str, wanted: str) -> Invalid:
    return Invalid(reason, f"{field} must be {wanted}", fields={field: wanted})

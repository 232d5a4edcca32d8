"""What happened to the bill runs of a slot, and what each of it makes of them. No rule lives here."""

from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from business.billing.periods import Period
from business.billing.runs import (
    CANCELLED,
    COMPLETED,
    ENDED_KEPT_MAX,
    KEPT_BACK,
    RELEASED,
    WITHHELD,
    BillRuns,
    Documents,
    Run,
)
from charging.errors import Broken


class RunPlanned(Struct, frozen=True, array_like=True, tag="planned", gc=False):
    """A run will be opened."""

    run: Run


class RunOpened(Struct, frozen=True, array_like=True, tag="opened", gc=False):
    """A run is open, in place of its plan."""

    run: Run


class RunCompleted(Struct, frozen=True, array_like=True, tag="completed", gc=False):
    """A run is over."""

    period: Period
    completion: Literal["early", "late"]
    at_ms: int
    """UTC, by the owner's clock."""


class RunCancelled(Struct, frozen=True, array_like=True, tag="cancelled", gc=False):
    """A run was given up."""

    period: Period
    reason: str
    at_ms: int
    """UTC, by the owner's clock."""


class DocumentsJudged(Struct, frozen=True, array_like=True, tag="judged", gc=False):
    """Documents of a run were released, or kept back."""

    period: Period
    released: bool
    by: str
    reason: str
    at_ms: int
    """UTC, by the owner's clock."""


RunEvent = RunPlanned | RunOpened | RunCompleted | RunCancelled | DocumentsJudged


def apply(state: BillRuns | None, event: RunEvent) -> BillRuns:
    """Give the runs after an event. Raises `Broken` RUN_MISSING when it speaks of a run that is not there."""
    runs = state if state is not None else BillRuns()
    match event:
        case RunPlanned() | RunOpened():
            return _with(runs, event.run)
        case RunCompleted():
            run = _known(runs, event.period)
            return _with(runs, replace(run, state=COMPLETED, ended_ms=event.at_ms, completion=event.completion))
        case RunCancelled():
            run = _known(runs, event.period)
            return _with(runs, replace(run, state=CANCELLED, ended_ms=event.at_ms, reason=event.reason))
        case DocumentsJudged():
            run = _known(runs, event.period)
            documents: Documents = RELEASED if event.released else KEPT_BACK
            judged = replace(run, documents=documents, judged_by=event.by, judged_ms=event.at_ms)
            return _with(runs, replace(judged, why_held=event.reason))


def say(event: RunEvent) -> str:
    """Tell an event in a sentence."""
    match event:
        case RunPlanned():
            run = event.run
            return f"run of {run.period} planned, {run.mode}, from {_utc(run.from_ms)} until {_utc(run.until_ms)}"
        case RunOpened():
            return f"run of {event.run.period} opened, {event.run.mode}, until {_utc(event.run.until_ms)}"
        case RunCompleted():
            return f"run of {event.period} completed, {event.completion}"
        case RunCancelled():
            return f"run of {event.period} cancelled: {event.reason}"
        case DocumentsJudged():
            said = "released" if event.released else f"kept back: {event.reason}"
            return f"documents of the run of {event.period} {said}, by {event.by}"


def _known(runs: BillRuns, period: Period) -> Run:
    run = runs.of(period)
    if run is None:
        raise Broken("RUN_MISSING", f"there is no run of {period} to end")
    return run


def _with(runs: BillRuns, run: Run) -> BillRuns:
    """Put a run in the place of its period; of its cycle day, the oldest ended ones go.

    None whose documents wait or are kept back, for then they would go out; and never the newest completed one, however
    many later ones are cancelled: with it, what is billed would be forgotten.
    """
    others = [each for each in runs.runs if each.period != run.period]
    ended = [each for each in BillRuns((*others, run)).of_cycle(run.period.cycle_day) if each.ended_ms]
    billed = max((each.period for each in ended if each.state == COMPLETED), default=None)
    gone = {each.period for each in ended[:-ENDED_KEPT_MAX] if each.period != billed and each.documents not in WITHHELD}
    return BillRuns(tuple(sorted((each for each in (*others, run) if each.period not in gone), key=_order)))


def _order(run: Run) -> tuple[int, int]:
    return run.period.cycle_day, run.period.month


def _utc(moment_ms: int) -> str:
    return datetime.fromtimestamp(moment_ms / 1000, UTC).isoformat(timespec="minutes")

"""The bill runs of a slot: what is known of them, and what can be asked of them.

Rules run across the runs of a slot (one at a time for a cycle day, in the order of the periods), so one subject holds
them: the slot's bill runs, `billruns:GD/17`. A run in it is named `GD/17:2026-10/1`, after its slot and its period.

    planned ──▶ open ──▶ completed, early (inside its window) or late
       └─────────┴─────▶ cancelled: the period may be planned or opened again
"""

from typing import Final, Literal

from msgspec import Struct

from business.billing.periods import Period

DIRECT: Final = "direct"
STAGED: Final = "staged"
Mode = Literal["direct", "staged"]
MODES: tuple[Mode, ...] = (DIRECT, STAGED)
"""`direct`: deposits and settlements go on during the run, for nothing needs to wait. `staged` (seed 000): those of
accounts that are not closed yet wait in their stage, and are replayed after it."""
PLANNED: Final = "planned"
OPEN: Final = "open"
COMPLETED: Final = "completed"
CANCELLED: Final = "cancelled"
EARLY: Final = "early"
LATE: Final = "late"
FREE: Final = "free"
HELD: Final = "held"
RELEASED: Final = "released"
KEPT_BACK: Final = "refused"
Documents = Literal["free", "held", "released", "refused"]
"""`free`: they go out as bills are made. `held`: they wait for an approver; then they are `released` or `refused`."""
WITHHELD = (HELD, KEPT_BACK)
"""Of which nothing goes out."""
ENDED_KEPT_MAX = 13
"""Ended runs that stay of each cycle day, a year and one month, and always the newest completed one, which says what is
billed; the journal has them all."""
AHEAD_MAX = 13
"""Runs of a cycle day that are planned or open: what a slot keeps of them is bounded, whatever is planned."""
TEXT_CHARS_MAX = 200
"""Of the reason for a cancellation."""


class Run(Struct, frozen=True, array_like=True):
    """One run over the accounts of a slot whose period is over."""

    period: Period
    mode: Mode
    state: Literal["planned", "open", "completed", "cancelled"]
    from_ms: int
    """Beginning of its window as planned, UTC; 0 = it was opened without a plan."""
    until_ms: int
    """End of its window, UTC: in which the operator wants the run to be over."""
    opened_ms: int = 0
    """UTC, by the owner's clock; 0 = it is only planned."""
    ended_ms: int = 0
    """When it was completed or cancelled."""
    completion: Literal["", "early", "late"] = ""
    """`early`: nothing was due any more though the window was open. `late`: the window was over, the run was not."""
    reason: str = ""
    """Why it was cancelled."""
    attempt: int = 1
    """Counts the runs of its period."""
    backup: str = ""
    """BLAKE2b-256, in hexadecimal digits, of the slot's books as they were before it; "" = no backup was made."""
    opened_by: str = ""
    """Whose certificate opened it."""
    documents: Documents = FREE
    """What becomes of the documents of its bills; the bills themselves are closed all the same."""
    judged_by: str = ""
    """Whose certificate released its documents, or kept them back."""
    judged_ms: int = 0
    """UTC, by the owner's clock."""
    why_held: str = ""
    """Why they are kept back."""
    openers_before: tuple[str, ...] = ()
    """Whose certificates opened earlier attempts whose documents were held: none of them judges what they made."""


class BillRuns(Struct, frozen=True, array_like=True):
    """The runs of a slot by period, one each: the newest attempt."""

    runs: tuple[Run, ...] = ()

    def of(self, period: Period) -> Run | None:
        """Give the run of a period; None = none was planned or opened."""
        return next((run for run in self.runs if run.period == period), None)

    def of_cycle(self, cycle_day: int) -> tuple[Run, ...]:
        """Give the runs of a cycle day, oldest period first."""
        return tuple(
            sorted((run for run in self.runs if run.period.cycle_day == cycle_day), key=lambda run: run.period)
        )


def run_name(slot: str, period: Period) -> str:
    """Name a run for people and documents."""
    return f"{slot}:{period}"


def billing_now(runs: BillRuns | None, cycle_day: int, *, closed: bool, billed: Period | None) -> Run | None:
    """Detect whether an account is in its billing period: the run is open in this slot and the account is not closed.

    By state alone, never by the clock (seed 000): the calendar only opens runs. `billed` is the newest period that the
    account was closed for: such an account is simply not due. None = it is not in its billing period; `runs` None = the
    slot has none yet.
    """
    if runs is None or closed:
        return None
    run = next((run for run in runs.of_cycle(cycle_day) if run.state == OPEN), None)
    return run if run is not None and (billed is None or billed < run.period) else None

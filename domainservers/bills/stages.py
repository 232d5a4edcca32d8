"""Which accounts of a slot are in their billing period, by a run in mode `staged`: their money goes to a stage.

The slot's bill runs are a subject like others; this keeps the newest state of it unpacked, so that a deposit looks at a
few runs and nothing else does.
"""

from business.billing.kind import BILL_RUNS, subject_of
from business.billing.periods import Period
from business.billing.runs import OPEN, STAGED, BillRuns, billing_now
from charging.base.account import Account
from charging.base.staged import STAGED_MAX
from charging.base.subject import PackedSubject

EVER = 1 << 31
"""A period that never comes."""


class Stages:
    """Of one slot."""

    def __init__(self, slot: str) -> None:
        self.subject_id = subject_of(slot)
        self._runs: BillRuns | None = None

    def note(self, subject: PackedSubject) -> None:
        """Take the newest state of a subject of the slot; of others than its bill runs nothing is kept."""
        if subject.subject_id == self.subject_id:
            runs = BILL_RUNS.state(subject) or BillRuns()
            self._runs = runs if any(_is_staging(run.mode, run.state) for run in runs.runs) else None

    def month_for(self, account: Account) -> int:
        """Give the period for whose run the money of an account waits, months since the year 0; 0 = it comes at once.

        The billing-period detection of seed 000: the run is open here, and the account is not closed for it.
        """
        if self._runs is None:
            return 0
        terms = account.terms
        ended = terms.status in ("closed", "moved")
        run = billing_now(self._runs, terms.cycle_day, closed=ended, billed=Period(terms.closed, terms.cycle_day))
        if run is None or run.mode != STAGED or len(account.open.staged) >= STAGED_MAX:
            return 0
        return run.period.month

    def over_until(self, account: Account) -> int:
        """Give the newest period whose stage of an account may be replayed: none that is still being billed."""
        if self._runs is None:
            return EVER
        runs = self._runs.of_cycle(account.terms.cycle_day)
        return min((run.period.month - 1 for run in runs if _is_staging(run.mode, run.state)), default=EVER)


def _is_staging(mode: str, state: str) -> bool:
    return mode == STAGED and state == OPEN

"""Documents of a run wait for an approver who is somebody else by certificate, whatever a caller writes as its name."""

import pytest

from business.billing.actions import (
    ApproveDocuments,
    CancelRun,
    CompleteRun,
    OpenRun,
    PlanRun,
    RefuseDocuments,
    RunAction,
)
from business.billing.deciding import decide
from business.billing.events import apply, say
from business.billing.periods import Period
from business.billing.runs import ENDED_KEPT_MAX, BillRuns
from charging.errors import Fault

PERIOD = Period(2026 * 12 + 9, 1)
HOUR_MS = 3_600_000


def after(*actions: RunAction, runs: BillRuns | None = None) -> BillRuns:
    for action in actions:
        for event in decide(runs, action, 2 * HOUR_MS):
            runs = apply(runs, event)
    assert runs is not None
    return runs


def opened(by: str = "operator/ann", *, approval: bool = True, period: Period = PERIOD) -> OpenRun:
    return OpenRun(period, "direct", HOUR_MS, 9 * HOUR_MS, "", by, approval)


def refused(runs: BillRuns, action: RunAction) -> str:
    with pytest.raises(Fault) as raised:
        decide(runs, action, 3 * HOUR_MS)
    return raised.value.reason


def documents(runs: BillRuns) -> tuple[str, str, str]:
    run = runs.of(PERIOD)
    assert run is not None
    return run.documents, run.judged_by, run.why_held


def test_documents_of_a_run_with_approval_wait_until_another_certificate_releases_them() -> None:
    runs = after(opened(), CompleteRun(PERIOD))
    assert documents(runs) == ("held", "", "")
    assert refused(runs, ApproveDocuments(PERIOD, "operator/ann")) == "APPROVER_NOT_ANOTHER"
    assert refused(runs, ApproveDocuments(PERIOD, "")) == "APPROVER_NOT_ANOTHER"
    runs = after(ApproveDocuments(PERIOD, "operator/ben"), runs=runs)
    assert documents(runs) == ("released", "operator/ben", "")
    assert refused(runs, RefuseDocuments(PERIOD, "operator/ben", "too late")) == "DOCUMENTS_RELEASED"


def test_what_is_kept_back_says_why_and_may_be_released_later() -> None:
    runs = after(opened(), CompleteRun(PERIOD))
    assert refused(runs, RefuseDocuments(PERIOD, "operator/ben", "")) == "REASON_MISSING"
    runs = after(RefuseDocuments(PERIOD, "operator/ben", "wrong tax"), runs=runs)
    assert documents(runs) == ("refused", "operator/ben", "wrong tax")
    assert documents(after(ApproveDocuments(PERIOD, "operator/cat"), runs=runs)) == ("released", "operator/cat", "")


def test_documents_are_judged_once_all_bills_are_made_and_only_where_they_wait() -> None:
    assert refused(after(opened()), ApproveDocuments(PERIOD, "operator/ben")) == "RUN_NOT_COMPLETED"
    free = after(opened(approval=False), CompleteRun(PERIOD))
    assert documents(free) == ("free", "", "")
    assert refused(free, ApproveDocuments(PERIOD, "operator/ben")) == "DOCUMENTS_FREE"
    assert refused(free, ApproveDocuments(PERIOD.next, "operator/ben")) == "RUN_UNKNOWN"


def test_a_run_whose_documents_wait_is_never_forgotten() -> None:
    runs, period = after(opened(), CompleteRun(PERIOD)), PERIOD
    for _ in range(ENDED_KEPT_MAX + 3):
        period = period.next
        runs = after(opened(approval=False, period=period), CompleteRun(period), runs=runs)
    assert documents(runs)[0] == "held"


def test_it_is_told_who_judged_and_why() -> None:
    runs = after(opened(), CompleteRun(PERIOD))
    (event,) = decide(runs, RefuseDocuments(PERIOD, "operator/ben", "wrong tax"), HOUR_MS)
    assert say(event) == "documents of the run of 2026-10/1 kept back: wrong tax, by operator/ben"


@pytest.mark.parametrize("planned", [False, True])
def test_documents_that_were_held_wait_on_however_the_run_is_given_up_and_opened_again(planned: bool) -> None:
    runs = after(opened("operator/ann"), CancelRun(PERIOD, "wrong catalogue"))
    if planned:
        runs = after(PlanRun(PERIOD, "direct", HOUR_MS, HOUR_MS, 9 * HOUR_MS), runs=runs)
        assert documents(runs)[0] == "held", "bills that were made before are not let go by a plan"
    runs = after(opened("operator/dan", approval=False), CompleteRun(PERIOD), runs=runs)
    assert documents(runs)[0] == "held"
    for maker in ("operator/ann", "operator/dan"):
        assert refused(runs, ApproveDocuments(PERIOD, maker)) == "APPROVER_NOT_ANOTHER"
    assert documents(after(ApproveDocuments(PERIOD, "operator/ben"), runs=runs))[0] == "released"


def test_a_run_whose_documents_are_kept_back_is_never_forgotten_either() -> None:
    runs, period = after(opened(), CompleteRun(PERIOD), RefuseDocuments(PERIOD, "operator/ben", "wrong tax")), PERIOD
    for _ in range(ENDED_KEPT_MAX + 3):
        period = period.next
        runs = after(opened(approval=False, period=period), CompleteRun(period), runs=runs)
    assert documents(runs)[0] == "refused"

"""The kind "billruns": what a slot needs to know of its bill runs."""

from business.billing.actions import RunAction
from business.billing.deciding import decide
from business.billing.events import RunEvent, apply, say
from business.billing.runs import BillRuns
from business.subjects import Machine
from charging.base.subject import compose

BILL_RUNS: Machine[BillRuns, RunAction, RunEvent] = Machine(
    "billruns", (BillRuns, RunAction, RunEvent), decide, apply, say
)


def subject_of(slot: str) -> str:
    """Give the id of the bill runs of a slot ("GD/17")."""
    return compose(BILL_RUNS.name, slot)

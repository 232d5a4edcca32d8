"""What can be asked of the bill runs of a slot. Tags are what grants, journal and history call it."""

from msgspec import Struct

from business.billing.periods import Period


class PlanRun(Struct, frozen=True, array_like=True, tag="plan_bill_run", gc=False):
    """Say when a period will be billed; times in milliseconds, UTC."""

    period: Period
    mode: str
    """`direct` or `staged`, see `business.billing.runs.MODES`."""
    period_ends_ms: int
    """When the period is over in the region's zone, as the platform reads the calendar."""
    from_ms: int
    until_ms: int


class OpenRun(Struct, frozen=True, array_like=True, tag="open_bill_run", gc=False):
    """Begin to bill a period: from here on its accounts are in their billing period."""

    period: Period
    mode: str
    """Empty = as planned, `direct` where nothing was planned."""
    period_ends_ms: int
    until_ms: int
    """0 = as planned; it must be given where nothing was planned."""
    backup: str = ""
    """Digest of the backup of the slot's books that was made before; "" = none was."""
    by: str = ""
    """Whose certificate asked for it."""
    approval: bool = False
    """Documents of its bills wait until somebody else approves them."""


class CompleteRun(Struct, frozen=True, array_like=True, tag="complete_bill_run", gc=False):
    """Nothing of the period is due any more."""

    period: Period


class CancelRun(Struct, frozen=True, array_like=True, tag="cancel_bill_run", gc=False):
    """Give a run up."""

    period: Period
    reason: str


class ApproveDocuments(Struct, frozen=True, array_like=True, tag="approve_documents", gc=False):
    """Release the documents of a run."""

    period: Period
    by: str
    """Whose certificate asked for it."""


class RefuseDocuments(Struct, frozen=True, array_like=True, tag="refuse_documents", gc=False):
    """Keep the documents of a run back."""

    period: Period
    by: str
    reason: str


RunAction = PlanRun | OpenRun | CompleteRun | CancelRun | ApproveDocuments | RefuseDocuments

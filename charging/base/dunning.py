"""Steps of dunning: what is done about money that is overdue, and what was done about an account."""

from msgspec import Struct

NOTICE, RESTRICT, SUSPEND_OUTGOING, SUSPEND_ALL, END = "notice", "restrict", "suspend_outgoing", "suspend_all", "end"
ACTIONS = (NOTICE, RESTRICT, SUSPEND_OUTGOING, SUSPEND_ALL, END)
"""From the mildest on: somebody is told; use away from home stops; all but what comes in; all; the account ends."""
DUNNED_MAX = 128
"""Steps that hold for one account at a time."""


class DunningStep(Struct, frozen=True, array_like=True, gc=False):
    """A step of the catalogue, as the owner is told it."""

    step_id: str
    action: str
    """One of `ACTIONS`."""
    days: int
    """Since the oldest bill with something overdue was due; 0 = at once."""
    amount: int = 0
    """Overdue at least, micro-units; 0 = anything."""
    credit_ppm: int = 0
    """Instead of days and amount: this part of the credit limit is used, parts in a million."""
    per_service: bool = False
    """For each service by what is overdue of it, so that one that is paid goes on; else for the account."""


class Dunned(Struct, frozen=True, array_like=True, gc=False):
    """A step that was taken, and holds for as long as what it was taken for does."""

    step: DunningStep
    service: str
    """"" = the whole account."""
    since_ms: int

"""What is asked of the platform, in its own words: kinds, and orders that become commands."""

from enum import IntEnum

from msgspec import Struct

from charging.ledger.asking import TransferAsk
from charging.ledger.kinds import Action
from charging.rating.session_asks import UnitAsk

OUTCOME = "outcome"
"""The view of a query that tells what a request key did."""


class Kind(IntEnum):
    """What is asked; figures are counted by it."""

    CHARGE = 1
    QUOTE = 2
    QUERY = 3
    COMMAND = 4
    SESSION = 5


class SessionOrder(Struct, frozen=True, array_like=True):
    """A session step as the caller asks for it, before it is planned."""

    session_id: str
    operation: str
    """create, update, release: the operations of Nchf_ConvergedCharging (TS 32.290)."""
    invocation: int
    """invocationSequenceNumber of TS 32.291: one more with each step, the same when a step is repeated."""
    units: tuple[UnitAsk, ...]
    """A time of 0 was not given: the request's stands for it."""

    def at_stake(self) -> int:
        """Hold no limit against it: what it costs is known once it is rated, and the owner's to judge."""
        return 0

    def permission(self) -> str:
        """Give the name by which it is granted."""
        return "session"


Order = Action | SessionOrder | TransferAsk

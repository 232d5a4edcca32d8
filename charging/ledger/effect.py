"""What a command gives while it is decided, before movements and version are known."""

from msgspec import Struct

from charging.base.account import Account
from charging.ledger.event import BaseEvent


class VersionMoved(Exception):
    """The account is not in the state that the command was rated on: rate again on fresh business data."""


class NothingDue(Exception):
    """There is nothing to do, so nothing is kept either: whoever asks again is decided again."""


class Effect(Struct, frozen=True, gc=False):
    """What an action decided: events in order, and what the reply says besides movements."""

    events: tuple[BaseEvent, ...]
    amount: int = 0
    """Micro-units charged, refunded, moved."""
    detail: bytes | None = None
    """Packed: `SessionOutcome` of a session's step, the account of one that moves out."""
    repeated: bool = False
    """The outcome was found, not made: nothing changes."""
    reached: "Account | None" = None
    """The account after all of the events, one after the other, its version as it was, where deciding them has made it
    already; None = it is not known."""

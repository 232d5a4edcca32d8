"""What deciding a command gives, and what handlers of commands hand to `charging.ledger.ledger`."""

from msgspec import Struct

from charging.base.account import Account
from charging.ledger.events import Event
from charging.ledger.outcome import Done


class VersionMoved(Exception):
    """The account is not in the state that the command was rated on: rate again on fresh business data."""


class Decision(Struct, frozen=True, gc=False):
    """A command's outcome. Without events nothing changed and `account` is the state as it was."""

    events: tuple[Event, ...]
    account: Account
    """The state after; its version is one higher when there are events."""
    done: Done


class Effect(Struct, frozen=True, gc=False):
    """What one handler decided: events in order, and what the reply says besides movements."""

    events: tuple[Event, ...]
    amount: int = 0
    """Micro-units charged, refunded, moved."""
    detail: bytes | None = None
    repeated: bool = False
    """The outcome was found, not made: nothing changes."""

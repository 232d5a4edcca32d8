"""What deciding a command gives."""

from msgspec import Struct

from charging.base.account import Account
from charging.ledger.kinds import Event
from charging.ledger.outcome import Done


class Decision(Struct, frozen=True, gc=False):
    """A command's outcome. Without events nothing changed and `account` is the state as it was."""

    events: tuple[Event, ...]
    account: Account
    """The state after; its version is one higher when there are events."""
    done: Done

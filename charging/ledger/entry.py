"""One journal entry: a command's outcome as it is kept for ever, chained to the entry before it of the same account."""

from msgspec import Raw, Struct

from charging.ledger.kinds import Event
from charging.ledger.outcome import ChargedFact


class Entry(Struct, frozen=True, array_like=True, gc=False):
    """What a request key did. Refusals are entries without events, so a repeat meets the same refusal."""

    account_id: str
    key: str
    digest: bytes
    """Of the request's content: another content under the same key is REQUEST_KEY_REUSED."""
    version: int
    """Of the account afterwards; unchanged by a refusal."""
    previous_seq: int
    """Journal sequence of the group that holds the account's entry before this one; -1 = none."""
    time_ms: int
    """Owner's clock when decided."""
    kind: str
    """Tag of the action: c, open, topup, …"""
    identity: str
    actor: str
    channel: str
    events: tuple[Event, ...]
    outcome: Raw
    """`wire.Done` or `wire.Failed`, packed: what a repeat of the key is answered."""
    charged: ChargedFact | None = None
    """Of a remembered charge, whose events are in another domain's journal."""
    principal: str = ""
    """Who sent the command, as authenticated, whatever `actor` claims; empty = the owner itself."""
    facts: tuple[Raw, ...] = ()
    """What happened to a subject that is no account, whose id then stands as `account_id`: read by its kind alone."""

"""Subjects: what has a life of its own in a slot besides accounts, as all that carry it along see it.

    billruns:GD/17           the only one of its kind in slot 17 of domain GD
    ticket:GD/17:1001        one of many there

An id says of which kind the subject is and which slot has it, so a request for it is routed without asking anybody: a
domain's slots are fixed, and who makes a subject is the owner of a slot. An account's id has its slot first and an
identity has none, so no text is two of these.

What an action asks, what an event says and what a state holds is packed here: only the kind (`business`) reads it.
"""

import re

from msgspec import Raw, Struct

KIND_CHARS_MAX = 16
LOCAL_CHARS_MAX = 64
NOTHING = Raw(b"\xc0")
"""State of a subject to which nothing was ever done."""

_ID = re.compile(
    r"(?P<kind>[a-z]{2,16}):(?P<slot>[A-Za-z0-9][A-Za-z0-9_.-]{0,31}/[0-9]{1,5})(?::[A-Za-z0-9][A-Za-z0-9._@-]{0,63})?"
)
_NOT_KINDS = ("account", "domain")
"""What stands before a slot in other names: identities of accounts, routes to owners."""


class Instruction(Struct, frozen=True, array_like=True, gc=False):
    """What somebody wants done to a subject, once; what `charging.ledger.commands.Command` is to accounts."""

    subject_id: str
    key: str
    digest: bytes
    """16 bytes over the content of the caller's request, as in a command."""
    actor: str
    channel: str
    time_ms: int
    """Time of the request, UTC."""
    action: Raw
    """Packed; tagged with what it is."""
    principal: str = ""
    """Who sent it, as authenticated."""


class PackedSubject(Struct, frozen=True, array_like=True, tag="S", gc=False):
    """A subject as snapshots, replies and memory have it."""

    subject_id: str
    version: int
    """Counts the changes; 0 = nothing was ever done to it."""
    state: Raw


def compose(kind: str, slot: str, local: str = "") -> str:
    """Give the id of a subject in a slot ("GD/17")."""
    return f"{kind}:{slot}:{local}" if local else f"{kind}:{slot}"


def kind_of(text: str) -> str:
    """Give the kind of the subject that a text names; "" when it names none, but an account or an identity."""
    match = _ID.fullmatch(text)
    return match["kind"] if match is not None and match["kind"] not in _NOT_KINDS else ""


def slot_of(subject_id: str) -> str:
    """Give the slot that has a subject; "" when the text names none."""
    match = _ID.fullmatch(subject_id)
    return match["slot"] if match is not None and match["kind"] not in _NOT_KINDS else ""

"""What a reason says of itself: kind, meaning, what to do, whether a repeat helps, and what it carries.

The model are the result codes of RFC 8506, section 7: permanent failures of the request, of the business, of load, and
those of which nobody knows the outcome. A front end needs the kind and the repeat to go on; a person needs the rest.
"""

from typing import NamedTuple


class Repeat(NamedTuple):
    """Whether sending a request again helps, and how."""

    word: str
    text: str
    """Of the manual, for a person."""


MENDED = Repeat("once mended", "Nothing is kept: mend what is named, then the same request key may be sent")
NEW_KEY = Repeat("new key", "The request key keeps this answer: once the cause is gone, ask again under a new key")
NEWEST = Repeat("read anew", "Read what is newest, then ask again under a new key")
SAME_KEY = Repeat("same key", "Repeat the same request key, after RetryInfo where it is given: it is done once")
LATER = Repeat("later", "Nothing was done: send the same request key again after RetryInfo")
NOBODY = Repeat("no", "A repeat gets the same until an operator has mended the cause")


class FaultKind(NamedTuple):
    """A kind of fault, by the name that its class has in `charging.errors`; `runtime.status` gives it a gRPC code."""

    name: str
    whose: str
    """Whose turn it is to do something."""
    repeat: Repeat
    """Unless the reason says otherwise."""


INVALID = FaultKind("invalid", "whoever wrote the request", MENDED)
NOT_FOUND = FaultKind("not_found", "whoever wrote the request", MENDED)
REFUSED = FaultKind("refused", "the business: nobody did anything wrong", NEW_KEY)
CONFLICT = FaultKind("conflict", "whoever made the request key", NEW_KEY)
DENIED = FaultKind("denied", "whoever grants, or the caller", MENDED)
OVERLOADED = FaultKind("overloaded", "the load", LATER)
UNAVAILABLE = FaultKind("unavailable", "the house, which heals by itself", SAME_KEY)
EXPIRED = FaultKind("expired", "the house, or a deadline that is too short", SAME_KEY)
BROKEN = FaultKind("broken", "the house: a defect, or damaged data", NOBODY)

KINDS = (INVALID, NOT_FOUND, REFUSED, CONFLICT, DENIED, OVERLOADED, UNAVAILABLE, EXPIRED, BROKEN)


class Reason(NamedTuple):
    """One reason, as programs compare it and people look it up. It never changes its meaning; a new one gets a name."""

    name: str
    """UPPER_SNAKE."""
    kind: FaultKind
    meaning: str
    """One sentence."""
    do: str = ""
    """What whoever gets it does, beyond what the kind says; empty = nothing more."""
    repeat: Repeat | None = None
    """None = as its kind."""
    fields: str = ""
    """What the field violations name; empty = none are given."""
    facts: tuple[str, ...] = ()
    """Names in ErrorInfo.metadata."""
    also: FaultKind | None = None
    """A second kind, where one check is met at two places: in the request, and in the state of the account."""
    other: str = ""
    """The word that another tier says for the same check."""

    @property
    def kinds(self) -> tuple[FaultKind, ...]:
        """The kinds of fault that may have it."""
        return (self.kind,) if self.also is None else (self.kind, self.also)

    @property
    def repeats(self) -> Repeat:
        """Whether a repeat helps."""
        return self.repeat or self.kind.repeat


class Section(NamedTuple):
    """Reasons about one thing, in the order of the manual."""

    title: str
    told_by: str
    """Who tells them: "desk" and "data center", each in its contract; "owner", "watch" and "console", in none."""
    reasons: tuple[Reason, ...]

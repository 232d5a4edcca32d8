"""Everything that can go wrong, as the caller sees it.

    Fault                      reason, one sentence, optional retry
    ├── Invalid                the request itself is wrong; never retried, never kept under its key
    ├── NotFound               what it names does not exist; never retried, never kept
    ├── Refused                the business says no (no balance, suspended); kept under its key
    ├── Conflict               the request key was used for something else
    ├── Denied                 the caller may not do this (channel closed, unknown partner)
    ├── Overloaded             a bound is reached; repeat after `retry_ms`
    ├── Unavailable            outcome unknown or owner away; repeat the same key after `retry_ms`
    ├── Expired                the deadline passed before an answer; repeat the same key
    └── Broken                 a defect of ours

`runtime.status` maps the kinds to gRPC codes, in one place. The words themselves are in `charging.reasons`: a
fault with any other word, or of another kind than its reason, can't be made.
"""

from collections.abc import Mapping
from typing import Self

from charging.reasons import REASONS

_WORDS = frozenset((kind.name, reason.name) for reason in REASONS.values() for kind in reason.kinds)


class Fault(Exception):
    """A clear error: `reason` for programs (UPPER_SNAKE), the message for people."""

    kind = "fault"

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        fields: Mapping[str, str] | None = None,
        facts: Mapping[str, str] | None = None,
        retry_ms: int = 0,
    ) -> None:
        if (self.kind, reason) not in _WORDS:
            raise LookupError(f"{reason!r} is no reason of the kind {self.kind}: write it down in charging.reasons")
        super().__init__(message)
        self._hold(reason, message, fields, facts, retry_ms)

    @classmethod
    def told(
        cls,
        reason: str,
        message: str,
        *,
        fields: Mapping[str, str] | None = None,
        facts: Mapping[str, str] | None = None,
        retry_ms: int = 0,
    ) -> Self:
        """Make the fault that somebody else told, in words of theirs: of another version, or of a library."""
        fault = cls.__new__(cls, message)
        fault._hold(reason, message, fields, facts, retry_ms)
        return fault

    def _hold(
        self,
        reason: str,
        message: str,
        fields: Mapping[str, str] | None,
        facts: Mapping[str, str] | None,
        retry_ms: int,
    ) -> None:
        self.reason = reason
        self.message = message
        self.fields: dict[str, str] = dict(fields or {})
        self.facts: dict[str, str] = dict(facts or {})
        self.retry_ms = retry_ms
        """How long to wait before a repeat, milliseconds; 0 = none is asked for."""

    def bare(self) -> Self:
        """Give it without its trace: whoever keeps a fault keeps all that its trace saw, the whole batch in a cycle."""
        self.__traceback__ = self.__cause__ = self.__context__ = None
        return self

    def __reduce__(self) -> tuple[object, ...]:
        """Keep all parts through pickle (process pools)."""
        return (_rebuild, (type(self), self.reason, self.message, self.fields, self.facts, self.retry_ms))


def _rebuild(
    cls: type[Fault], reason: str, message: str, fields: dict[str, str], facts: dict[str, str], retry_ms: int
) -> Fault:
    return cls.told(reason, message, fields=fields, facts=facts, retry_ms=retry_ms)


class Invalid(Fault):
    """The request itself is wrong. `fields` names each field and what to do."""

    kind = "invalid"


class NotFound(Fault):
    """What the request names does not exist."""

    kind = "not_found"


class Refused(Fault):
    """The business says no. Journaled under the request key like any outcome."""

    kind = "refused"


class Conflict(Fault):
    """The request key was used before for another content."""

    kind = "conflict"


class Denied(Fault):
    """The caller may not do this."""

    kind = "denied"


class Overloaded(Fault):
    """A bound is reached; nothing was done; repeat after `retry_ms`."""

    kind = "overloaded"


class Unavailable(Fault):
    """Owner away or outcome unknown; the same key may safely be repeated after `retry_ms`."""

    kind = "unavailable"


class Expired(Fault):
    """The deadline passed; done or not done, the repeat of the same key tells."""

    kind = "expired"


class Broken(Fault):
    """A defect of ours; logged with its trace, told without it."""

    kind = "broken"


def internal() -> Broken:
    """Make the fault of any defect that has no reason of its own: what went wrong is in the log, never in an answer."""
    return Broken("INTERNAL", "an internal error; it is in the server's log")


KINDS: dict[str, type[Fault]] = {
    cls.kind: cls for cls in (Invalid, NotFound, Refused, Conflict, Denied, Overloaded, Unavailable, Expired, Broken)
}

"""Requests as they are read: normalised, checked, and not yet anybody's work.

A kind of its own for what each has: an event its usage, a query its view, a command its order.
"""

from appserver.reading.asks import Kind, Order
from appserver.reading.narrowing import WHOLE, Narrowing
from charging.base.usage import Usage


class Request:
    """What every request has, whatever it asks."""

    __slots__ = ("actor", "channel", "digest", "explain", "identity", "key", "kind", "partner", "time_ms")

    def __init__(
        self,
        kind: Kind,
        identity: str,
        channel: str,
        partner: str,
        actor: str,
        key: str,
        digest: bytes,
        time_ms: int,
        explain: bool,
    ) -> None:
        self.kind = kind
        self.identity = identity
        """As `charging.base.identity` writes it: two spellings of a number are one identity."""
        self.channel = channel
        self.partner = partner
        """Partner of the shared unit in whose name it comes; "" = none."""
        self.actor = actor
        """The person who asks, as the front end claims; "" = the subscriber, or the front end itself."""
        self.key = key
        """Given by the caller, one for each intent: what is repeated under it is done once. "" = nothing changes."""
        self.digest = digest
        """Of everything that must not differ under one key; empty without a key."""
        self.time_ms = time_ms
        """When it happened, UTC; ours where the caller gave none."""
        self.explain = explain
        """Steps of the price are told with it."""


class EventRequest(Request):
    """A charge or a dry run of one event."""

    __slots__ = ("usage",)

    def __init__(
        self,
        kind: Kind,
        identity: str,
        channel: str,
        partner: str,
        actor: str,
        key: str,
        digest: bytes,
        time_ms: int,
        explain: bool,
        usage: Usage,
    ) -> None:
        super().__init__(kind, identity, channel, partner, actor, key, digest, time_ms, explain)
        self.usage = usage


class QueryRequest(Request):
    """A view of a subscriber's data, or the outcome of a request key."""

    __slots__ = ("cursor", "lines_max", "narrowing", "view")

    def __init__(
        self,
        identity: str,
        channel: str,
        partner: str,
        actor: str,
        key: str,
        time_ms: int,
        explain: bool,
        view: str,
        lines_max: int,
        cursor: int,
        narrowing: Narrowing = WHOLE,
    ) -> None:
        super().__init__(Kind.QUERY, identity, channel, partner, actor, key, b"", time_ms, explain)
        self.view = view
        self.lines_max = lines_max
        """Journal lines that are told at most, newest first."""
        self.cursor = cursor
        """Where the page of the history begins, as told with the page before; 0 = with the newest line."""
        self.narrowing = narrowing


class CommandRequest(Request):
    """A command on an account, or a step of a charging session."""

    __slots__ = ("order",)

    def __init__(
        self,
        kind: Kind,
        identity: str,
        channel: str,
        partner: str,
        actor: str,
        key: str,
        digest: bytes,
        time_ms: int,
        explain: bool,
        order: Order,
    ) -> None:
        super().__init__(kind, identity, channel, partner, actor, key, digest, time_ms, explain)
        self.order = order


class PreviewRequest(CommandRequest):
    """The dry run of a command: whoever may send it may ask what it would do."""

    __slots__ = ()

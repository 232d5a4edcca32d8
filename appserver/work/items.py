"""Requests inside the platform: batches as they came, and items as the engine works on them.

A batch keeps the deadline and the way back of all its requests, so an item costs no task, no future and no timer.
"""

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from onetier.v1 import service_desk_pb2 as desk

from appserver.asks import Kind, Order, Stage
from charging.base.usage import Charge, Usage
from charging.errors import Fault
from charging.wire import BusinessData, Done
from runtime.principal import LOCAL
from runtime.quota import Bucket

if TYPE_CHECKING:
    from appserver.known.accounts import Entry
    from appserver.known.reference import Held

NO_USAGE = Usage("", "", 0, 0)
PREDICTED_REFUSAL = Done("", -1, 0, ())


class Item:
    """One normalised request, and how far the engine is with it."""

    __slots__ = (
        "actor",
        "attempts",
        "batch",
        "channel",
        "charge",
        "confirmed",
        "cursor",
        "data",
        "digest",
        "entry",
        "expected",
        "explain",
        "fault",
        "held",
        "identity",
        "key",
        "kind",
        "lines_max",
        "order",
        "partner",
        "place",
        "position",
        "stage",
        "time_ms",
        "usage",
        "view",
    )

    def __init__(
        self,
        batch: "Batch",
        position: int,
        kind: Kind,
        identity: str,
        channel: str,
        partner: str,
        actor: str,
        key: str,
        digest: bytes,
        time_ms: int,
        explain: bool,
        usage: Usage = NO_USAGE,
        view: str = "",
        lines_max: int = 0,
        order: Order | None = None,
        cursor: int = 0,
    ) -> None:
        self.batch = batch
        self.position = position
        """In its batch."""
        self.kind = kind
        self.identity = identity
        self.channel = channel
        self.partner = partner
        self.actor = actor
        self.key = key
        self.digest = digest
        self.time_ms = time_ms
        self.explain = explain
        self.usage = usage
        """Of a charge or a quote."""
        self.view = view
        """Of a query."""
        self.lines_max = lines_max
        """Of a query that tells journal lines."""
        self.cursor = cursor
        """Of a query of the history: where its page begins, and later where the next one does; 0 = the newest, none."""
        self.order = order
        """Of a command or a session step."""
        self.attempts = 0
        """How often it was rated because the account had moved on."""
        self.place = 0
        """Position in the batch it was last sent in: the order of the commits of one account."""
        self.charge: Charge | None = None
        self.confirmed = False
        """Its refusal was looked at again on reference data that was the newest after it came."""
        self.entry: Entry | None = None
        self.expected: Done | None = None
        """Outcome as predicted, once something was rated on top of it; `PREDICTED_REFUSAL` for a refusal."""
        self.stage = Stage.RATE
        self.fault: Fault | None = None
        """What went wrong on the platform while the stored outcome of the key is looked up."""
        self.data: BusinessData | None = None
        """What a query or a quote is answered from."""
        self.held: Held | None = None
        """Reference data it was served with."""


class Sink(Protocol):
    """Where the replies of a batch go."""

    def deliver(self, batch: "Batch", response: desk.ExchangeResponse, /) -> None:
        """Take a part of the replies. Must not block; a part is delivered once."""
        ...


class Batch:
    """Requests that came together from one caller, with one deadline."""

    __slots__ = (
        "_answered",
        "batch_id",
        "caller",
        "cursor",
        "deadline",
        "missing",
        "principal",
        "received",
        "requests",
        "response",
        "sink",
        "size",
    )

    def __init__(
        self,
        sink: Sink,
        batch_id: int,
        requests: Sequence[desk.ServiceRequest],
        received: float,
        deadline: float,
        size: int = 0,
        principal: str = LOCAL,
    ) -> None:
        self.sink = sink
        self.caller: Caller | None = None
        """Whose it is, once it is taken in."""
        self.size = size
        """Bytes, as it came."""
        self.batch_id = batch_id
        self.requests = requests
        self.principal = principal
        """Who sent it, as authenticated."""
        self.received = received
        """Loop time, seconds."""
        self.deadline = deadline
        """Loop time, seconds."""
        self.cursor = 0
        """Requests before it were taken up."""
        self.missing = len(requests)
        self.response: desk.ExchangeResponse | None = None
        self._answered = bytearray(self.missing)

    def reply(self, position: int) -> desk.ServiceReply | None:
        """Give the reply to fill for a position; None when it is answered already (it expired)."""
        if self._answered[position]:
            return None
        self._answered[position] = 1
        self.missing -= 1
        response = self.response
        if response is None:
            response = self.response = desk.ExchangeResponse(batch_id=self.batch_id)
        response.positions.append(position)
        return response.replies.add()

    def answered(self, position: int) -> bool:
        """Say whether a position needs no more work."""
        return bool(self._answered[position])

    def open_positions(self) -> list[int]:
        """List what is not answered yet."""
        return [position for position in range(len(self._answered)) if not self._answered[position]]


class Caller:
    """What one client has inside the process. The engine serves callers in turn, and of each its sources in turn."""

    __slots__ = ("active", "bytes", "items", "lines", "sources")

    def __init__(self) -> None:
        self.sources: deque[Source] = deque()
        """Those with work, whose turn comes next first."""
        self.active = False
        """Listed among those with work."""
        self.items = 0
        """Requests taken in and not answered."""
        self.bytes = 0
        """Of batches taken in and not wholly answered."""
        self.lines: Bucket | None = None
        """Journal lines that it may still be told; None = any number."""


class Source:
    """Batches of one stream, or of all calls of a client, that wait to be taken up, oldest first."""

    __slots__ = ("active", "batches", "caller")

    def __init__(self, caller: Caller | None = None) -> None:
        self.caller = Caller() if caller is None else caller
        self.batches: deque[Batch] = deque()
        self.active = False
        """Listed among its caller's with work."""

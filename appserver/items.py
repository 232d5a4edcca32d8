"""Requests inside the platform: batches as they came, and items as the engine works on them.

A batch keeps the deadline and the way back of all its requests, so an item costs no task, no future and no timer.
"""

from collections import deque
from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct
from onetier.v1 import service_desk_pb2 as desk

from charging.commands import Action
from charging.errors import Fault
from charging.sessions import UnitAsk
from charging.usage import Charge, Usage
from charging.wire import BusinessData, Done

if TYPE_CHECKING:
    from appserver.caches import Entry
    from appserver.reference import Held

NO_USAGE = Usage("", "", 0, 0)
PREDICTED_REFUSAL = Done("", -1, 0, ())


class Kind(IntEnum):
    """What is asked."""

    CHARGE = 1
    QUOTE = 2
    QUERY = 3
    COMMAND = 4
    SESSION = 5


class Stage(IntEnum):
    """What the answer under way is to."""

    RATE = 0
    """A pull or a commit."""
    LOOKUP = 1
    """The stored outcome of the key."""
    LINES = 2
    """Journal lines: of a query, or of the stored outcome."""


class SessionOrder(Struct, frozen=True, array_like=True):
    """A session step as the caller asks for it, before it is planned."""

    session_id: str
    operation: str
    """create, update, release"""
    invocation: int
    units: tuple[UnitAsk, ...]
    """A time of 0 was not given: the request's stands for it."""


class TransferAsk(Struct, frozen=True, array_like=True):
    """A transfer before it is known whether the other identity belongs to the same account."""

    from_book_id: str
    to_identity: str
    """Empty = another book of the same account."""
    to_book_id: str
    amount: int
    reason: str


Order = Action | SessionOrder | TransferAsk


class Item(Struct):
    """One normalised request, and how far the engine is with it."""

    batch: "Batch"
    position: int
    """In its batch."""
    kind: Kind
    identity: str
    channel: str
    partner: str
    actor: str
    key: str
    digest: bytes
    time_ms: int
    explain: bool
    usage: Usage = NO_USAGE
    """Of a charge or a quote."""
    view: str = ""
    """Of a query."""
    lines_max: int = 0
    """Of a query that tells journal lines."""
    order: Order | None = None
    """Of a command or a session step."""
    attempts: int = 0
    """How often it was rated because the account had moved on."""
    place: int = 0
    """Position in the batch it was last sent in: the order of the commits of one account."""
    charge: Charge | None = None
    entry: "Entry | None" = None
    expected: Done | None = None
    """Outcome as predicted, once something was rated on top of it; `PREDICTED_REFUSAL` for a refusal."""
    stage: Stage = Stage.RATE
    fault: Fault | None = None
    """What went wrong on the platform while the stored outcome of the key is looked up."""
    data: BusinessData | None = None
    """What a query or a quote is answered from."""
    done: Done | None = None
    """Stored outcome while its explanation is fetched."""
    held: "Held | None" = None
    """Reference data it was served with."""


class Sink(Protocol):
    """Where the replies of a batch go."""

    def deliver(self, batch: "Batch", response: desk.ExchangeResponse) -> None:
        """Take a part of the replies. Must not block; a part is delivered once."""
        ...


class Batch:
    """Requests that came together from one caller, with one deadline."""

    __slots__ = ("_answered", "batch_id", "cursor", "deadline", "missing", "received", "requests", "response", "sink")

    def __init__(
        self, sink: Sink, batch_id: int, requests: Sequence[desk.ServiceRequest], received: float, deadline: float
    ) -> None:
        self.sink = sink
        self.batch_id = batch_id
        self.requests = requests
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
        return [position for position, done in enumerate(self._answered) if not done]


class Source:
    """Batches of one caller that wait to be taken up, oldest first. The engine serves sources in turn."""

    __slots__ = ("active", "batches")

    def __init__(self) -> None:
        self.batches: deque[Batch] = deque()
        self.active = False
        """Listed among those with work."""

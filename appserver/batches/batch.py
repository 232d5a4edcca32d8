"""Batches of requests as they came, who sent them, and the way back.

A batch keeps the deadline and the way back of all its requests, so a request costs no task, no future and no timer.
"""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from onetier.v1 import service_desk_pb2 as desk

from appserver.batches.followed import FollowedItem
from charging.errors import Overloaded
from runtime.principal import LOCAL
from runtime.quota import Bucket


class CallerSink(Protocol):
    """Where the replies of a batch go."""

    def deliver(self, batch: "RequestBatch", response: desk.ExchangeResponse, /) -> None:
        """Take a part of the replies, in the order in which they got ready. Must not block; a part is given once."""
        ...


class RequestBatch:
    """Requests that came together from one caller, with one deadline."""

    __slots__ = (
        "_answered",
        "batch_id",
        "caller",
        "cursor",
        "deadline",
        "followed",
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
        sink: CallerSink,
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
        """The caller's own number, given back with every part."""
        self.requests = requests
        self.principal = principal
        """Who sent it, as authenticated."""
        self.received = received
        """Loop time, seconds."""
        self.deadline = deadline
        """Loop time, seconds."""
        self.cursor = 0
        """Requests before it were taken up."""
        self.followed: FollowedItem | None = None
        """The one whose way is traced; None for nearly all batches."""
        self.missing = len(requests)
        """Requests without an answer."""
        self.response: desk.ExchangeResponse | None = None
        """The part that fills until it is sent."""
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
        """List what is not answered yet, in order."""
        return [position for position in range(len(self._answered)) if not self._answered[position]]


class Caller:
    """What one client has inside the process. The engine serves callers in turn, and of each its sources in turn."""

    __slots__ = ("active", "bytes", "items", "lines", "sources")

    def __init__(self) -> None:
        self.sources: deque[RequestSource] = deque()
        """Those with work, whose turn comes next first."""
        self.active = False
        """Listed among those with work."""
        self.items = 0
        """Requests taken in and not answered."""
        self.bytes = 0
        """Of batches taken in and not wholly answered."""
        self.lines: Bucket | None = None
        """Journal lines that it may still be told; None = any number."""

    def take_lines(self, lines: int, now_s: float) -> None:
        """Take journal lines off its quota, at a time of the loop's clock. Raises `Overloaded` CLIENT_LINES with the
        time to wait when it has had its share; a query may go over it once, and the next waits longer."""
        quota = self.lines
        if quota is None:
            return
        wait_ms = quota.wait_ms(now_s)
        if wait_ms:
            text = f"this client has asked for too many journal lines; wait {wait_ms} ms"
            raise Overloaded("CLIENT_LINES", text, retry_ms=wait_ms)
        quota.take(lines)


class RequestSource:
    """Batches of one stream, or of all calls of a client, that wait to be taken up, oldest first."""

    __slots__ = ("active", "batches", "caller")

    def __init__(self, caller: Caller | None = None) -> None:
        self.caller = Caller() if caller is None else caller
        self.batches: deque[RequestBatch] = deque()
        self.active = False
        """Listed among its caller's with work."""

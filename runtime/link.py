"""The sending end of a long stream of batches. Nothing here costs anything per item: no task, no future, no timer.

`BatchLink` is one long stream to one address, redialled for ever with back-off. Its users: client → `Exchange`,
appserver → `DataCenterService.Route`, datacenter → `DomainServerService.Serve`. The other end is `runtime.stream`.

    link = BatchLink(address, stub.Route, batches_in_flight_max=4)      # inside a running loop
    while True:                                    # the user's own pump; batches form by themselves
        await self.something_waits.wait()
        await link.room()                          # while others are in flight, more gathers
        batch = MyBatch(take_what_waits())         # positions, routes, bodies
        request = RouteRequest(timeout_ms=left, positions=..., routes=..., bodies=...)   # batch_id is set by the link
        link.send(request, items=len(batch), sink=batch, timeout_ms=left)

    class MyBatch:                                 # one object a batch, the user's own
        def part(self, response: RouteResponse) -> int:
            for position, body in ...: ...         # resolve them
            return answered                        # how many items this part answered
        def lost(self, fault: Fault) -> None:
            for position in self.still_open: ...   # all that had no answer: Unavailable, Expired or Overloaded

A batch ends when its parts have answered all `items`, or with one `lost`, after which no part comes. `send` never
raises and never calls the sink before it returns. A stream is shared by all batches, so whatever is wrong with a part
or a sink ends that batch alone.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

import grpc
from msgspec import Struct

from charging.errors import Broken, Expired, Fault, Overloaded, Unavailable
from runtime.status import from_rpc_error
from runtime.telemetry import logger

log = logger("runtime.link")

BACKOFF_MIN_MS = 50
BACKOFF_MAX_MS = 1_000
SILENCE_MS_MAX = 5_000
"""A peer that lets a batch expire and has said nothing at all for so long is taken for stuck, and redialled."""


class Batched(Protocol):
    """A request or response that belongs to a batch."""

    batch_id: int

    def ByteSize(self) -> int:
        """Bytes on the wire."""
        ...


class Mergeable(Batched, Protocol):
    """A response that has room for parts of other batches that got ready at the same time."""

    @property
    def more(self) -> Any:
        """A repeated field of the response's own type, in it empty."""
        ...


MergeableT = TypeVar("MergeableT", bound=Mergeable)
RequestT = TypeVar("RequestT", bound=Batched)
ResponseT = TypeVar("ResponseT", bound=Batched)
ResponseT_contra = TypeVar("ResponseT_contra", contravariant=True)


class LinkSink(Protocol[ResponseT_contra]):
    """Where the answers of one batch go."""

    def part(self, response: ResponseT_contra, /) -> int:
        """Take some answers; give how many items they answered. Must not block."""
        ...

    def lost(self, fault: Fault, /) -> None:
        """What has no answer yet gets none: `fault` says why. Called at most once, as the last."""
        ...


def alone(response: ResponseT) -> Iterable[ResponseT]:
    """A response as its only part."""
    return (response,)


def parts_of(response: MergeableT) -> Iterable[MergeableT]:
    """All parts of a response that was merged by `runtime.stream.take_merged`."""
    return (response, *response.more)


class _Flight(Struct, Generic[ResponseT]):
    """A batch on its way."""

    sink: LinkSink[ResponseT]
    items_left: int
    timer: asyncio.TimerHandle | None

    def lose(self, fault: Fault) -> None:
        """Tell the sink; a defect in it is its own."""
        try:
            self.sink.lost(fault)
        except Exception:
            log.exception("a lost batch could not be told", reason=fault.reason)


class BatchLink(Generic[RequestT, ResponseT]):
    """One long stream of batches to one address; see the module for its use.

    `open_stream` is the stub's method (`stub.Route`). At most `batches_in_flight_max` batches are under way.
    A stream that breaks loses its batches with `Unavailable`; while the link waits to redial, batches are lost at once.
    """

    def __init__(
        self,
        address: str,
        open_stream: Callable[[], grpc.aio.StreamStreamCall],
        *,
        batches_in_flight_max: int = 4,
        on_change: Callable[[bool], None] | None = None,
        parts: Callable[[ResponseT], Iterable[ResponseT]] = alone,
    ) -> None:
        self.address = address
        self.items_in_flight = 0
        self._open_stream = open_stream
        self._parts_of = parts
        self._batches_max = batches_in_flight_max
        self._on_change = on_change
        self._flights: dict[int, _Flight[ResponseT]] = {}
        self._outbox: deque[RequestT] = deque()
        self._written = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._batch_id = 0
        self._closing = False
        self._down = False
        self._backoff_ms = BACKOFF_MIN_MS
        self._idle = asyncio.Event()
        self._idle.set()
        self._loop = asyncio.get_running_loop()
        self._call: grpc.aio.StreamStreamCall | None = None
        self._heard_at = 0.0
        self._redial_at = 0.0
        self._task = self._loop.create_task(self._run(), name=f"link to {address}")

    @property
    def up(self) -> bool:
        """False while the link waits to redial, or is closed: batches sent now are lost at once."""
        return not self._down and not self._closing

    @property
    def batches_in_flight(self) -> int:
        """Batches sent and not ended."""
        return len(self._flights)

    async def room(self) -> None:
        """Wait until one more batch may be sent. A link that is down has room: what is sent fails at once."""
        await self._room.wait()

    def send(self, request: RequestT, *, items: int, sink: LinkSink[ResponseT], timeout_ms: int) -> None:
        """Send a batch; the link sets its `batch_id`. After `timeout_ms` what is open is lost with `Expired`."""
        refusal = self._refusal(timeout_ms)
        if refusal is not None:
            self._loop.call_soon(sink.lost, refusal)
            return
        self._batch_id += 1
        batch_id = self._batch_id
        request.batch_id = batch_id
        timer = self._loop.call_later(timeout_ms / 1000, self._expire, batch_id)
        self._flights[batch_id] = _Flight(sink, items, timer)
        self.items_in_flight += items
        self._idle.clear()
        if len(self._flights) >= self._batches_max:
            self._room.clear()
        self._outbox.append(request)
        self._written.set()

    async def close(self, grace_ms: int = 1_000) -> None:
        """Let batches in flight finish for `grace_ms`, lose the rest, end the stream. Idempotent."""
        self._closing = True
        try:
            async with asyncio.timeout(grace_ms / 1000):
                await self._idle.wait()
        except TimeoutError:
            pass
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._lose_all(
            Unavailable(
                "LINK_CLOSED",
                f"the link to {self.address} was closed; repeat the same request key",
                retry_ms=BACKOFF_MIN_MS,
            )
        )

    def _refusal(self, timeout_ms: int) -> Fault | None:
        if timeout_ms <= 0:
            return Expired("DEADLINE_EXCEEDED", "the deadline had passed before the batch was sent")
        if not self.up:
            left_ms = max(1, int((self._redial_at - self._loop.time()) * 1000) + 1)
            return Unavailable(
                "PEER_AWAY",
                f"{self.address} can't be reached at the moment; repeat the same request key",
                retry_ms=left_ms,
            )
        if len(self._flights) >= self._batches_max:
            text = f"{self._batches_max} batches are under way to {self.address} already"
            return Overloaded("LINK_FULL", text, retry_ms=BACKOFF_MIN_MS)
        return None

    async def _run(self) -> None:
        """Dial, serve, lose, wait, until it is closed."""
        while True:
            fault = await self._one_stream()
            if self._closing:
                return  # gRPC may swallow the cancellation of a call that fails while it is being dialled.
            self._down = True
            self._tell(False)
            self._lose_all(fault)
            # Jitter keeps a fleet from redialling in step.
            pause_s = self._backoff_ms / 1000 * random.uniform(0.5, 1.0)
            self._redial_at = self._loop.time() + pause_s
            await asyncio.sleep(pause_s)
            self._backoff_ms = min(self._backoff_ms * 2, BACKOFF_MAX_MS)
            self._down = False
            self._tell(True)

    async def _one_stream(self) -> Fault:
        """Serve one stream until it breaks; gives why, as what its batches are told."""
        try:
            self._call = call = self._open_stream()
        except grpc.aio.UsageError as error:
            return self._broken(str(error))
        self._heard_at = self._loop.time()
        writer = self._loop.create_task(self._write(call))
        try:
            while True:
                response = await call.read()
                if response is grpc.aio.EOF:
                    code = await call.code()
                    detail = await call.details()
                    return self._broken(f"{code.name} {detail or ''}".strip())
                self._heard_at = self._loop.time()
                self._backoff_ms = BACKOFF_MIN_MS
                if response is None:  # gRPC's way to say that it can't be read; what it answers expires.
                    log.warning("response can't be read", address=self.address)
                    continue
                for part in self._parts_of(response):
                    self._take(part)
        except grpc.aio.AioRpcError as error:
            fault = from_rpc_error(error)
            return self._broken(fault.message, fault.reason)
        except asyncio.CancelledError:
            if not call.cancelled() or self._closing:
                raise
            return self._broken("it was silent for too long")
        except Exception:
            # A channel closed under us, for example: the link must go on, or its batches would hang.
            log.exception("link failed", address=self.address)
            return self._broken("an internal error")
        finally:
            self._call = None
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            call.cancel()

    async def _write(self, call: grpc.aio.StreamStreamCall) -> None:
        try:
            while True:
                await self._written.wait()
                self._written.clear()
                while self._outbox:
                    request = self._outbox.popleft()
                    if request.batch_id in self._flights:  # Else it expired while it waited.
                        await call.write(request)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            # The reader sees the same break and tells the batches.
            return

    def _broken(self, why: str, cause: str = "STREAM_ENDED") -> Unavailable:
        if self._backoff_ms == BACKOFF_MIN_MS:  # Once, not at each vain attempt to redial.
            log.warning("stream broke", address=self.address, why=why, batches=len(self._flights))
        text = f"the stream to {self.address} broke ({why}); repeat the same request key"
        return Unavailable("STREAM_BROKEN", text, facts={"cause": cause}, retry_ms=self._backoff_ms)

    def _take(self, response: ResponseT) -> None:
        flight = self._flights.get(response.batch_id)
        if flight is None:
            return  # Expired meanwhile.
        try:
            answered = flight.sink.part(response)
        except Exception:
            log.exception("a part could not be taken", address=self.address)
            self._end(response.batch_id)
            flight.lose(Broken("ANSWER_MALFORMED", f"an answer of {self.address} can't be read; it is in the log"))
            return
        answered = min(max(answered, 0), flight.items_left)
        flight.items_left -= answered
        self.items_in_flight -= answered
        if flight.items_left <= 0:
            self._end(response.batch_id)

    def _expire(self, batch_id: int) -> None:
        flight = self._end(batch_id)
        if flight is None:
            return
        if self._call is not None and self._loop.time() - self._heard_at > SILENCE_MS_MAX / 1000:
            self._call.cancel()
        flight.lose(
            Expired("DEADLINE_EXCEEDED", "the deadline passed before an answer came; repeat the same request key")
        )

    def _end(self, batch_id: int) -> _Flight[ResponseT] | None:
        flight = self._flights.pop(batch_id, None)
        if flight is None:
            return None
        self.items_in_flight -= flight.items_left
        if flight.timer is not None:
            flight.timer.cancel()
        self._room.set()
        if not self._flights:
            self._idle.set()
        return flight

    def _lose_all(self, fault: Fault) -> None:
        self._outbox.clear()
        for batch_id in list(self._flights):
            flight = self._end(batch_id)
            if flight is not None:
                flight.lose(fault)

    def _tell(self, up: bool) -> None:
        if self._on_change is not None:
            self._on_change(up)

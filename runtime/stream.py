"""Long streams of batches, both ends. Nothing here costs anything per item: no task, no future, no timer.

**The sending end** is `BatchLink`: one long stream to one address, redialled for ever with back-off. Two users:
appserver → `DataCenterService.Route`, datacenter → `DomainServerService.Serve`.

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
raises and never calls the sink before it returns.

**The receiving end** is `serve_stream`, for the three servicers:

    async def Route(self, request_iterator, context):       # a coroutine, not a generator
        await serve_stream(context, self.route_batch, drain=self.drain, items_in_flight_max=20_000)
    def route_batch(self, request: RouteRequest, replies: ReplyStream) -> int:
        ...                                        # start the work; replies.send(response, items) as parts get ready
        return len(request.positions)              # items that the handler owes an answer
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import grpc
from msgspec import Struct

from charging.errors import Expired, Fault, Overloaded, Unavailable
from runtime.status import from_rpc_error
from runtime.telemetry import logger

log = logger("runtime.stream")

BACKOFF_MIN_MS = 50
BACKOFF_MAX_MS = 1_000
SILENCE_MS_MAX = 5_000
"""A peer that lets a batch expire and has said nothing at all for so long is taken for stuck, and redialled."""
WRITE_STALL_MS_MAX = 30_000
"""A peer that takes no reply for so long is cut off: what waits for it is dropped, it finds RESOURCE_EXHAUSTED."""


class Batched(Protocol):
    """A request or response that belongs to a batch."""

    batch_id: int


RequestT = TypeVar("RequestT", bound=Batched)
ResponseT = TypeVar("ResponseT", bound=Batched)
ResponseT_contra = TypeVar("ResponseT_contra", contravariant=True)


class Sink(Protocol[ResponseT_contra]):
    """Where the answers of one batch go."""

    def part(self, response: ResponseT_contra, /) -> int:
        """Take some answers; give how many items they answered. Must not block."""
        ...

    def lost(self, fault: Fault, /) -> None:
        """What has no answer yet gets none: `fault` says why. Called at most once, as the last."""
        ...


class _Flight(Struct, Generic[ResponseT]):
    """A batch on its way."""

    sink: Sink[ResponseT]
    items_left: int
    timer: asyncio.TimerHandle | None


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
    ) -> None:
        self.address = address
        self.items_in_flight = 0
        self._open_stream = open_stream
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

    def send(self, request: RequestT, *, items: int, sink: Sink[ResponseT], timeout_ms: int) -> None:
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
                self._take(response)
        except grpc.aio.AioRpcError as error:
            fault = from_rpc_error(error)
            return self._broken(fault.message, fault.reason)
        except asyncio.CancelledError:
            if not call.cancelled() or self._closing:
                raise
            return self._broken("it was silent for too long")
        except Exception:
            # A defect in a sink, or a channel closed under us: the link must go on, or its batches would hang.
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
        answered = flight.sink.part(response)
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
        flight.sink.lost(
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
                flight.sink.lost(fault)

    def _tell(self, up: bool) -> None:
        if self._on_change is not None:
            self._on_change(up)


class ReplyStream(Generic[ResponseT]):
    """The way back of one stream that is served. Replies go out in order; `send` may be called at any time."""

    def __init__(self) -> None:
        self.items_in_flight = 0
        self.ended = False
        """True once the peer is gone: replies are dropped from then on."""
        self._outbox: deque[tuple[ResponseT, int]] = deque()
        self._wake = asyncio.Event()
        self._progress = asyncio.Event()

    def send(self, response: ResponseT, items: int) -> None:
        """Queue a part that answers `items` items. They count as in flight until the peer has taken them."""
        if not self.ended:
            self._outbox.append((response, items))
            self._wake.set()

    def owe(self, items: int) -> None:
        """Count items taken in."""
        self.items_in_flight += items

    def end(self) -> None:
        """Let go of everything: nothing more can be told to this peer."""
        self.ended = True
        self._outbox.clear()

    async def write(self, context: grpc.aio.ServicerContext) -> None:
        """Write what is queued, for ever. Raises `Overloaded` when the peer takes nothing any more."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._outbox:
                response, items = self._outbox.popleft()
                try:
                    async with asyncio.timeout(WRITE_STALL_MS_MAX / 1000):
                        await context.write(response)
                except TimeoutError as error:
                    text = f"replies weren't taken for {WRITE_STALL_MS_MAX} ms; open a new stream"
                    raise Overloaded("PEER_STALLED", text, retry_ms=BACKOFF_MAX_MS) from error
                self.items_in_flight -= items
                self._progress.set()

    async def below(self, items_max: int) -> None:
        """Wait until at most `items_max` items are in flight."""
        while self.items_in_flight > items_max:
            self._progress.clear()
            await self._progress.wait()


async def serve_stream(
    context: grpc.aio.ServicerContext,
    handle: Callable[[RequestT, ReplyStream[ResponseT]], int],
    *,
    drain: asyncio.Event,
    items_in_flight_max: int,
) -> None:
    """Serve one stream of batches until the peer ends it or `drain` is set; then answer what is owed and end.

    `handle` starts the work of a batch and gives how many items it owes. A peer with more than `items_in_flight_max`
    items unanswered, or untaken, is not read: it feels the back-pressure of HTTP/2 and no one else does.
    """
    replies: ReplyStream[ResponseT] = ReplyStream()
    writer = asyncio.create_task(replies.write(context))
    reader = asyncio.create_task(_read(context, handle, replies, items_in_flight_max))
    draining = asyncio.create_task(drain.wait())
    owed: asyncio.Task[None] | None = None
    try:
        await asyncio.wait((writer, reader, draining), return_when=asyncio.FIRST_COMPLETED)
        if not reader.done():
            reader.cancel()
        elif not writer.done():
            reader.result()
        owed = asyncio.create_task(replies.below(0))
        await asyncio.wait((writer, owed), return_when=asyncio.FIRST_COMPLETED)
        if writer.done():
            writer.result()
    finally:
        replies.end()
        tasks: list[asyncio.Task[object]] = [task for task in (writer, reader, draining, owed) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(
    context: grpc.aio.ServicerContext,
    handle: Callable[[RequestT, ReplyStream[ResponseT]], int],
    replies: ReplyStream[ResponseT],
    items_max: int,
) -> None:
    while True:
        await replies.below(items_max)
        request = await context.read()
        if request is grpc.aio.EOF:
            return
        replies.owe(handle(request, replies))

"""The receiving end of long streams of batches, for the three servicers. The sending end is `runtime.link`.

A servicer's method is a coroutine, not a generator:

    async def Route(self, request_iterator, context):
        await serve_stream(context, self.route_batch, drain=self.drain, items_in_flight_max=20_000)
    def route_batch(self, request: RouteRequest, replies: ReplyStream) -> int:
        ...                                    # start the work; replies.send(response, items) as parts get ready
        return len(request.positions)          # items that the handler owes an answer

A stream is shared by many callers behind the peer: a message that can't be read, or a batch whose handling fails, is
counted and passed over, and the stream goes on.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic

import grpc

from charging.errors import Overloaded
from runtime.flights import MergeableT, RequestT, ResponseT
from runtime.redialling import BACKOFF_MAX_MS
from runtime.telemetry import Metrics, logger

log = logger("runtime.stream")

MERGED_PARTS_MAX = 64
MERGED_BYTES_MAX = 1_000_000
"""Far below what any peer takes; a larger part goes alone."""
REPLY_BYTES_MAX = 64_000_000
"""Waiting for one peer; one with more isn't read."""
WRITE_STALL_MS_MAX = 30_000
"""A peer that takes no reply for so long is cut off: what waits for it is dropped, it finds RESOURCE_EXHAUSTED."""


def take_one(outbox: deque[tuple[ResponseT, int]]) -> tuple[ResponseT, int]:
    """Take the next part out of an outbox, as a message of its own, with how many items it answers."""
    return outbox.popleft()


def take_merged(outbox: deque[tuple[MergeableT, int]]) -> tuple[MergeableT, int]:
    """Take what waits in an outbox as one message: a small one costs as much as the work on dozens of items."""
    first, items = outbox.popleft()
    if not outbox:
        return first, items
    size = first.ByteSize()
    rest: list[MergeableT] = []
    while outbox and len(rest) < MERGED_PARTS_MAX:
        size += outbox[0][0].ByteSize()
        if size > MERGED_BYTES_MAX:
            break
        part, answered = outbox.popleft()
        rest.append(part)
        items += answered
    first.more.extend(rest)
    return first, items


class ReplyStream(Generic[ResponseT]):
    """The way back of one stream that is served. Replies go out in order; `send` may be called at any time."""

    def __init__(self, take: Callable[[deque[tuple[ResponseT, int]]], tuple[ResponseT, int]] = take_one) -> None:
        self._take = take
        self.items_in_flight = 0
        self.bytes_waiting = 0
        """Of parts that the peer has not taken, about."""
        self.ended = False
        """True once the peer is gone: replies are dropped from then on."""
        self._outbox: deque[tuple[ResponseT, int]] = deque()
        self._wake = asyncio.Event()
        self._progress = asyncio.Event()

    def send(self, response: ResponseT, items: int) -> None:
        """Queue a part that answers `items` items. They count as in flight until the peer has taken them."""
        if not self.ended:
            self.bytes_waiting += response.ByteSize()
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
                response, items = self._take(self._outbox)
                try:
                    async with asyncio.timeout(WRITE_STALL_MS_MAX / 1000):
                        await context.write(response)
                except TimeoutError as error:
                    text = f"replies weren't taken for {WRITE_STALL_MS_MAX} ms; open a new stream"
                    raise Overloaded("PEER_STALLED", text, retry_ms=BACKOFF_MAX_MS) from error
                self.items_in_flight -= items
                self.bytes_waiting = self.bytes_waiting - response.ByteSize() if self._outbox else 0
                self._progress.set()

    async def below(self, items_max: int) -> None:
        """Wait until at most `items_max` items are in flight, and few bytes wait."""
        while self.items_in_flight > items_max or self.bytes_waiting > REPLY_BYTES_MAX:
            self._progress.clear()
            await self._progress.wait()


def _no_pause() -> float:
    return 0.0


def _pass_over(_replies: ReplyStream[ResponseT]) -> int:
    return 0


async def serve_stream(
    context: grpc.aio.ServicerContext,
    handle: Callable[[RequestT, ReplyStream[ResponseT]], int],
    *,
    drain: asyncio.Event,
    items_in_flight_max: int,
    take: Callable[[deque[tuple[ResponseT, int]]], tuple[ResponseT, int]] = take_one,
    unreadable: Callable[[ReplyStream[ResponseT]], int] = _pass_over,
    pause_s: Callable[[], float] = _no_pause,
    metrics: Metrics | None = None,
) -> None:
    """Serve one stream of batches until the peer ends it or `drain` is set; then answer what is owed and end.

    `handle` starts the work of a batch and gives how many items it owes. A peer with more than `items_in_flight_max`
    items unanswered, or untaken, is not read: it feels the back-pressure of HTTP/2 and no one else does. `take`
    makes the next message of the parts that wait; `take_merged` is for peers that know `parts_of`. `unreadable` may
    answer a message that can't be read: it gives how many items it owes. `pause_s` says before each message
    how long the peer isn't read because of its rate. `metrics` count what was passed over.
    """
    replies: ReplyStream[ResponseT] = ReplyStream(take)
    intake = _Intake(handle, unreadable, metrics)
    writer = asyncio.create_task(replies.write(context))
    reader = asyncio.create_task(_read(context, intake, replies, items_in_flight_max, pause_s))
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


class _Intake(Generic[RequestT, ResponseT]):
    """What is done with each message of a stream. Nothing that a message does may end the stream."""

    def __init__(
        self,
        handle: Callable[[RequestT, ReplyStream[ResponseT]], int],
        unreadable: Callable[[ReplyStream[ResponseT]], int],
        metrics: Metrics | None,
    ) -> None:
        self._handle = handle
        self._unreadable = unreadable
        self._metrics = metrics

    def take(self, request: RequestT | None, replies: ReplyStream[ResponseT]) -> int:
        """Begin with a message, None = one that can't be read; gives how many items are owed."""
        try:
            if request is not None:
                return self._handle(request, replies)
            self._count("unreadable")
            return self._unreadable(replies)
        except Exception:
            log.exception("a batch could not be taken in")
            self._count("batch_failed")
            return 0

    def _count(self, event: str) -> None:
        if self._metrics is not None:
            self._metrics.event(event)


async def _read(
    context: grpc.aio.ServicerContext,
    intake: _Intake[RequestT, ResponseT],
    replies: ReplyStream[ResponseT],
    items_max: int,
    pause_s: Callable[[], float],
) -> None:
    while True:
        await replies.below(items_max)
        seconds = pause_s()
        if seconds > 0:
            await asyncio.sleep(seconds)
        request = await context.read()
        if request is grpc.aio.EOF:
            return
        replies.owe(intake.take(request, replies))

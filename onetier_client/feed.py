"""What happens to accounts, followed through whatever breaks: each stream resumed where the last ended.

A stream that breaks, or a process that stops, costs a pause and nothing else: the next stream begins at the cursor of
the last batch. What no repeat would mend (`Denied`, CURSOR_FOREIGN, CURSOR_TOO_OLD, …) is raised.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NamedTuple, Self, TypedDict

import grpc
from onetier.v1 import watch_pb2 as pb
from onetier.v1.watch_pb2_grpc import WatchServiceStub

from charging.errors import Fault, Overloaded, Unavailable
from onetier_client.lines import back_off_s
from runtime.channel import open_channel
from runtime.status import from_rpc_error
from runtime.tls import Tls

ROLE = "watch"
"""Whose certificate a process of the feed shows."""


class WatchWanted(TypedDict, total=False):
    """What is watched, as of `onetier.v1.WatchRequest`: empty = all."""

    cursor: str
    from_oldest: bool
    kinds: Sequence[str]
    regions: Sequence[str]
    accounts: Sequence[str]
    events_max: int


class WatchedEvent(NamedTuple):
    """One event, and what to keep once it is dealt with."""

    event: pb.AccountEvent
    cursor: str
    """Goes on behind the event, or, within a batch, behind the batch before: then some events come again, by the same
    `position`. "" = nothing is to be kept yet, of a watch without a cursor, until its first batch is dealt with."""


class Watch:
    """One watch: `async for event, cursor in watch`, by one task at a time. Close it, or use `async with`.

    A task that waits for an event may be cancelled and ask again; nothing is left out, nothing comes twice by that.
    """

    def __init__(self, address: Callable[[], str], request: pb.WatchRequest, tls: Tls | None = None) -> None:
        """`address` gives that of a process of the feed, host:port; it is called for each stream."""
        self.cursor = request.cursor
        """Goes on behind all that is dealt with, quiet times included; an event is, once the next is asked for."""
        self.streams = 0
        """How many so far; the second and later ones resumed it."""
        self.fault: Fault | None = None
        """Why nothing comes just now; None = as far as is known all is well."""
        self._address = address
        self._request = pb.WatchRequest()
        self._request.CopyFrom(request)
        self._tls = tls
        self._ready: deque[WatchedEvent] = deque()
        self._channel: grpc.aio.Channel | None = None
        self._stream: grpc.aio.UnaryStreamCall | None = None
        self._receiving: asyncio.Task[None] | None = None
        self._free = asyncio.Event()
        self._free.set()
        self.closed = False
        """No event comes any more."""

    def __aiter__(self) -> Self:
        """Give itself: it goes on where it stands."""
        return self

    async def __anext__(self) -> WatchedEvent:
        """Wait for the next event; ends once the watch is closed.

        Raises the feed's fault where a repeat is of no use. Whoever asks again after that repeats all the same.
        """
        if not self._ready and not self.closed:
            self.cursor = self._request.cursor
            await self._wait()
        if self.closed:
            raise StopAsyncIteration
        return self._ready.popleft()

    async def close(self) -> None:
        """End it; whoever waits for an event is told that there is no more. Idempotent."""
        self.closed = True
        if self._receiving is not None:
            self._receiving.cancel()
        # Whoever waits has gone before this returns: the loop may be stopped then.
        await self._free.wait()
        await self._hang_up()

    async def __aenter__(self) -> Self:
        """Give the watch."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()

    async def _wait(self) -> None:
        """Receive in a task of its own, so that `close` can end that and not the task of whoever waits."""
        if self._receiving is not None:
            raise RuntimeError("another task waits for an event of this watch")
        receiving = self._receiving = asyncio.create_task(self._receive(), name="watch")
        self._free.clear()
        try:
            await asyncio.wait((receiving,))
        finally:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)
            self._receiving = None
            self._free.set()
        if not self.closed:
            receiving.result()

    async def _receive(self) -> None:
        """Wait for a batch with events, over as many streams as it takes. Raises what is of no use to repeat."""
        attempts = 0
        while not self._ready:
            try:
                self._take(await self._read())
                attempts, self.fault = 0, None
            except (Unavailable, Overloaded) as fault:
                self.fault = fault.bare()
                await asyncio.sleep(back_off_s(attempts, fault.retry_ms))
                attempts += 1

    def _take(self, batch: pb.WatchResponse) -> None:
        before = self._request.cursor
        self._request.cursor, self._request.from_oldest = batch.cursor, False
        if batch.events:
            self._ready += [WatchedEvent(event, before) for event in batch.events[:-1]]
            self._ready.append(WatchedEvent(batch.events[-1], batch.cursor))
        else:
            self.cursor = batch.cursor

    async def _read(self) -> pb.WatchResponse:
        """Read a batch of the stream, or of a new one. Raises its fault; no stream is left then, nor when cancelled."""
        try:
            if self._stream is None:
                self.streams += 1
                self._channel = open_channel(self._address(), self._tls, role=ROLE)
                self._stream = WatchServiceStub(self._channel).Watch(self._request)
            batch = await self._stream.read()
            if isinstance(batch, pb.WatchResponse):
                return batch
        except grpc.aio.AioRpcError as error:
            await self._hang_up()
            raise from_rpc_error(error) from None
        except BaseException:
            await self._hang_up()
            raise
        await self._hang_up()
        raise Unavailable.told("STREAM_ENDED", "the feed ended the stream without a word")

    async def _hang_up(self) -> None:
        channel, self._channel, self._stream = self._channel, None, None
        if channel is not None:
            await channel.close()

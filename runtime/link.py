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
from collections.abc import Callable, Iterable
from typing import Generic

import grpc

from charging.errors import Expired, Fault, Overloaded, Unavailable
from runtime.flights import Flights, LinkSink, RequestT, ResponseT, alone
from runtime.redialling import BACKOFF_MIN_MS, RedialledStream


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
        self._parts_of = parts
        self._flights: Flights[ResponseT] = Flights(address, batches_in_flight_max)
        self._batch_id = 0
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._stream: RedialledStream[RequestT, ResponseT] = RedialledStream(
            address,
            open_stream,
            take=self._take,
            wanted=lambda request: request.batch_id in self._flights,
            broke=self._flights.lose_all,
            on_change=on_change,
        )

    @property
    def up(self) -> bool:
        """False while the link waits to redial, or is closed: batches sent now are lost at once."""
        return self._stream.up and not self._closing

    @property
    def items_in_flight(self) -> int:
        """Items sent that have no answer yet, those that wait to be written among them."""
        return self._flights.items

    @property
    def batches_in_flight(self) -> int:
        """Batches sent and not ended, at most `batches_in_flight_max`."""
        return len(self._flights)

    async def room(self) -> None:
        """Wait until one more batch may be sent. A link that is down has room: what is sent fails at once."""
        await self._flights.room.wait()

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
        self._flights.begin(batch_id, items, sink, timer)
        self._stream.write(request)

    async def close(self, grace_ms: int = 1_000) -> None:
        """Let batches in flight finish for `grace_ms`, lose the rest, end the stream. Idempotent."""
        self._closing = True
        try:
            async with asyncio.timeout(grace_ms / 1000):
                await self._flights.idle.wait()
        except TimeoutError:
            pass
        await self._stream.end()
        text = f"the link to {self.address} was closed; repeat the same request key"
        self._flights.lose_all(Unavailable("LINK_CLOSED", text, retry_ms=BACKOFF_MIN_MS))

    def _refusal(self, timeout_ms: int) -> Fault | None:
        if timeout_ms <= 0:
            return Expired("DEADLINE_EXCEEDED", "the deadline had passed before the batch was sent")
        if not self.up:
            text = f"{self.address} can't be reached at the moment; repeat the same request key"
            return Unavailable("PEER_AWAY", text, retry_ms=self._stream.redialled_in_ms())
        if self._flights.full:
            text = f"{self._flights.batches_max} batches are under way to {self.address} already"
            return Overloaded("LINK_FULL", text, retry_ms=BACKOFF_MIN_MS)
        return None

    def _take(self, response: ResponseT) -> None:
        for part in self._parts_of(response):
            self._flights.take(part.batch_id, part)

    def _expire(self, batch_id: int) -> None:
        flight = self._flights.end(batch_id)
        if flight is None:
            return
        self._stream.cut_if_silent()
        text = "the deadline passed before an answer came; repeat the same request key"
        flight.lose(Expired("DEADLINE_EXCEEDED", text))

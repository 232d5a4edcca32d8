"""`DataCenterService.Route`: long streams of batches from the platform, each item forwarded to its slot's owner."""

import asyncio
import time

import grpc
from onetier.v1 import data_center_pb2_grpc
from onetier.v1.data_center_pb2 import RouteRequest, RouteResponse

from charging.errors import Fault, Invalid, Overloaded, Unavailable, internal
from datacenter.routing.dispatch import Dispatcher, pack_replies
from datacenter.routing.following import NO_TRACES, Deliver, follow
from datacenter.routing.router import failed_body
from datacenter.settings import DataCenterSettings
from directory.directory import Directory
from runtime.principal import principal_of
from runtime.stream import ReplyStream, serve_stream, take_merged
from runtime.telemetry import Metrics, logger
from runtime.tracing import UNTRACED, Tracing

log = logger("datacenter.service")

Replies = ReplyStream[RouteResponse]
BUSY_RETRY_MS = 100
DRAIN_RETRY_MS = 50
TIMEOUT_MS_MAX = 600_000


class _Owed:
    """What is owed for one batch; all of it is given out once, whatever comes back."""

    __slots__ = ("_batch_id", "_left", "_replies", "_servicer", "_size", "_started")

    def __init__(self, servicer: "DataCenterServicer", replies: Replies, batch_id: int, items: int, size: int) -> None:
        self._servicer = servicer
        self._replies = replies
        self._batch_id = batch_id
        self._left = items
        self._size = size
        self._started = time.perf_counter()
        servicer.take_in(items, size)

    def deliver(self, packed: bytes, answered: int) -> None:
        """Hand a part back. The bytes of a batch are given out with its last item."""
        answered = min(answered, self._left)
        self._left -= answered
        self._replies.send(RouteResponse(batch_id=self._batch_id, replies=packed), answered)
        self._servicer.give_out(answered, 0 if self._left else self._size, self._started)
        if not self._left:
            self._size = 0


class DataCenterServicer(data_center_pb2_grpc.DataCenterServiceServicer):
    """Serves `Route`. Its state is what is in flight, nothing else."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        directory: Directory,
        metrics: Metrics,
        settings: DataCenterSettings,
        tracing: Tracing = UNTRACED,
    ) -> None:
        self._dispatcher = dispatcher
        self._directory = directory
        self._metrics = metrics
        self._settings = settings
        self._tracing = tracing
        self._drain = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._misses_before = 0
        self.items_in_flight = 0
        self.bytes_in_flight = 0

    async def Route(self, request_iterator: object, context: grpc.aio.ServicerContext) -> None:
        """Serve one platform instance's stream until it leaves or this server drains; what is owed is answered."""
        origin = principal_of(context).role

        def take_batch(request: RouteRequest, replies: Replies) -> int:
            return self.route_batch(request, replies, origin)

        await serve_stream(
            context,
            take_batch,
            drain=self._drain,
            items_in_flight_max=self._settings.stream_items_max,
            take=take_merged,
            metrics=self._metrics,
        )

    def route_batch(self, request: RouteRequest, replies: Replies, origin: str) -> int:
        """Send a batch of a caller of some role on its way and give how many items it owes.

        A batch that can't be one is refused at each position that it names.
        """
        positions, routes, bodies = list(request.positions), list(request.routes), list(request.bodies)
        items = len(positions)
        if not items == len(routes) == len(bodies) == len(set(positions)):
            text = "positions, routes and bodies are equally long, and no position comes twice"
            return self._refuse(request, replies, Invalid("BATCH_MALFORMED", text))
        size = sum(map(len, bodies))
        refusal = self._refusal(items, size)
        if refusal is not None:
            return self._refuse(request, replies, refusal)
        if not items:
            return 0
        owed = _Owed(self, replies, request.batch_id, items, size)
        timeout_ms = min(request.timeout_ms or self._settings.timeout_ms, TIMEOUT_MS_MAX)
        deliver: Deliver = owed.deliver
        traces = NO_TRACES
        if request.traced:
            deliver, traces = follow(self._tracing, zip(request.traced, request.traceparents, strict=False), deliver)
        try:
            self._dispatcher.submit(
                positions, routes, bodies, timeout_ms=timeout_ms, deliver=deliver, origin=origin, traces=traces
            )
        except Exception:
            log.exception("a batch could not be sent on")
            body = failed_body(internal())
            owed.deliver(pack_replies(positions, [body] * items), items)
        self._count_cache(items)
        return items

    def _refuse(self, request: RouteRequest, replies: Replies, fault: Fault) -> int:
        positions = sorted(set(request.positions))
        self._metrics.requests("route", fault.reason, max(len(positions), 1))
        if positions:
            body = pack_replies(positions, [failed_body(fault)] * len(positions))
            replies.send(RouteResponse(batch_id=request.batch_id, replies=body), len(positions))
        return len(positions)

    def stop_intake(self) -> None:
        """Read no stream any further: what is owed is still answered, then the streams end."""
        self._drain.set()

    async def idle(self) -> None:
        """Wait until nothing is in flight."""
        await self._idle.wait()

    def _refusal(self, items: int, size: int) -> Fault | None:
        if self._drain.is_set():
            return Unavailable("DRAINING", "this data center is stopping; ask another", retry_ms=DRAIN_RETRY_MS)
        limit = self._settings.items_in_flight_max
        if self.items_in_flight + items > limit:
            return Overloaded("DATACENTER_BUSY", f"{limit} items are under way already", retry_ms=BUSY_RETRY_MS)
        limit = self._settings.bytes_in_flight_max
        if self.bytes_in_flight + size > limit:
            return Overloaded("DATACENTER_BUSY", f"{limit} bytes are under way already", retry_ms=BUSY_RETRY_MS)
        return None

    def take_in(self, items: int, size: int) -> None:
        """Count a batch of `items` that begins; `size` are its bytes."""
        self.items_in_flight += items
        self.bytes_in_flight += size
        self._idle.clear()
        self._metrics.batch("route", items)

    def give_out(self, items: int, size: int, started: float) -> None:
        """Count some that were answered; `size` are bytes, `started` seconds of `time.perf_counter`."""
        self.items_in_flight -= items
        self.bytes_in_flight -= size
        if self.items_in_flight <= 0:
            self._idle.set()
        self._metrics.requests("route", "answered", items)
        self._metrics.latency("route", time.perf_counter() - started, items)

    def _count_cache(self, items: int) -> None:
        misses = self._directory.routes.misses
        missed, self._misses_before = misses - self._misses_before, misses
        self._metrics.cache("route", hits=max(items - missed, 0), misses=missed)

"""`DataCenterService.Route`: long streams of batches from the platform, each item forwarded to its slot's owner."""

import asyncio
import time

import grpc
from onetier.v1 import data_center_pb2_grpc
from onetier.v1.data_center_pb2 import RouteRequest, RouteResponse

from charging.errors import Fault, Invalid, Overloaded, Unavailable
from datacenter.dispatch import Dispatcher, pack_replies
from datacenter.router import failed_body
from directory.directory import Directory
from runtime.settings import DataCenterSettings
from runtime.stream import ReplyStream, serve_stream, take_merged
from runtime.telemetry import Metrics

Replies = ReplyStream[RouteResponse]
BUSY_RETRY_MS = 100
DRAIN_RETRY_MS = 50


class DataCenterServicer(data_center_pb2_grpc.DataCenterServiceServicer):
    """Serves `Route`. Its state is what is in flight, nothing else."""

    def __init__(
        self, dispatcher: Dispatcher, directory: Directory, metrics: Metrics, settings: DataCenterSettings
    ) -> None:
        self._dispatcher = dispatcher
        self._directory = directory
        self._metrics = metrics
        self._settings = settings
        self._drain = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._misses_before = 0
        self.items_in_flight = 0

    async def Route(self, request_iterator: object, context: grpc.aio.ServicerContext) -> None:
        """Serve one platform instance's stream."""
        await serve_stream(
            context,
            self.route_batch,
            drain=self._drain,
            items_in_flight_max=self._settings.stream_items_max,
            take=take_merged,
        )

    def route_batch(self, request: RouteRequest, replies: Replies) -> int:
        """Send a batch on its way and give how many items it owes.

        Raises `Invalid` with reason BATCH_MALFORMED when the arrays differ in length: the peer is no platform of ours.
        """
        positions, routes, bodies = list(request.positions), list(request.routes), list(request.bodies)
        items = len(positions)
        if not items == len(routes) == len(bodies):
            raise Invalid("BATCH_MALFORMED", "positions, routes and bodies are equally long")
        refusal = self._refusal(items)
        batch_id = request.batch_id
        if refusal is not None:
            body = pack_replies(positions, [failed_body(refusal)] * items)
            self._metrics.requests("route", refusal.reason, items)
            replies.send(RouteResponse(batch_id=batch_id, replies=body), items)
            return items
        self._take_in(items)
        started = time.perf_counter()

        def deliver(packed: bytes, answered: int) -> None:
            replies.send(RouteResponse(batch_id=batch_id, replies=packed), answered)
            self._give_out(answered, started)

        timeout_ms = request.timeout_ms or self._settings.timeout_ms
        self._dispatcher.submit(positions, routes, bodies, timeout_ms=timeout_ms, deliver=deliver)
        self._count_cache(items)
        return items

    def stop_intake(self) -> None:
        """Read no stream any further: what is owed is still answered, then the streams end."""
        self._drain.set()

    async def idle(self) -> None:
        """Wait until nothing is in flight."""
        await self._idle.wait()

    def _refusal(self, items: int) -> Fault | None:
        if self._drain.is_set():
            return Unavailable("DRAINING", "this data center is stopping; ask another", retry_ms=DRAIN_RETRY_MS)
        limit = self._settings.items_in_flight_max
        if self.items_in_flight + items > limit:
            return Overloaded("DATACENTER_BUSY", f"{limit} items are under way already", retry_ms=BUSY_RETRY_MS)
        return None

    def _take_in(self, items: int) -> None:
        self.items_in_flight += items
        self._idle.clear()
        self._metrics.batch("route", items)

    def _give_out(self, items: int, started: float) -> None:
        self.items_in_flight -= items
        if self.items_in_flight <= 0:
            self._idle.set()
        self._metrics.requests("route", "answered", items)
        self._metrics.latency("route", time.perf_counter() - started, items)

    def _count_cache(self, items: int) -> None:
        misses = self._directory.routes.misses
        missed, self._misses_before = misses - self._misses_before, misses
        self._metrics.cache("route", hits=max(items - missed, 0), misses=missed)

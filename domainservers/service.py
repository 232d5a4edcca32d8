"""DomainServerService: long streams of batches from data centers.

A batch is taken apart by slot, each slot answers its items when it can, and answers that get ready together leave as
one part. What is not owned here is named as misrouted, undone. Nothing here costs a task or a future per item.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence

import grpc
import msgspec
from onetier.v1.data_center_pb2 import ReplyBatch
from onetier.v1.domain_server_pb2 import ServeRequest, ServeResponse
from onetier.v1.domain_server_pb2_grpc import DomainServerServiceServicer

from charging import wire
from charging.errors import Expired, Fault, Invalid
from charging.wire import Ask, Commit, FetchReference
from directory.directory import Directory
from domainservers.host import Host
from domainservers.item import pack_fault
from runtime.stream import ReplyStream, serve_stream
from runtime.telemetry import Metrics


class Batch:
    """The replies of one batch: a `domainservers.groups.Sink`."""

    __slots__ = (
        "_batch_id",
        "_bodies",
        "_loop",
        "_metrics",
        "_open",
        "_places",
        "_replies",
        "_started",
        "_timer",
        "deadline",
    )

    def __init__(
        self,
        batch_id: int,
        places: Iterable[int],
        timeout_s: float,
        replies: ReplyStream[ServeResponse],
        metrics: Metrics,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self.deadline = self._started + timeout_s
        self._batch_id = batch_id
        self._open = dict.fromkeys(places)
        self._replies = replies
        self._metrics = metrics
        self._places: list[int] = []
        self._bodies: list[bytes] = []
        self._timer = self._loop.call_at(self.deadline, self._expire)

    def answer(self, position: int, body: bytes) -> None:
        """Answer one item; the part leaves when this turn of the event loop is over."""
        if position not in self._open:
            return
        del self._open[position]
        if not self._places:
            self._loop.call_soon(self._flush)
        self._places.append(position)
        self._bodies.append(body)

    def _flush(self) -> None:
        if not self._places:
            return
        replies = ReplyBatch(positions=self._places, bodies=self._bodies).SerializeToString()
        answered = len(self._places)
        self._places, self._bodies = [], []
        if not self._open:
            self._timer.cancel()
        self._metrics.latency("serve", self._loop.time() - self._started, answered)
        self._replies.send(ServeResponse(batch_id=self._batch_id, replies=replies, answered=answered), answered)

    def misroute(self, places: Sequence[int]) -> None:
        """Name items that belong to another owner; nothing was done for them."""
        for place in places:
            self._open.pop(place, None)
        if not self._open:
            self._timer.cancel()
        self._replies.send(ServeResponse(batch_id=self._batch_id, misrouted=places), len(places))

    def _expire(self) -> None:
        body = pack_fault(
            Expired("DEADLINE_EXCEEDED", "the deadline passed before the journal answered; repeat the same request key")
        )
        for place in list(self._open):
            self.answer(place, body)


class DomainServerServicer(DomainServerServiceServicer):
    """Takes batches and hands them to the slots of the host."""

    def __init__(
        self,
        host: Host,
        reference: Callable[[str], wire.Reference],
        metrics: Metrics,
        *,
        timeout_ms: int,
        stream_items_max: int,
    ) -> None:
        """`timeout_ms` is for batches that name none."""
        self.drain = asyncio.Event()
        self._host = host
        self._reference = reference
        self._metrics = metrics
        self._timeout_ms = timeout_ms
        self._stream_items_max = stream_items_max

    async def Serve(self, request_iterator: object, context: grpc.aio.ServicerContext) -> None:
        """Serve one data center until it leaves or this server drains."""
        await serve_stream(context, self.take, drain=self.drain, items_in_flight_max=self._stream_items_max)

    def take(self, request: ServeRequest, replies: ReplyStream[ServeResponse]) -> int:
        """Start the work of a batch; gives how many items will be answered."""
        places = list(request.positions)
        timeout_s = (request.timeout_ms or self._timeout_ms) / 1000
        batch = Batch(request.batch_id, places, timeout_s, replies, self._metrics)
        self._metrics.batch("serve", len(places))
        by_slot: dict[str, list[tuple[int, Ask]]] = {}
        misrouted: list[int] = []
        owned = self._host.owned
        for place, slot, body in zip(places, request.slots, request.bodies, strict=True):
            try:
                ask = wire.unpack_ask(body)
            except msgspec.DecodeError as error:
                batch.answer(place, pack_fault(Invalid("BODY_MALFORMED", f"the body can't be read: {error}")))
                continue
            if type(ask) is FetchReference:
                batch.answer(place, self._refer(ask.domain or slot.rpartition("/")[0]))
            elif slot in owned:
                by_slot.setdefault(slot, []).append((place, ask))
            else:
                misrouted.append(place)
        for slot, asks in by_slot.items():
            owned[slot].slot.submit(batch, asks)
            commits = sum(type(ask) is Commit for _, ask in asks)
            self._metrics.requests("commit", "taken", commits)
            self._metrics.requests("read", "taken", len(asks) - commits)
        if misrouted:
            self._metrics.event("misrouted", len(misrouted))
            batch.misroute(misrouted)
        return len(places)

    def _refer(self, domain: str) -> bytes:
        try:
            return wire.pack(self._reference(domain))
        except Fault as fault:
            return pack_fault(fault)


def reference_of(directory: Directory) -> Callable[[str], wire.Reference]:
    """The directory's reference data, as the servicer asks for it."""
    return directory.reference

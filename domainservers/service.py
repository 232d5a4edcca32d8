"""DomainServerService: long streams of batches from data centers.

A batch is taken apart by slot, each slot answers its items when it can, and answers that get ready together leave as
one part. What is not owned here is named as misrouted, undone. Nothing here costs a task or a future per item.
"""

import asyncio
from collections.abc import Callable

import grpc
from onetier.v1.domain_server_pb2 import ServeRequest, ServeResponse
from onetier.v1.domain_server_pb2_grpc import DomainServerServiceServicer

from charging import wire
from charging.errors import Denied, Fault, Invalid, internal
from charging.wire import Ask, CloseAccounts, Commit, FetchReference
from domainservers.batch import ServedBatch
from domainservers.desk.answers import pack_fault
from domainservers.desk.following import FollowedSink
from domainservers.desk.gate import check_read
from domainservers.journal.groups import ReplySink
from domainservers.ownership.host import Host
from domainservers.slot.slot import Slot
from runtime.stream import ReplyStream, serve_stream, take_merged
from runtime.telemetry import Metrics, logger
from runtime.tracing import UNTRACED, Tracing, is_sampled

log = logger("domainservers.service")
TIMEOUT_MS_MAX = 600_000
DOMAINS_TOLD_MAX = 64
"""Of one batch, whose revisions its answers carry."""


def domain_of(slot: str) -> str:
    """Give the domain of a slot that is written `GD/3`."""
    return slot.rpartition("/")[0]


NO_TRACES: dict[int, str] = {}
TRACED_MAX = 16
"""Of one batch; where more are claimed, none is followed."""
NOBODY = "nobody"
"""Origin of a batch that names none: it may do nothing."""


class DomainServerServicer(DomainServerServiceServicer):
    """Takes batches and hands them to the slots of the host."""

    def __init__(
        self,
        host: Host,
        reference: Callable[[str], wire.Reference],
        revision_of: Callable[[str], int],
        metrics: Metrics,
        *,
        timeout_ms: int,
        stream_items_max: int,
        tracing: Tracing = UNTRACED,
    ) -> None:
        """`timeout_ms` is for batches that name none."""
        self.drain = asyncio.Event()
        self._host = host
        self._reference = reference
        self._revision_of = revision_of
        self._metrics = metrics
        self._timeout_ms = timeout_ms
        self._stream_items_max = stream_items_max
        self._tracing = tracing
        self._loop = asyncio.get_running_loop()

    async def Serve(self, request_iterator: object, context: grpc.aio.ServicerContext) -> None:
        """Serve one data center until it leaves or this server drains."""
        await serve_stream(
            context,
            self.take,
            drain=self.drain,
            items_in_flight_max=self._stream_items_max,
            take=take_merged,
            metrics=self._metrics,
        )

    def take(self, request: ServeRequest, replies: ReplyStream[ServeResponse]) -> int:
        """Start the work of a batch; gives how many items will be answered."""
        places = list(request.positions)
        timeout_s = min(request.timeout_ms or self._timeout_ms, TIMEOUT_MS_MAX) / 1000
        domains = sorted({domain_of(slot) for slot in set(request.slots)})[:DOMAINS_TOLD_MAX]
        batch = ServedBatch(request.batch_id, places, timeout_s, replies, self._metrics, domains, self._revision_of)
        self._metrics.batch("serve", len(places))
        if not len(places) == len(request.slots) == len(request.bodies) == batch.items:
            return self._refuse(batch, places)
        by_slot: dict[str, list[tuple[int, Ask]]] = {}
        misrouted: list[int] = []
        owned = self._host.owned
        origin = request.origin or NOBODY
        for place, slot, body in zip(places, request.slots, request.bodies, strict=True):
            try:
                ask = wire.read_ask(body)
                if type(ask) is FetchReference:
                    check_read(ask, origin)
            except (Invalid, Denied) as fault:
                self._metrics.requests("read", fault.reason)
                batch.answer(place, pack_fault(fault))
                continue
            if type(ask) is FetchReference:
                batch.answer(place, self._refer(ask.domain or domain_of(slot), ask.known))
            elif slot in owned:
                by_slot.setdefault(slot, []).append((place, ask))
            else:
                misrouted.append(place)
        traced = self._traced(request) if request.traced else NO_TRACES
        for slot, asks in by_slot.items():
            if traced:
                self._submit_followed(owned[slot].slot, batch, asks, origin, traced)
            else:
                self._submit(owned[slot].slot, batch, asks, origin)
            closings = [len(ask.closes) for _, ask in asks if type(ask) is CloseAccounts]
            commits = sum(type(ask) is Commit for _, ask in asks)
            self._metrics.requests("commit", "taken", commits + sum(closings))
            self._metrics.requests("read", "taken", len(asks) - commits - len(closings))
        if misrouted:
            self._metrics.event("misrouted", len(misrouted))
            batch.misroute(misrouted)
        return batch.items

    def _traced(self, request: ServeRequest) -> dict[int, str]:
        if not self._tracing.on:
            return NO_TRACES
        contexts = zip(request.traced, request.traceparents, strict=False)
        found = {position: context for position, context in contexts if is_sampled(context)}
        return found if len(found) <= TRACED_MAX else NO_TRACES

    def _submit_followed(
        self, slot: Slot, batch: ServedBatch, asks: list[tuple[int, Ask]], origin: str, traced: dict[int, str]
    ) -> None:
        """Submit asks in their order, each that is traced alone and with a way back that is watched."""
        plain: list[tuple[int, Ask]] = []
        for place, ask in asks:
            if place not in traced:
                plain.append((place, ask))
                continue
            if plain:
                self._submit(slot, batch, plain, origin)
                plain = []
            span = self._tracing.begin("serve", traced[place])
            followed = FollowedSink(batch, slot.name, slot.parts.groups, span, self._loop.time)
            self._submit(slot, followed, [(place, ask)], origin)
            followed.submitted()
        if plain:
            self._submit(slot, batch, plain, origin)

    def _submit(self, slot: Slot, batch: ReplySink, asks: list[tuple[int, Ask]], origin: str) -> None:
        try:
            slot.submit(batch, asks, origin)
        except Exception:
            log.exception("a batch could not be submitted", slot=slot.name)
            body = pack_fault(internal())
            for place, _ in asks:
                batch.answer(place, body)

    def _refuse(self, batch: ServedBatch, places: list[int]) -> int:
        text = "positions, slots and bodies are equally long, and no position comes twice"
        self._metrics.requests("read", "BATCH_MALFORMED")
        body = pack_fault(Invalid("BATCH_MALFORMED", text))
        items = batch.items
        for place in set(places):
            batch.answer(place, body)
        return items

    def _refer(self, domain: str, known: int) -> bytes:
        if known >= 0 and known == self._revision_of(domain):
            return wire.pack(wire.Unchanged(known))
        try:
            return wire.pack(self._reference(domain))
        except Fault as fault:
            return pack_fault(fault)

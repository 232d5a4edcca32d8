"""One long stream of batches to each domain server, and the queue before it.

A queue belongs to one domain server, so one that is stuck holds up nobody else; it is bounded, and what waits in it
fails at its own deadline.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

import grpc
from onetier.v1.domain_server_pb2 import ServeRequest, ServeResponse
from onetier.v1.domain_server_pb2_grpc import DomainServerServiceStub

from charging.errors import Expired, Fault, Overloaded
from datacenter.routing.following import Traces
from datacenter.routing.router import Load
from runtime.channel import open_channel
from runtime.flights import parts_of
from runtime.link import BatchLink
from runtime.tls import Tls

BUSY_RETRY_MS = 100


class OwnerBatch(Protocol):
    """The part of a batch that goes to one owner; also the sink of its replies."""

    load: Load
    deadline: float
    """Of the event loop's clock, seconds."""
    origin: str
    """Role of whoever asked."""
    traces: Traces
    """Of items that are traced, by position."""

    def part(self, response: ServeResponse, /) -> int:
        """Take some answers."""
        ...

    def lost(self, fault: Fault, /) -> None:
        """What has no answer yet gets none."""
        ...


class OwnerLink:
    """The way to one domain server."""

    def __init__(
        self,
        address: str,
        channel: grpc.aio.Channel,
        *,
        batches_in_flight_max: int,
        items_max: int,
        on_change: Callable[[bool], None] | None = None,
    ) -> None:
        self.address = address
        self._channel = channel
        self._items_max = items_max
        self._batches_max = batches_in_flight_max
        self._link: BatchLink[ServeRequest, ServeResponse] = BatchLink(
            address,
            DomainServerServiceStub(channel).Serve,
            batches_in_flight_max=batches_in_flight_max,
            on_change=on_change,
            parts=parts_of,
        )
        self._queue: deque[OwnerBatch] = deque()
        self.items_waiting = 0
        self._loop = asyncio.get_running_loop()
        self._pump: asyncio.Task[None] | None = None

    @property
    def items(self) -> int:
        """Items waiting and under way."""
        return self.items_waiting + self._link.items_in_flight

    @property
    def up(self) -> bool:
        """False while the domain server can't be reached."""
        return self._link.up

    def send(self, batch: OwnerBatch) -> None:
        """Send a batch, or queue it while enough are under way. Never raises: the batch hears what comes of it."""
        items = len(batch.load.positions)
        if self.items + items > self._items_max and self.items:
            text = f"{self.items} items wait for {self.address} already; repeat the same request key"
            self._loop.call_soon(batch.lost, Overloaded("OWNER_BUSY", text, retry_ms=BUSY_RETRY_MS))
        elif not self._queue and self._link.batches_in_flight < self._batches_max:
            self._send(batch)
        else:
            self._queue.append(batch)
            self.items_waiting += items
            if self._pump is None or self._pump.done():
                self._pump = self._loop.create_task(self._drain())

    def _send(self, batch: OwnerBatch) -> None:
        left_ms = int((batch.deadline - self._loop.time()) * 1_000)
        load = batch.load
        request = ServeRequest(
            timeout_ms=max(left_ms, 0),
            positions=load.positions,
            slots=load.slots,
            bodies=load.bodies,
            origin=batch.origin,
        )
        if batch.traces:
            here = [position for position in batch.traces if position in load.positions]
            request.traced.extend(here)
            request.traceparents.extend(batch.traces[position] for position in here)
        self._link.send(request, items=len(load.positions), sink=batch, timeout_ms=left_ms)

    async def _drain(self) -> None:
        # A batch stays in the queue while it waits for room, where `_drop_expired` may take it out; so it is looked at
        # again before it is sent.
        while self._queue:
            first = self._queue[0]
            try:
                async with asyncio.timeout_at(first.deadline):
                    await self._link.room()
            except TimeoutError:
                self._drop_expired()
                continue
            if self._queue and self._queue[0] is first:
                self._queue.popleft()
                self.items_waiting -= len(first.load.positions)
                self._send(first)

    def _drop_expired(self) -> None:
        now = self._loop.time()
        # Once around: those that are kept come back in their order.
        for _ in range(len(self._queue)):
            batch = self._queue.popleft()
            if batch.deadline > now:
                self._queue.append(batch)
                continue
            self.items_waiting -= len(batch.load.positions)
            batch.lost(
                Expired(
                    "DEADLINE_EXCEEDED", "the deadline passed before the owner had room; repeat the same request key"
                )
            )

    async def close(self, grace_ms: int) -> None:
        """Let what is under way finish for `grace_ms`, lose the rest."""
        await self._link.close(grace_ms)
        # A link that is closed has room and loses what it is sent, so the queue empties by itself.
        if self._pump is not None:
            await asyncio.gather(self._pump, return_exceptions=True)
        await asyncio.sleep(0)
        await self._channel.close()


class Links:
    """All ways to domain servers, opened when first needed."""

    def __init__(self, tls: Tls | None, *, batches_in_flight_max: int, items_max: int, message_bytes_max: int) -> None:
        self._tls = tls
        self._batches_max = batches_in_flight_max
        self._items_max = items_max
        self._message_bytes_max = message_bytes_max
        self._links: dict[str, OwnerLink] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self.on_down: Callable[[str], None] = lambda address: None
        """Called when a domain server can't be reached any more."""

    def get(self, address: str) -> OwnerLink:
        """Give the way to an address."""
        link = self._links.get(address)
        if link is None:
            link = self._links[address] = OwnerLink(
                address,
                open_channel(address, self._tls, role="domainserver", message_bytes_max=self._message_bytes_max),
                batches_in_flight_max=self._batches_max,
                items_max=self._items_max,
                on_change=lambda up: None if up else self.on_down(address),
            )
        return link

    def keep_only(self, addresses: set[str]) -> None:
        """Let go of links that nobody needs any more: their domain server owns nothing and owes nothing."""
        for address in list(self._links):
            if address not in addresses and self._links[address].items == 0:
                task = asyncio.get_running_loop().create_task(self._links.pop(address).close(0))
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)

    @property
    def items(self) -> int:
        """Items waiting and under way, over all domain servers."""
        return sum(link.items for link in self._links.values())

    def counts(self) -> tuple[int, int]:
        """Give how many links are up, and how many there are."""
        return sum(link.up for link in self._links.values()), len(self._links)

    async def close(self, grace_ms: int) -> None:
        """Close all links."""
        links, self._links = list(self._links.values()), {}
        await asyncio.gather(*(link.close(grace_ms) for link in links), *self._closing, return_exceptions=True)

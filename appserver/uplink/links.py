"""The way to the data center: one open batch that fills, and links to all instances with one preferred.

Any data-center instance serves any request, so a batch goes to the first in this process's order of preference that
is up. The order is by rendezvous hash, so that many platform processes spread over the instances.
"""

from collections.abc import Sequence
from typing import Protocol
from zlib import crc32

import grpc
from onetier.v1.data_center_pb2 import ReplyBatch, RouteRequest, RouteResponse
from onetier.v1.data_center_pb2_grpc import DataCenterServiceStub

from appserver.work.items import Item
from charging.errors import Broken, Fault
from charging.wire import Answer, unpack_answer
from runtime.channel import open_channel
from runtime.link import BatchLink, parts_of
from runtime.telemetry import logger
from runtime.tls import Tls

log = logger("appserver.uplink")

ITEMS_MAX = 1_000
"""In one batch: bounds how long the loop is busy without looking up. What is over it waits for the next."""
PATIENCE_S = 0.3
"""How long requests wait for news of reference data that is held already; then they go on with it."""
BYTES_MAX = 4_000_000
"""Of the bodies of one batch, likewise."""


class Pull:
    """Business data asked for an identity, and who waits for it."""

    __slots__ = ("identity", "items")

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.items: list[Item] = []


class Fetch:
    """Reference data asked for a domain, and who waits for it."""

    __slots__ = ("domain", "items", "patience", "revision", "sent")

    def __init__(self, domain: str, revision: int, sent: float) -> None:
        self.domain = domain
        self.revision = revision
        """What made it: at least this one is wanted."""
        self.sent = sent
        """Loop time, seconds: what comes is as things were then, or later."""
        self.patience = sent + PATIENCE_S
        self.items: list[Item] = []


Carrier = Item | Pull | Fetch


class Taker(Protocol):
    """Who sent the batch."""

    def take(self, carrier: Carrier, answer: Answer, size: int) -> None:
        """Take one answer, of `size` bytes as it came."""
        ...

    def hear(self, domain: str, revision: int) -> None:
        """A part says at which revision the reference data of a domain is."""
        ...

    def lose(self, carrier: Carrier, fault: Fault) -> None:
        """There will be no answer to this."""
        ...

    def settled(self) -> None:
        """All answers of a part have been given."""
        ...


class Outgoing:
    """A batch on its way to the data center, first filled, then answered in parts."""

    __slots__ = ("_left", "_taker", "bodies", "carriers", "deadline", "number", "routes", "size")

    def __init__(self, number: int, taker: Taker) -> None:
        self.number = number
        self.deadline = 0.0
        """Loop time at which the last of its items expires, seconds."""
        self.size = 0
        """Bytes of the bodies."""
        self.routes: list[str] = []
        self.bodies: list[bytes] = []
        self.carriers: list[Carrier | None] = []
        self._taker = taker

    @property
    def is_full(self) -> bool:
        """Say whether the rest must wait for the next batch."""
        return len(self.carriers) >= ITEMS_MAX or self.size >= BYTES_MAX

    def add(self, route: str, body: bytes, carrier: Carrier) -> int:
        """Add an ask; gives its position."""
        self.routes.append(route)
        self.bodies.append(body)
        self.carriers.append(carrier)
        self.size += len(body)
        return len(self.carriers) - 1

    def request(self, timeout_ms: int) -> RouteRequest:
        """Make the message; its batch id is the link's to set."""
        return RouteRequest(
            timeout_ms=timeout_ms, positions=range(len(self.carriers)), routes=self.routes, bodies=self.bodies
        )

    def part(self, response: RouteResponse) -> int:
        """Hand on a part of the answers; gives how many there were."""
        replies = ReplyBatch.FromString(response.replies)
        carriers, take = self.carriers, self._taker.take
        sent, count = len(carriers), 0
        for domain, revision in zip(replies.domains, replies.revisions, strict=False):
            self._taker.hear(domain, revision)
        # What is there too much or too little of is nobody's answer: who waits for it hears at the deadline.
        for position, body in zip(replies.positions, replies.bodies, strict=False):
            carrier = carriers[position] if position < sent else None
            if carrier is None:
                continue
            carriers[position] = None
            count += 1
            try:
                answer = unpack_answer(body)
            except Exception:
                log.exception("an answer can't be read", carrier=type(carrier).__name__)
                self._taker.lose(carrier, Broken("ANSWER_MALFORMED", "the answer can't be read; it is in the log"))
            else:
                take(carrier, answer, len(body))
        self._taker.settled()
        return count

    def lost(self, fault: Fault) -> None:
        """Hand on that the rest has no answer."""
        carriers, self.carriers = self.carriers, []
        for carrier in carriers:
            if carrier is not None:
                self._taker.lose(carrier, fault)
        self._taker.settled()


class Link(Protocol):
    """What takes batches; see `runtime.link.BatchLink`."""

    def send(self, request: RouteRequest, *, items: int, sink: Outgoing, timeout_ms: int) -> None:
        """Send a batch."""
        ...


class Way(Protocol):
    """How the engine finds a link."""

    def pick(self) -> Link | None:
        """Give the link for the next batch; None while all are full."""
        ...


class Uplink:
    """Links to all data-center instances."""

    def __init__(
        self, addresses: Sequence[str], own_name: str, tls: Tls | None, batches_max: int, bytes_max: int
    ) -> None:
        order = sorted(addresses, key=lambda address: crc32(f"{own_name} {address}".encode()))
        self._batches_max = batches_max
        self._channels: list[grpc.aio.Channel] = []
        self._links: list[BatchLink[RouteRequest, RouteResponse]] = []
        for address in order:
            channel = open_channel(address, tls, role="datacenter", message_bytes_max=bytes_max)
            self._channels.append(channel)
            stub = DataCenterServiceStub(channel)
            self._links.append(BatchLink(address, stub.Route, batches_in_flight_max=batches_max, parts=parts_of))

    def pick(self) -> "BatchLink[RouteRequest, RouteResponse] | None":
        """Give the link for the next batch; None while all that are up are full.

        When none is up it gives one that fails the batch at once, so that callers hear it.
        """
        down = True
        for link in self._links:
            if link.up:
                if link.batches_in_flight < self._batches_max:
                    return link
                down = False
        return self._links[0] if down else None

    async def close(self, grace_ms: int) -> None:
        """Let batches in flight finish, then close."""
        for link in self._links:
            await link.close(grace_ms)
        for channel in self._channels:
            await channel.close()

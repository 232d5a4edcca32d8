"""Takes batches in, sorts them by owner, sends each its share, hands replies back as they come.

What a domain server does not own comes back as misrouted: nothing was done there, so it is sent again, at most twice,
after the owners were read anew. All other repeats are the client's.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence, Set

from google.protobuf.message import DecodeError
from onetier.v1.data_center_pb2 import ReplyBatch
from onetier.v1.domain_server_pb2 import ServeResponse

from charging.errors import Fault, Unavailable
from datacenter.routing.following import NO_TRACES, Deliver, Traces
from datacenter.routing.links import Links
from datacenter.routing.owners import OwnerTable
from datacenter.routing.router import Grouped, Load, Router, failed_body
from runtime.telemetry import Metrics

RESENDS_MAX = 2
RESEND_PAUSE_MS = 100
"""Before the second time: a takeover may be under way."""
MOVING_RETRY_MS = 200


class ForwardedBatch:
    """What of a batch goes to one owner: an `OwnerBatch` of `datacenter.routing.links`.

    Whatever an owner answers, as many items are answered for in all as there are. Replies are kept, unread, only until
    the last: which items are open when the owner is lost stands in them alone.
    """

    __slots__ = (
        "_left",
        "_metrics",
        "_parts",
        "_send_on",
        "_sent_on",
        "deadline",
        "deliver",
        "load",
        "origin",
        "resends",
        "traces",
    )

    def __init__(
        self,
        load: Load,
        deadline: float,
        deliver: Deliver,
        resends: int,
        origin: str,
        send_on: "SendOn",
        metrics: Metrics,
        traces: Traces = NO_TRACES,
    ) -> None:
        self.deliver = deliver
        self.load = load
        self.deadline = deadline
        """Of the event loop's clock, seconds."""
        self.resends = resends
        """How often its items were sent to somebody who doesn't own them."""
        self.origin = origin
        """Role of whoever asked, as authenticated."""
        self.traces = traces
        """Contexts of items that are traced, by position; not all of them are in this load."""
        self._left = len(load.positions)
        """Items that are not answered for, here or by being sent on."""
        self._send_on = send_on
        self._metrics = metrics
        self._parts: list[bytes] = []
        self._sent_on: set[int] = set()

    def part(self, response: ServeResponse, /) -> int:
        """Hand answers back unparsed, and take care of the misrouted; gives how many items that answers for.

        Misrouted items count as answered by this owner: they are sent on as a batch of their own. Answers for more than
        is open are not counted.
        """
        answered = min(response.answered, self._left)
        misrouted = response.misrouted
        if answered:
            self._left -= answered
            self._parts.append(response.replies)
            self.deliver(response.replies, answered)
        if not misrouted:
            return answered
        # An owner's word is not trusted: positions that were never its own, or were sent on before, are not sent
        # anywhere, and more than is open can't be.
        elsewhere = set(misrouted) & set(self.load.positions) - self._sent_on
        if len(elsewhere) > self._left:
            return answered
        self._left -= len(elsewhere)
        self._sent_on |= elsewhere
        self._send_on(self, elsewhere)
        return answered + len(elsewhere)

    def lost(self, fault: Fault, /) -> None:
        """Answer what is open with the fault; only now the replies so far are read, to know what that is."""
        closed = self._sent_on
        for part in self._parts:
            closed.update(_positions(part))
        left, self._left = self._left, 0
        self.fail([p for p in self.load.positions if p not in closed], fault, left)

    def fail(self, positions: Sequence[int], fault: Fault, items: int) -> None:
        """Answer the items at some positions with a fault; `items` are open, however many positions seem to be."""
        if items:
            self._metrics.requests("route", fault.reason, items)
            body = failed_body(fault)
            self.deliver(pack_replies(positions, [body] * len(positions)), items)

    def take(self, wanted: Set[int]) -> Load:
        """Give the items at some positions, to be sent somewhere else."""
        rows = zip(self.load.positions, self.load.slots, self.load.bodies, strict=True)
        kept = [row for row in rows if row[0] in wanted]
        return Load([row[0] for row in kept], [row[1] for row in kept], [row[2] for row in kept])

    def again(self, load: Load) -> "ForwardedBatch":
        """Make what is sent once more."""
        return ForwardedBatch(
            load, self.deadline, self.deliver, self.resends + 1, self.origin, self._send_on, self._metrics, self.traces
        )


SendOn = Callable[[ForwardedBatch, Set[int]], None]
"""Takes the misrouted items of a batch, by position."""


class Dispatcher:
    """The heart of the data center."""

    def __init__(
        self, router: Router, links: Links, owners: OwnerTable, metrics: Metrics, *, batch_items_max: int
    ) -> None:
        self._metrics = metrics
        self._router = router
        self._links = links
        self._owners = owners
        self._batch_items_max = batch_items_max
        self._loop = asyncio.get_running_loop()
        self._waiting: list[ForwardedBatch] = []
        self._mover: asyncio.Task[None] | None = None
        self._refresher: asyncio.Task[None] | None = None

    def submit(
        self,
        positions: Sequence[int],
        routes: Sequence[str],
        bodies: Sequence[bytes],
        *,
        timeout_ms: int,
        deliver: Deliver,
        origin: str,
        traces: Traces = NO_TRACES,
    ) -> None:
        """Send a batch on its way for a caller of a role.

        `deliver` is called, later or at once, until every position is answered once.
        """
        deadline = self._loop.time() + timeout_ms / 1_000
        grouped = self._router.route(positions, routes, bodies)
        self._send(grouped, deadline, deliver, 0, origin, traces)

    def _send_on(self, batch: ForwardedBatch, positions: Set[int]) -> None:
        """Send misrouted items to whoever owns them now."""
        self._metrics.event("misrouted", len(positions))
        if batch.resends >= RESENDS_MAX:
            batch.fail(list(positions), _moving(), len(positions))
            return
        self._waiting.append(batch.again(batch.take(positions)))
        if self._mover is None or self._mover.done():
            self._mover = self._loop.create_task(self._move())

    def look_again(self) -> None:
        """Read the owners soon: somebody who should own a slot can't be reached, or nobody owns it."""
        if self._refresher is None or self._refresher.done():
            self._refresher = self._loop.create_task(self._owners.refresh())

    async def close(self) -> None:
        """Answer what waits to be sent again, and stop."""
        tasks = [task for task in (self._mover, self._refresher) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for batch in self._waiting:
            batch.lost(_moving())
        self._waiting.clear()

    async def _move(self) -> None:
        """Send again what was misrouted: at once the first time, since only our table was old, later after a pause."""
        while self._waiting:
            if any(batch.resends > 1 for batch in self._waiting):
                await asyncio.sleep(RESEND_PAUSE_MS / 1_000)
            await self._owners.refresh()
            batches, self._waiting = self._waiting, []
            # The slots of one load may have come to several owners, so it is sorted again.
            for batch in batches:
                load = batch.load
                grouped = self._router.group(load.positions, load.slots, load.bodies)
                self._send(grouped, batch.deadline, batch.deliver, batch.resends, batch.origin, batch.traces)

    def _send(
        self, grouped: Grouped, deadline: float, deliver: Deliver, resends: int, origin: str, traces: Traces
    ) -> None:
        if grouped.positions_failed:
            self._metrics.requests("route", "unowned", grouped.unowned)
            self._metrics.requests("route", "unrouted", len(grouped.positions_failed) - grouped.unowned)
            deliver(pack_replies(grouped.positions_failed, grouped.bodies_failed), len(grouped.positions_failed))
            if grouped.unowned:
                self.look_again()
        for address, load in grouped.loads.items():
            self._metrics.batch("serve", len(load.positions))
            link = self._links.get(address)
            for piece in pieces(load, self._batch_items_max):
                link.send(
                    ForwardedBatch(piece, deadline, deliver, resends, origin, self._send_on, self._metrics, traces)
                )


def pieces(load: Load, items_max: int) -> Iterable[Load]:
    """Cut a load into batches that a domain server takes."""
    if len(load.positions) <= items_max:
        return (load,)
    return (
        Load(load.positions[at : at + items_max], load.slots[at : at + items_max], load.bodies[at : at + items_max])
        for at in range(0, len(load.positions), items_max)
    )


def pack_replies(positions: Sequence[int], bodies: Sequence[bytes]) -> bytes:
    """Serialize replies that the data center itself makes."""
    packed: bytes = ReplyBatch(positions=positions, bodies=bodies).SerializeToString()
    return packed


def _positions(part: bytes) -> Sequence[int]:
    try:
        return ReplyBatch.FromString(part).positions
    except DecodeError:
        return ()


def _moving() -> Unavailable:
    return Unavailable(
        "SLOT_MOVING",
        "the slot is changing its owner; repeat the same request key",
        retry_ms=MOVING_RETRY_MS,
    )

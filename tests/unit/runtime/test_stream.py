"""Both ends of a long stream of batches: parts, bounds, breaks, silence, back-pressure."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

import grpc
import pytest
from onetier.v1.data_center_pb2 import ReplyBatch, RouteRequest, RouteResponse
from onetier.v1.data_center_pb2_grpc import DataCenterServiceStub

from charging.errors import Expired, Fault, Overloaded, Unavailable
from runtime import redialling, stream
from runtime.channel import open_channel
from runtime.flights import parts_of
from runtime.link import BatchLink
from runtime.server import RunningTier
from runtime.status import from_rpc_error
from runtime.stream import ReplyStream, take_merged

pytestmark = pytest.mark.timeout(30)

Link = BatchLink[RouteRequest, RouteResponse]
OpenLink = Callable[..., Awaitable[Link]]


class Echo(Protocol):
    hold: bool
    held: list[tuple[RouteRequest, ReplyStream[RouteResponse]]]
    timeouts_ms: list[int]
    items_in_flight_max: int
    drain: asyncio.Event


StartEcho = Callable[..., Awaitable[tuple[RunningTier, Echo]]]


class Batch:
    """A sink that remembers."""

    def __init__(self, items: int = 4) -> None:
        self.items = items
        self.request = RouteRequest(
            timeout_ms=5_000, positions=range(items), routes=["x"] * items, bodies=[b"%d" % n for n in range(items)]
        )
        self.answered: dict[int, bytes] = {}
        self.parts = 0
        self.ended: asyncio.Future[Fault | None] = asyncio.get_running_loop().create_future()

    def part(self, response: RouteResponse) -> int:
        assert not self.ended.done()
        replies = ReplyBatch.FromString(response.replies)
        self.answered.update(zip(replies.positions, replies.bodies, strict=True))
        self.parts += 1
        if len(self.answered) == self.items:
            self.ended.set_result(None)
        return len(replies.positions)

    def lost(self, fault: Fault) -> None:
        assert not self.ended.done()
        self.ended.set_result(fault)


async def outcome(batch: Batch) -> Fault | None:
    async with asyncio.timeout(10):
        return await batch.ended


async def held(tier: Echo, count: int = 1) -> None:
    """Wait until the tier holds so many batches."""
    async with asyncio.timeout(10):
        while len(tier.held) < count:  # noqa: ASYNC110 - the tier tells nobody
            await asyncio.sleep(0.01)


async def take_all(call: grpc.aio.StreamStreamCall, responses_max: int) -> None:
    async with asyncio.timeout(10):
        for _ in range(responses_max):
            await call.read()


async def stands(link: Link, up: bool) -> None:
    """Wait until the link is up or down."""
    async with asyncio.timeout(10):
        while link.up is not up:  # noqa: ASYNC110 - not every test listens to changes
            await asyncio.sleep(0.01)


@pytest.fixture
async def open_link() -> AsyncIterator[OpenLink]:
    """Give a maker of links; all are closed at the end."""
    opened: list[tuple[Link, grpc.aio.Channel]] = []

    async def make(address: str, **arguments: object) -> Link:
        channel = open_channel(address)
        build: Callable[..., Link] = BatchLink
        link = build(address, DataCenterServiceStub(channel).Route, **arguments)
        opened.append((link, channel))
        return link

    yield make
    for link, channel in opened:
        await link.close(0)
        await channel.close()


async def test_a_batch_is_answered_in_parts(start_echo: StartEcho, open_link: OpenLink) -> None:
    running, tier = await start_echo()
    link = await open_link(running.address)
    batches = [Batch(5) for _ in range(3)]
    for batch in batches:
        await link.room()
        batch.request.timeout_ms = 1_500
        link.send(batch.request, items=5, sink=batch, timeout_ms=1_500)
    assert [await outcome(batch) for batch in batches] == [None] * 3
    assert batches[0].answered == {n: b"%d" % n for n in range(5)}
    assert batches[0].parts == 2
    assert tier.timeouts_ms == [1_500] * 3
    assert (link.batches_in_flight, link.items_in_flight) == (0, 0)


async def test_batches_under_way_are_bounded(start_echo: StartEcho, open_link: OpenLink) -> None:
    running, tier = await start_echo()
    tier.hold = True
    link = await open_link(running.address, batches_in_flight_max=2)
    first, second, third = Batch(), Batch(), Batch()
    for batch in (first, second, third):
        link.send(batch.request, items=4, sink=batch, timeout_ms=5_000)
    refused = await outcome(third)
    assert isinstance(refused, Overloaded)
    assert refused.retry_ms > 0
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await link.room()
    await held(tier, 2)
    request, replies = tier.held[0]
    replies.send(
        RouteResponse(
            batch_id=request.batch_id,
            replies=ReplyBatch(positions=range(4), bodies=[b""] * 4).SerializeToString(),
        ),
        4,
    )
    async with asyncio.timeout(5):
        await link.room()
    assert await outcome(first) is None
    assert link.batches_in_flight == 1


async def test_a_broken_stream_loses_what_is_open_and_is_redialled(start_echo: StartEcho, open_link: OpenLink) -> None:
    running, tier = await start_echo()
    changes: list[bool] = []
    link = await open_link(running.address, on_change=changes.append)
    tier.hold = True
    batch = Batch()
    link.send(batch.request, items=4, sink=batch, timeout_ms=5_000)
    await held(tier)
    link._stream._call.cancel()  # type: ignore[union-attr]
    fault = await outcome(batch)
    assert isinstance(fault, Unavailable)
    assert fault.reason == "STREAM_BROKEN"
    assert fault.retry_ms > 0
    assert link.items_in_flight == 0
    tier.hold = False
    await stands(link, True)
    again = Batch()
    link.send(again.request, items=4, sink=again, timeout_ms=5_000)
    assert await outcome(again) is None
    assert changes == [False, True]


async def test_a_link_that_is_down_fails_at_once_and_comes_back(start_echo: StartEcho, open_link: OpenLink) -> None:
    running, _tier = await start_echo()
    link = await open_link(running.address)
    await running.stop()
    await stands(link, False)
    batch = Batch()
    began = time.monotonic()
    await link.room()
    link.send(batch.request, items=4, sink=batch, timeout_ms=5_000)
    fault = await outcome(batch)
    assert isinstance(fault, Unavailable)
    assert fault.retry_ms > 0
    assert time.monotonic() - began < 1
    await start_echo(listen=running.address)
    async with asyncio.timeout(10):
        while True:
            batch = Batch()
            link.send(batch.request, items=4, sink=batch, timeout_ms=1_000)
            if await outcome(batch) is None:
                break
            await asyncio.sleep(0.05)


async def test_what_has_no_answer_in_time_expires_and_late_answers_are_dropped(
    start_echo: StartEcho, open_link: OpenLink
) -> None:
    running, tier = await start_echo()
    tier.hold = True
    link = await open_link(running.address)
    batch, late = Batch(), Batch()
    link.send(batch.request, items=4, sink=batch, timeout_ms=100)
    assert isinstance(await outcome(batch), Expired)
    link.send(late.request, items=4, sink=late, timeout_ms=0)
    assert isinstance(await outcome(late), Expired)
    (request, replies) = tier.held[0]
    replies.send(RouteResponse(batch_id=request.batch_id, replies=b""), 4)
    tier.hold = False
    fine = Batch()
    link.send(fine.request, items=4, sink=fine, timeout_ms=5_000)
    assert await outcome(fine) is None
    assert batch.parts == 0


async def test_a_silent_peer_is_redialled(
    start_echo: StartEcho, open_link: OpenLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redialling, "SILENCE_MS_MAX", 50)
    running, tier = await start_echo()
    tier.hold = True
    changes: list[bool] = []
    link = await open_link(running.address, on_change=changes.append)
    stuck, beside = Batch(), Batch()
    link.send(stuck.request, items=4, sink=stuck, timeout_ms=150)
    link.send(beside.request, items=4, sink=beside, timeout_ms=5_000)
    assert isinstance(await outcome(stuck), Expired)
    fault = await outcome(beside)
    assert isinstance(fault, Unavailable)
    assert "silent" in fault.message
    assert changes[0] is False


class Swallowing:
    """A call as gRPC's is when its dialling fails in the moment it is cancelled: that cancellation is forgotten."""

    def __init__(self) -> None:
        self.reading = asyncio.Event()
        self._swallowed = False

    async def read(self) -> object:
        self.reading.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if self._swallowed:
                raise
            self._swallowed = True
            nothing = grpc.aio.Metadata()
            raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, nothing, nothing, "refused") from None
        return grpc.aio.EOF

    def cancel(self) -> bool:
        return False

    def cancelled(self) -> bool:
        return False


async def test_a_link_is_closed_also_when_its_cancellation_is_swallowed() -> None:
    call = Swallowing()
    build: Callable[..., Link] = BatchLink
    link = build("nowhere", lambda: call)
    await call.reading.wait()
    await asyncio.wait_for(link.close(0), 5)
    assert not link.up


async def test_closing_lets_batches_finish_within_the_grace(start_echo: StartEcho, open_link: OpenLink) -> None:
    running, tier = await start_echo()
    link = await open_link(running.address)
    fine = Batch()
    link.send(fine.request, items=4, sink=fine, timeout_ms=5_000)
    await link.close(2_000)
    assert await outcome(fine) is None
    after = Batch()
    link.send(after.request, items=4, sink=after, timeout_ms=5_000)
    assert isinstance(await outcome(after), Unavailable)
    tier.hold = True
    other = await open_link(running.address)
    cut = Batch()
    other.send(cut.request, items=4, sink=cut, timeout_ms=5_000)
    await other.close(50)
    assert isinstance(await outcome(cut), Unavailable)


async def test_a_peer_that_floods_is_not_read_and_others_are_served(start_echo: StartEcho, open_link: OpenLink) -> None:
    running, tier = await start_echo()
    tier.items_in_flight_max = 10
    tier.hold = True
    flood = await open_link(running.address, batches_in_flight_max=50)
    flooding = [Batch(4) for _ in range(50)]
    for batch in flooding:
        flood.send(batch.request, items=4, sink=batch, timeout_ms=20_000)
    await held(tier, 3)
    await asyncio.sleep(0.2)
    assert len(tier.held) == 3
    tier.hold = False
    calm = await open_link(running.address)
    batch = Batch()
    calm.send(batch.request, items=4, sink=batch, timeout_ms=5_000)
    assert await outcome(batch) is None
    assert flooding[0].parts == 0
    for request, replies in tier.held:
        body = ReplyBatch(positions=request.positions, bodies=request.bodies).SerializeToString()
        replies.send(RouteResponse(batch_id=request.batch_id, replies=body), len(request.positions))
    assert [await outcome(batch) for batch in flooding] == [None] * 50


async def test_a_peer_that_takes_nothing_is_cut_off_and_others_are_served(
    start_echo: StartEcho, open_link: OpenLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "WRITE_STALL_MS_MAX", 300)
    running, _tier = await start_echo()
    async with open_channel(running.address) as channel:
        stuck = DataCenterServiceStub(channel).Route()
        body = b"x" * 4_000_000
        for number in range(4):
            await stuck.write(RouteRequest(batch_id=number, positions=[0], routes=["x"], bodies=[body]))
        calm = await open_link(running.address)
        batch = Batch()
        calm.send(batch.request, items=4, sink=batch, timeout_ms=5_000)
        assert await outcome(batch) is None
        await asyncio.sleep(0.5)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await take_all(stuck, responses_max=8)
        fault = from_rpc_error(caught.value)
        assert isinstance(fault, Overloaded)
        assert fault.reason == "PEER_STALLED"


async def test_a_drain_ends_streams_after_what_is_owed(start_echo: StartEcho, open_link: OpenLink) -> None:
    running, tier = await start_echo()
    tier.hold = True
    link = await open_link(running.address)
    batch = Batch()
    link.send(batch.request, items=4, sink=batch, timeout_ms=5_000)
    await held(tier)
    await running.stop()
    assert await outcome(batch) is None


def test_parts_that_wait_travel_together_within_bounds() -> None:
    outbox = deque((RouteResponse(batch_id=number, replies=bytes(number)), number) for number in range(100))
    taken, items = take_merged(outbox)
    assert [part.batch_id for part in parts_of(taken)] == list(range(65))
    assert items == sum(range(65))
    taken, items = take_merged(outbox)
    assert [len(part.replies) for part in parts_of(taken)] == list(range(65, 100))
    assert not outbox
    outbox.extend(
        (RouteResponse(batch_id=number, replies=bytes(size)), 1) for number, size in enumerate((400_000,) * 3)
    )
    outbox.append((RouteResponse(batch_id=9, replies=bytes(3_000_000)), 1))
    sizes = []
    while outbox:
        sizes.append([part.batch_id for part in parts_of(take_merged(outbox)[0])])
    assert sizes == [[0, 1], [2], [9]]

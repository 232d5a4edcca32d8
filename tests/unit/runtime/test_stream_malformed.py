"""What is wrong on a stream that many share harms its own batch alone; at both ends."""

import asyncio

import grpc
import pytest
from onetier.v1.data_center_pb2 import ReplyBatch, RouteRequest, RouteResponse

from charging.errors import Broken, Expired
from runtime.channel import open_channel
from tests.unit.runtime.conftest import echo
from tests.unit.runtime.test_stream import Batch, OpenLink, StartEcho, held, open_link, outcome

pytestmark = pytest.mark.timeout(30)
__all__ = ["open_link"]


async def test_a_batch_whose_handling_fails_harms_no_other_on_the_stream(
    start_echo: StartEcho, open_link: OpenLink
) -> None:
    running, tier = await start_echo()
    changes: list[bool] = []
    link = await open_link(running.address, on_change=changes.append)
    tier.hold = True
    neighbour, poison = Batch(), Batch()
    link.send(neighbour.request, items=4, sink=neighbour, timeout_ms=5_000)
    await held(tier)
    poison.request.routes[0] = "explode"
    link.send(poison.request, items=4, sink=poison, timeout_ms=200)
    assert isinstance(await outcome(poison), Expired)
    echo(*tier.held[0])
    assert await outcome(neighbour) is None
    assert (changes, running.booth.metrics.counted("events", "batch_failed")) == ([], 1)


async def test_a_message_that_cannot_be_read_is_counted_and_passed_over(start_echo: StartEcho) -> None:
    running, _tier = await start_echo()
    async with open_channel(running.address) as channel:
        call = channel.stream_stream("/onetier.v1.DataCenterService/Route")()
        whole = RouteRequest(batch_id=7, positions=[0], routes=["x"], bodies=[b""]).SerializeToString()
        for message in (b"\xff", whole[:-3], b"\x22\x02\xff\xfe", whole):
            await call.write(message)
        answered = RouteResponse.FromString(await asyncio.wait_for(call.read(), 5))
        assert answered.batch_id == 7
        call.cancel()
    assert running.booth.metrics.counted("events", "unreadable") == 3


async def test_a_response_that_cannot_be_read_leaves_the_link_up(open_link: OpenLink) -> None:
    server = grpc.aio.server()

    async def serve(_requests: object, context: grpc.aio.ServicerContext) -> None:
        for response in (b"\xff", b"\x12\x05ab"):
            await context.write(response)
        request = RouteRequest.FromString(await context.read())
        part = ReplyBatch(positions=range(4), bodies=[b""] * 4).SerializeToString()
        await context.write(RouteResponse(batch_id=request.batch_id, replies=part).SerializeToString())
        await asyncio.sleep(5)

    handlers = {"Route": grpc.stream_stream_rpc_method_handler(serve)}
    server.add_registered_method_handlers("onetier.v1.DataCenterService", handlers)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    changes: list[bool] = []
    link = await open_link(f"127.0.0.1:{port}", on_change=changes.append)
    batch = Batch()
    link.send(batch.request, items=4, sink=batch, timeout_ms=2_000)
    assert await outcome(batch) is None
    assert changes == []
    await server.stop(0)


class Sulky(Batch):
    """A sink with a defect."""

    def part(self, response: RouteResponse) -> int:
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "a part that nobody can read")


class Greedy(Batch):
    """A sink that counts wrongly."""

    def part(self, response: RouteResponse) -> int:
        return super().part(response) * 1_000_000


async def test_a_sink_that_fails_or_miscounts_harms_its_own_batch_alone(
    start_echo: StartEcho, open_link: OpenLink
) -> None:
    running, tier = await start_echo()
    changes: list[bool] = []
    link = await open_link(running.address, on_change=changes.append)
    tier.hold = True
    neighbour, sulky, greedy = Batch(), Sulky(), Greedy(4)
    for batch in (neighbour, sulky, greedy):
        link.send(batch.request, items=4, sink=batch, timeout_ms=5_000)
    await held(tier, 3)
    for request, replies in tier.held[1:]:
        echo(request, replies)
    assert isinstance(await outcome(sulky), Broken)
    echo(*tier.held[0])
    assert await outcome(neighbour) is None
    assert (link.items_in_flight, link.batches_in_flight, changes) == (0, 0, [])


async def test_a_compressed_message_is_not_inflated(start_echo: StartEcho) -> None:
    """A hundred megabytes of zeros are a hundred kilobytes on the wire; gRPC bounds them before, not after."""
    running, _tier = await start_echo(message_bytes_max=1_000_000)
    async with open_channel(running.address, message_bytes_max=200_000_000) as channel:
        call = channel.stream_stream("/onetier.v1.DataCenterService/Route")
        bomb = call(compression=grpc.Compression.Gzip)
        await bomb.write(RouteRequest(positions=[0], routes=["x"], bodies=[bytes(100_000_000)]).SerializeToString())
        async with asyncio.timeout(5):
            while not running.booth.metrics.counted("events", "unreadable"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        bomb.cancel()

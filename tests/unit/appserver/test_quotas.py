"""Quotas of each client: who is over one is told when to come again, and nobody else notices."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable

import grpc
import pytest
from onetier.v1 import service_desk_pb2 as pb

from appserver.batches.batch import RequestBatch
from appserver.batches.item import WorkItem
from appserver.main import Platform
from charging.errors import Fault, Invalid, Overloaded
from runtime.server import RunningTier
from runtime.status import from_rpc_error, from_status
from testkit.front import A, B, DataCenterInMemory, Front, fault_of
from testkit.owner import OwnerInMemory

pytestmark = pytest.mark.timeout(30)

MakeFront = Callable[..., Awaitable[Front]]
StartPlatform = Callable[..., Awaitable[RunningTier]]


async def refusal(front: Front, *requests: pb.ServiceRequest) -> Fault:
    with pytest.raises(Fault) as raised:
        await front.exchange(*requests)
    return raised.value


async def test_a_client_over_its_rate_waits_and_another_is_served(start_platform: StartPlatform) -> None:
    tier = await start_platform(client_requests_per_s=100)
    greedy, calm = Front(tier.address), Front(tier.address)
    await greedy.open()
    await greedy.exchange(*(greedy.query() for _ in range(150)))
    fault = await refusal(greedy, greedy.query())
    assert (type(fault), fault.reason) == (Overloaded, "CLIENT_RATE")
    assert 0 < fault.retry_ms <= 600
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await greedy.stub.Query(pb.QueryRequest(request=greedy.query()), timeout=5)
    assert from_rpc_error(raised.value).reason == "CLIENT_RATE", "calls and streams have one quota"
    assert (await calm.one(calm.query())).balance.version == 1
    await asyncio.sleep(fault.retry_ms / 1000)
    assert (await greedy.one(greedy.query())).balance.version == 1
    assert tier.booth.metrics.counted("requests", "any", "CLIENT_RATE") == 2
    for front in (greedy, calm):
        await front.channel.close()


async def test_bytes_count_as_requests_do(front_of: MakeFront) -> None:
    front = await front_of(client_bytes_per_s=100_000)
    await front.open()
    await front.one(front.charge(identity="1" * 200_000))
    assert (await refusal(front, front.query())).reason == "CLIENT_RATE"


async def test_journal_lines_have_a_quota_of_their_own(front_of: MakeFront) -> None:
    front = await front_of(client_lines_per_s=100)
    await front.open()
    replies = await front.exchange(*(front.query(view="history", quantity=80) for _ in range(3)), front.query())
    assert [reply.WhichOneof("result") for reply in replies] == ["history", "history", None, "balance"]
    fault = fault_of(replies[2])
    assert (type(fault), fault.reason) == (Overloaded, "CLIENT_LINES")
    assert fault.retry_ms > 0


async def test_a_client_opens_so_many_streams_and_no_more(front_of: MakeFront) -> None:
    front = await front_of(client_streams_max=2)
    await front.open()
    streams = [front.stream() for _ in range(2)]
    for stream in streams:
        await stream.exchange(front.query())
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await front.stream().exchange(front.query())
    fault = from_rpc_error(raised.value)
    assert (fault.reason, fault.facts["limit"]) == ("STREAMS_TOO_MANY", "2")
    assert fault.retry_ms > 0
    streams.pop().call.cancel()
    await asyncio.sleep(0.1)
    assert (await front.one(front.query())).balance.version == 1, "there is room again"


async def test_one_client_leaves_as_much_as_it_holds_for_others(
    start_platform: StartPlatform, datacenter: DataCenterInMemory
) -> None:
    tier = await start_platform(items_in_flight_max=100, batch_requests_max=10)
    greedy, calm = Front(tier.address), Front(tier.address)
    await calm.open(B)
    datacenter.stuck.add(A)
    flood, refused = greedy.stream(), []
    for _ in range(9):
        await flood.send(*(greedy.charge() for _ in range(10)), timeout_ms=1_000)
    for _ in range(4):
        response = await asyncio.wait_for(flood.call.read(), 5)
        refused.append(from_status(response.error).reason)
    assert refused == ["CLIENT_FULL"] * 4, "fifty of a hundred are one client's"
    assert (await calm.one(calm.charge(B))).charge.amount == 200_000
    await asyncio.sleep(1.1)
    life = tier.life
    assert isinstance(life, Platform)
    assert (life._pending.items, life._pending.bytes) == (0, 0)
    for front in (greedy, calm):
        await front.channel.close()


async def test_a_message_that_cannot_be_read_is_told_and_the_stream_goes_on(front: Front) -> None:
    await front.open()
    call = front.channel.stream_stream("/onetier.v1.ServiceDeskService/Exchange")()
    await call.write(b"\xff\xff\xff")
    told = pb.ExchangeResponse.FromString(await asyncio.wait_for(call.read(), 5))
    fault = from_status(told.error)
    assert (type(fault), fault.reason) == (Invalid, "MESSAGE_MALFORMED")
    await call.write(pb.ExchangeRequest(batch_id=3, requests=[front.query()]).SerializeToString())
    assert pb.ExchangeResponse.FromString(await asyncio.wait_for(call.read(), 5)).batch_id == 3
    unary = front.channel.unary_unary("/onetier.v1.ServiceDeskService/Query")
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await unary(b"\xff\xff", timeout=5)
    assert from_rpc_error(raised.value).reason == "MESSAGE_MALFORMED"
    call.cancel()


@pytest.mark.parametrize("field", ["identity", "channel", "partner"])
async def test_texts_are_bounded_before_they_are_keys(front: Front, field: str) -> None:
    await front.open()
    huge = "8" * 2_000_000
    for make in (front.charge, front.quote, front.query, front.opening):
        request = make()
        setattr(request, field, huge)
        reason = fault_of(await front.one(request)).reason
        assert reason in ("IDENTITY_MALFORMED", "TEXT_TOO_LONG", "REQUEST_TOO_LARGE")


async def test_refusals_keep_nothing_of_their_batch(front: Front, owner: OwnerInMemory) -> None:
    """With the collector off, what is refused must go by itself: a cycle keeps the whole batch until it runs."""
    await front.open()
    wrong = [
        front.charge(identity="nobody", quantity=-1),
        front.charge(channel="pigeon"),
        front.charge(service_code="telegraph"),
        front.query(channel="fax"),
        front.charge(visited_place="ATLANTIS"),
        front.charge(B),
        front.query(B),
        front.execute(top_up=pb.TopUp(amount=-1)),
    ]
    await front.exchange(*wrong)
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            await front.exchange(*wrong)
        await asyncio.sleep(0.05)
        kept = [each for each in gc.get_objects() if isinstance(each, (RequestBatch, WorkItem))]
        assert not kept
    finally:
        gc.enable()


async def test_calls_that_flood_wait_for_their_refusal(front_of: MakeFront) -> None:
    front = await front_of(client_requests_per_s=10)
    await front.open()
    await front.exchange(*(front.query() for _ in range(40)))
    began = time.monotonic()
    with pytest.raises(grpc.aio.AioRpcError):
        await front.stub.Query(pb.QueryRequest(request=front.query()), timeout=5)
    assert time.monotonic() - began > 0.15

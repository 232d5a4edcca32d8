"""Bounds: batches over the limit, floods, clients that don't read, deadlines, draining. Nobody pays for another."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import grpc
import pytest
from onetier.v1 import service_desk_pb2 as pb

from appserver.main import build
from appserver.room import PROCESS as APPSERVER
from appserver.settings import AppServerSettings
from charging.errors import Expired, Fault, Invalid, Overloaded, Unavailable
from runtime.server import RunningTier, start_tier
from runtime.settings import BadSettings, load
from runtime.status import from_rpc_error, from_status
from testkit.front import A, B, DataCenterInMemory, Front, Stream, fault_of
from testkit.owner import OwnerInMemory

pytestmark = pytest.mark.timeout(30)

MakeFront = Callable[..., Awaitable[Front]]
StartPlatform = Callable[..., Awaitable[RunningTier]]


async def refused(front: Front, *requests: pb.ServiceRequest) -> Fault:
    with pytest.raises(Fault) as raised:
        await front.exchange(*requests)
    return raised.value


async def test_batch_over_the_limit_is_refused_whole_with_the_limit_named(
    front_of: MakeFront, owner: OwnerInMemory
) -> None:
    front = await front_of(batch_requests_max=10)
    await front.open()
    fault = await refused(front, *(front.charge() for _ in range(11)))
    assert (type(fault), fault.reason, fault.facts["limit"]) == (Invalid, "BATCH_TOO_LARGE", "10")
    assert "requests" in fault.fields
    assert len(owner.desk.journals[A]) == 1, "nothing of it was done"
    assert len(await front.exchange(*(front.charge() for _ in range(10)))) == 10


async def test_empty_batch_is_answered(front: Front) -> None:
    stream = front.stream()
    number = await stream.send()
    response = await asyncio.wait_for(stream.call.read(), 5)
    assert (response.batch_id, len(response.replies)) == (number, 0)


async def test_flood_is_refused_while_others_are_served(front_of: MakeFront, datacenter: DataCenterInMemory) -> None:
    front = await front_of(stream_items_max=200, batch_requests_max=100)
    await front.open()
    await front.open(B)
    datacenter.stuck.add(A)
    flood = front.stream()
    for _ in range(5):
        await flood.send(*(front.charge() for _ in range(100)), timeout_ms=2_000)
    response = await asyncio.wait_for(flood.call.read(), 5)
    fault = from_status(response.error)
    assert (type(fault), fault.reason, fault.facts["limit"]) == (Overloaded, "STREAM_FULL", "200")
    assert fault.retry_ms > 0
    assert (await front.one(front.charge(B))).charge.amount == 200_000


async def test_full_platform_refuses_streams_and_calls(front_of: MakeFront, datacenter: DataCenterInMemory) -> None:
    front = await front_of(items_in_flight_max=100, batch_requests_max=100)
    await front.open()
    datacenter.stuck.add(A)
    await front.stream().send(*(front.charge() for _ in range(100)), timeout_ms=500)
    await asyncio.sleep(0.1)
    fault = await refused(front, front.query(B))
    assert (type(fault), fault.reason, fault.facts["limit"]) == (Overloaded, "PLATFORM_FULL", "100")
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await front.stub.Charge(pb.ChargeRequest(request=front.charge(B)), timeout=5)
    assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert from_rpc_error(raised.value).retry_ms > 0
    await asyncio.sleep(0.6)
    assert fault_of(await front.one(front.query(B))).reason == "IDENTITY_UNKNOWN", "room again after the deadline"


async def test_callers_have_their_turns(front_of: MakeFront, datacenter: DataCenterInMemory) -> None:
    """Four thousand requests of one caller wait; another's single one is not behind them."""
    front = await front_of(batches_in_flight_max=1)
    identities = [f"1310000{n:04}" for n in range(1_000)]
    await front.exchange(*(front.opening(identity) for identity in identities))
    await front.exchange(*(front.charge(identity) for identity in identities))
    await front.open(B)
    datacenter.gate = asyncio.Event()
    flood = front.stream()
    for _ in range(4):
        await flood.send(*(front.charge(identity) for identity in identities))
    await asyncio.sleep(0.3)
    before = len(datacenter.requests)
    single = asyncio.create_task(front.one(front.query(B)))
    await asyncio.sleep(0.1)
    datacenter.gate.set()
    assert (await single).balance.version == 1
    routed = [list(request.routes) for request in datacenter.requests[before:]]
    turn = next(number for number, routes in enumerate(routed) if B in routes)
    assert turn <= 1, "it went with the next batch"
    flood.call.cancel()


async def test_client_that_never_reads_slows_nobody(front_of: MakeFront, owner: OwnerInMemory) -> None:
    front = await front_of(stream_items_max=2_000, batch_requests_max=500)
    await front.open(offering="bundle")
    await front.open(B)
    stuck = Front(front.address)
    stream = stuck.stream()
    for _ in range(4):
        await stream.send(*(stuck.query(view="contract") for _ in range(500)))
    sender = asyncio.create_task(_send_for_ever(stuck, stream))
    await asyncio.sleep(0.3)
    slowest = 0.0
    for _ in range(50):
        started = time.perf_counter()
        assert (await front.one(front.charge(B))).charge.amount == 200_000
        slowest = max(slowest, time.perf_counter() - started)
    assert slowest < 15.0, "whoever waited for the client would wait for as long as it is there"
    assert owner.asked["Pull"] < 50_000, "the client that doesn't read is not served for ever"
    sender.cancel()
    await asyncio.gather(sender, return_exceptions=True)
    stream.call.cancel()
    await stuck.channel.close()


async def _send_for_ever(front: Front, stream: Stream) -> None:
    requests = [front.query(view="contract") for _ in range(500)]
    while True:
        await stream.send(*requests)


async def test_expired_items_hear_so_and_their_keys_tell_what_happened(
    front: Front, datacenter: DataCenterInMemory, owner: OwnerInMemory
) -> None:
    await front.open()
    await front.one(front.charge())
    datacenter.gate = asyncio.Event()
    request = front.charge()
    started = time.perf_counter()
    (reply,) = await front.exchange(request, timeout_ms=150)
    assert time.perf_counter() - started < 2.0
    assert isinstance(fault_of(reply), Expired)
    datacenter.gate.set()
    await asyncio.sleep(0.1)
    datacenter.gate = None
    again = (await front.one(request)).charge
    assert again.repeated
    assert again.amount == 200_000
    assert len(owner.desk.journals[A]) == 3


async def test_deadline_is_handed_on(front_of: MakeFront, datacenter: DataCenterInMemory) -> None:
    front = await front_of(reference_check_ms=60_000)
    await front.open()
    await front.exchange(front.charge(), timeout_ms=1_234)
    assert 1_000 < datacenter.requests[-1].timeout_ms <= 1_240
    datacenter.gate = asyncio.Event()
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await front.stub.Charge(pb.ChargeRequest(request=front.charge()), timeout=0.2)
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert datacenter.requests[-1].timeout_ms <= 210
    datacenter.gate.set()


async def test_batches_form_while_others_are_in_flight(front_of: MakeFront, datacenter: DataCenterInMemory) -> None:
    front = await front_of(batches_in_flight_max=1, reference_check_ms=60_000)
    identities = [f"1300000{n:04}" for n in range(100)]
    await front.exchange(*(front.opening(identity) for identity in identities))
    await front.exchange(*(front.charge(identity) for identity in identities))
    datacenter.gate = asyncio.Event()
    before = len(datacenter.requests)
    calls = [
        asyncio.ensure_future(front.stub.Charge(pb.ChargeRequest(request=front.charge(identity)), timeout=60))
        for identity in identities
    ]
    await asyncio.sleep(2.0)
    datacenter.gate.set()
    await asyncio.gather(*calls)
    sizes = [len(request.positions) for request in datacenter.requests[before:]]
    assert sum(sizes) == 100
    assert len(sizes) <= 3
    assert max(sizes) >= 50


async def test_broken_link_leaves_items_unknown_and_the_repeat_tells(
    front: Front, datacenter: DataCenterInMemory, owner: OwnerInMemory
) -> None:
    await front.open()
    await front.one(front.charge())
    datacenter.stuck.add(A)
    stream = front.stream()
    requests = [front.charge(), front.charge()]
    await stream.send(*requests, timeout_ms=4_000)
    await asyncio.sleep(0.1)
    await datacenter.stop()
    response = await asyncio.wait_for(stream.call.read(), 5)
    fault = fault_of(response.replies[0])
    assert isinstance(fault, Unavailable)
    assert fault.retry_ms > 0
    datacenter.stuck.clear()
    await datacenter.start(datacenter.address)
    done: set[str] = set()
    for _ in range(200):
        replies = await front.exchange(*requests)
        done |= {r.request_key for r, reply in zip(requests, replies, strict=True) if reply.WhichOneof("result")}
        if len(done) == 2:
            break
    assert len(owner.desk.journals[A]) == 4


async def test_drain_answers_what_was_taken_and_refuses_the_rest(
    start_platform: StartPlatform, datacenter: DataCenterInMemory
) -> None:
    tier = await start_platform()
    front = Front(tier.address)
    await front.open()
    await front.one(front.charge())
    datacenter.gate = asyncio.Event()
    stream = front.stream()
    await stream.send(front.charge())
    await asyncio.sleep(0.1)
    stopping = asyncio.create_task(tier.stop())
    await asyncio.sleep(0.1)
    await stream.send(front.charge())
    refusal = await asyncio.wait_for(stream.call.read(), 5)
    fault = from_status(refusal.error)
    assert (type(fault), fault.reason) == (Unavailable, "DRAINING")
    assert fault.retry_ms > 0
    datacenter.gate.set()
    answer = await asyncio.wait_for(stream.call.read(), 5)
    assert answer.replies[0].charge.amount == 200_000
    assert await asyncio.wait_for(stream.call.read(), 5) is grpc.aio.EOF
    await stopping
    await front.channel.close()


async def test_figures_are_counted(start_platform: StartPlatform) -> None:
    tier = await start_platform()
    front = Front(tier.address)
    await front.open()
    await front.exchange(*(front.charge() for _ in range(5)), front.charge(quantity=-1))
    await asyncio.sleep(0.05)
    metrics = tier.booth.metrics
    assert metrics.counted("requests", "CHARGE", "ok") == 5
    assert metrics.counted("requests", "any", "QUANTITY_NEGATIVE") == 1
    assert metrics.counted("cache", "accounts", "hit") == 5
    assert metrics.counted("cache", "accounts", "miss") >= 1
    await front.channel.close()


async def test_platform_without_datacenters_does_not_start() -> None:
    settings = load(AppServerSettings, datacenters=[], metrics_listen="")
    with pytest.raises(BadSettings, match="datacenters"):
        await start_tier(APPSERVER, settings, build)

"""One caller beside another: a flood that leaves an honest client its share, and the same key again by hand."""

import asyncio
import sys
import time
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from onetier.v1 import service_desk_pb2 as desk
from onetier.v1 import service_desk_pb2_grpc as desk_grpc

from cluster.system import Shape
from onetier_client import requests
from runtime.channel import open_channel
from testkit.rehearsal import DAY_MS, Rehearsal, rehearse

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]
ROOT = Path(__file__).parents[2]
MEASURED_S = 3.0
BATCH = 50
WINDOW = 500
"""Charges of the honest client under way."""
FLOOD_BATCH = 500
FLOOD_STREAMS = 8
SHARE_MIN = 0.1
"""Of what it gets alone; the flood and its sender take their part of the machine as well. Without turns and shares it
was a thousandth."""


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Rehearsal]:
    async with rehearse(tmp_path, Shape(datacenters=1, domain_servers=1, app_servers=1)) as found:
        yield found


def charges(identity: str, prefix: str, count: int) -> list[desk.ServiceRequest]:
    facts: requests.Facts = {"event_time_ms": DAY_MS, "channel": "front", "other_party": "8613800000000"}
    return [requests.charge(identity, "voice", 61, request_key=f"{prefix}-{n}", **facts) for n in range(count)]


async def served_a_second(address: str, identity: str, prefix: str) -> float:
    """How many charges a client gets through that has a few batches under way."""
    channel = open_channel(address)
    call = desk_grpc.ServiceDeskServiceStub(channel).Exchange()
    began, sent, served = time.monotonic(), 0, 0
    while time.monotonic() < began + MEASURED_S or served < sent * BATCH:
        while sent * BATCH - served < WINDOW and time.monotonic() < began + MEASURED_S:
            part = charges(identity, f"{prefix}-{sent}", BATCH)
            await call.write(desk.ExchangeRequest(batch_id=sent, timeout_ms=20_000, requests=part))
            sent += 1
        response = await asyncio.wait_for(call.read(), 20)
        assert not response.HasField("error"), response.error
        assert all(reply.HasField("charge") for reply in response.replies)
        served += len(response.replies)
    call.cancel()
    await channel.close()
    return served / (time.monotonic() - began)


async def flood(address: str, identity: str) -> None:
    """Send whole batches on many streams as fast as they are taken, and throw away what comes."""
    channel = open_channel(address)
    part = charges(identity, "flood", FLOOD_BATCH)
    packed = desk.ExchangeRequest(timeout_ms=10_000, requests=part).SerializeToString()

    async def one() -> None:
        call = channel.stream_stream("/onetier.v1.ServiceDeskService/Exchange")()

        async def drop() -> None:
            while await call.read() is not grpc.aio.EOF:
                pass

        dropping = asyncio.create_task(drop())
        try:
            while True:
                await call.write(packed)
        finally:
            dropping.cancel()
            call.cancel()

    try:
        await asyncio.gather(*(one() for _ in range(FLOOD_STREAMS)))
    finally:
        await channel.close()


async def test_a_flood_on_many_streams_leaves_an_honest_client_its_share(small: Rehearsal) -> None:
    honest, greedy = [one.members[0].identity for one in small.mobiles()][:2]
    for identity in (honest, greedy):
        await small.client.top_up(identity, 10**14)
    (address,) = small.system.endpoints
    alone = await served_a_second(address, honest, "alone")
    flooding = asyncio.create_task(flood(address, greedy))
    await asyncio.sleep(0.5)
    beside = await served_a_second(address, honest, "beside")
    assert not flooding.done()
    flooding.cancel()
    await asyncio.gather(flooding, return_exceptions=True)
    print(f"honest client: {alone:,.0f} charges/s alone, {beside:,.0f} beside a flood of {FLOOD_STREAMS} streams")
    assert beside > SHARE_MIN * alone


async def by_hand(*arguments: str) -> tuple[int, str]:
    command = (sys.executable, "-m", "console.main", *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT, cwd=ROOT)
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return int(process.returncode or 0), out.decode()


async def test_the_same_key_again_by_client_and_by_hand_tells_the_first_outcome(small: Rehearsal) -> None:
    identity = small.mobiles()[0].members[0].identity
    to = ("--endpoint", small.system.endpoints[0])
    unknown = await by_hand("outcome", identity, "by-hand", *to)
    assert (unknown[0], "did nothing" in unknown[1]) == (0, True)
    call = ("charge", identity, "voice", "61", "--to", "10086", "--key", "by-hand")
    charged = [await by_hand(*call, *to) for _ in range(2)]
    assert [status for status, _ in charged] == [0, 0], charged
    assert charged[1][1].replace(", as it was charged before", "") == charged[0][1]
    topped = [await by_hand("top-up", identity, "1", "--key", "again", *to) for _ in range(2)]
    assert topped[0] == topped[1]
    told = await by_hand("outcome", identity, "by-hand", *to)
    assert told[0] == 0
    assert "charged" in told[1]
    first = await small.client.charge(identity, "voice", 61, other_party="10086", request_key="by-client")
    again = await small.client.charge(identity, "voice", 61, other_party="10086", request_key="by-client")
    assert (again.repeated, again.amount, list(again.steps)) == (True, first.amount, list(first.steps))
    view = await small.client.outcome(identity, "by-client")
    assert (view.state, view.reply.charge) == (view.STATE_DONE, again)

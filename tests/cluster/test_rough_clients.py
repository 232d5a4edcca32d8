"""Clients that break off, flood or never read, and app servers that share a port: real processes, real sockets."""

import asyncio
import socket
import time
import urllib.request
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from signal import SIGCONT, SIGSTOP

import grpc
import pytest
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from onetier.v1 import data_center_pb2 as dc
from onetier.v1 import service_desk_pb2 as desk
from onetier.v1 import service_desk_pb2_grpc as desk_grpc
from prometheus_client.parser import text_string_to_metric_families

from appserver.settings import AppServerSettings
from cluster.supervisor import Running
from cluster.system import Shape
from onetier_client import AsyncClient, requests
from runtime.channel import open_channel
from testkit.rehearsal import DAY_MS, Rehearsal, rehearse

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]
STREAM_MAX = AppServerSettings.model_fields["stream_items_max"].default
BATCH = 500
CALM_S_MAX = 2.0
CONNECTIONS = 24
"""The kernel deals connections out: that all go to one of two processes happens once in eight million times."""


def charge(identity: str, key: str) -> desk.ServiceRequest:
    facts: requests.Facts = {"request_key": key, "event_time_ms": DAY_MS, "channel": "front"}
    return requests.charge(identity, "voice", 61, other_party="8613800000000", **facts)


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Rehearsal]:
    """Two domain servers behind one app server; everybody has money that lasts."""
    async with rehearse(tmp_path, Shape(datacenters=1, domain_servers=2, app_servers=1)) as found:
        yield found


async def rich(small: Rehearsal, count: int, among: Sequence[str] = ()) -> list[str]:
    """Give so many subscribers money, of the domains named."""
    chosen = [one.account_id for one in small.mobiles() if not among or one.domain in among][:count]
    for identity in chosen:
        await small.client.top_up(identity, 10_000_000_000, request_key=f"rich-{identity}")
    return chosen


async def told_on_repeat(small: Rehearsal, wanted: Sequence[desk.ServiceRequest]) -> dict[str, desk.ChargeResult]:
    """Repeat keys until each outcome is known."""
    told: dict[str, desk.ChargeResult] = {}
    async for request, reply in small.client.exchange(iter(wanted), timeout_ms=60_000):
        assert not reply.HasField("error"), reply.error.message
        told[request.request_key] = reply.charge
    return told


async def read_to_end(call: "grpc.aio.StreamStreamCall[desk.ExchangeRequest, desk.ExchangeResponse]") -> None:
    while await call.read() is not grpc.aio.EOF:
        pass


async def test_one_account_is_charged_in_the_order_sent_and_bad_items_fail_alone(small: Rehearsal) -> None:
    (identity,) = await rich(small, 1)
    wanted = [charge(identity, f"order-{number}") for number in range(3 * BATCH)]
    for request in wanted[::10]:
        request.quantity = -1
    channel = open_channel(small.system.endpoints[0])
    call = desk_grpc.ServiceDeskServiceStub(channel).Exchange()
    for number in range(3):
        part = wanted[number * BATCH : (number + 1) * BATCH]
        await call.write(desk.ExchangeRequest(batch_id=number, timeout_ms=20_000, requests=part))
    replies: dict[int, desk.ServiceReply] = {}
    async with asyncio.timeout(20):
        while len(replies) < len(wanted):
            response = await call.read()
            for position, reply in zip(response.positions, response.replies, strict=True):
                replies[response.batch_id * BATCH + position] = reply
    call.cancel()
    await channel.close()
    bad = [number for number, reply in replies.items() if reply.HasField("error")]
    assert sorted(bad) == list(range(0, len(wanted), 10))
    versions = [replies[number].charge.account_version for number in sorted(replies) if number % 10]
    assert versions == list(range(versions[0], versions[0] + len(versions))), "each follows the one sent before it"
    told = {wanted[number].request_key: replies[number].charge.amount for number in replies if number % 10}
    verdict = await small.verdict(told)
    assert verdict.holds, verdict.complaints


async def test_a_stream_that_breaks_mid_batch_leaves_items_done_or_not_and_the_repeat_tells(small: Rehearsal) -> None:
    people = await rich(small, 20)
    wanted = [charge(people[number % len(people)], f"broken-{number}") for number in range(8 * BATCH)]
    channel = open_channel(small.system.endpoints[0])
    call = desk_grpc.ServiceDeskServiceStub(channel).Exchange()
    for number in range(8):
        part = wanted[number * BATCH : (number + 1) * BATCH]
        await call.write(desk.ExchangeRequest(batch_id=number + 1, timeout_ms=20_000, requests=part))
    first = await asyncio.wait_for(call.read(), 20)
    call.cancel()
    await channel.close()
    heard = {
        wanted[(first.batch_id - 1) * BATCH + position].request_key: reply.charge.amount
        for position, reply in zip(first.positions, first.replies, strict=True)
    }
    told = await told_on_repeat(small, wanted)
    assert heard
    for key, amount in heard.items():
        assert told[key].repeated, f"{key} was acknowledged before the stream broke"
        assert told[key].amount == amount
    assert len(told) == len(wanted)
    verdict = await small.verdict({key: result.amount for key, result in told.items()})
    assert verdict.holds, verdict.complaints


async def test_a_platform_killed_mid_batch_leaves_items_done_or_not_and_the_repeat_tells(small: Rehearsal) -> None:
    people = await rich(small, 20)
    wanted = [charge(people[number % len(people)], f"killed-{number}") for number in range(8 * BATCH)]
    victim = small.system.app_servers[0]
    second = await small.system.start_process("appserver", 1)
    channel = open_channel(victim.address)
    call = desk_grpc.ServiceDeskServiceStub(channel).Exchange()
    for number in range(8):
        part = wanted[number * BATCH : (number + 1) * BATCH]
        await call.write(desk.ExchangeRequest(batch_id=number + 1, timeout_ms=20_000, requests=part))
    await asyncio.wait_for(call.read(), 20)
    victim.kill()
    with pytest.raises(grpc.aio.AioRpcError):
        await asyncio.wait_for(read_to_end(call), 20)
    await channel.close()
    async with AsyncClient([second.address], timeout_ms=60_000) as other:
        small.client = other
        told = await told_on_repeat(small, wanted)
        assert any(result.repeated for result in told.values())
        verdict = await small.verdict({key: result.amount for key, result in told.items()})
    assert verdict.holds, verdict.complaints


async def test_a_flood_is_told_resource_exhausted_while_another_client_is_served(small: Rehearsal) -> None:
    async with small.system.directory_of(0) as stub:
        found = await stub.Describe(dc.DescribeRequest(), timeout=5)
    slow, quick = small.system.domain_servers
    slow_domains = [owner.domain for owner in found.owners if owner.address == slow.address]
    quick_domains = [owner.domain for owner in found.owners if owner.address == quick.address]
    flooded, (calm,) = await rich(small, 4, slow_domains), await rich(small, 1, quick_domains)
    wanted = [charge(flooded[number % 4], f"flood-{number}") for number in range(STREAM_MAX + 2 * BATCH)]
    channel = open_channel(small.system.endpoints[0])
    call = desk_grpc.ServiceDeskServiceStub(channel).Exchange()
    slow.signal(SIGSTOP)
    try:
        for number in range(len(wanted) // BATCH):
            part = wanted[number * BATCH : (number + 1) * BATCH]
            await call.write(desk.ExchangeRequest(batch_id=number + 1, timeout_ms=20_000, requests=part))
        response = await asyncio.wait_for(call.read(), 10)
        began = time.monotonic()
        calm_charge = await small.client.ask(charge(calm, "calm"))
        assert time.monotonic() - began < CALM_S_MAX
    finally:
        slow.signal(SIGCONT)
    check_exhausted(response.error)
    assert not response.replies, "refused whole"
    call.cancel()
    await channel.close()
    told = await told_on_repeat(small, wanted)
    refused = wanted[(response.batch_id - 1) * BATCH : response.batch_id * BATCH]
    assert not any(told[request.request_key].repeated for request in refused), "nothing of it had been done"
    amounts = {key: result.amount for key, result in told.items()} | {"calm": calm_charge.charge.amount}
    verdict = await small.verdict(amounts)
    assert verdict.holds, verdict.complaints


def check_exhausted(status: Status) -> None:
    info, retry = ErrorInfo(), RetryInfo()
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(retry)
    assert (status.code, info.reason) == (code_pb2.RESOURCE_EXHAUSTED, "STREAM_FULL"), status
    assert str(STREAM_MAX) in status.message
    assert retry.retry_delay.ToMilliseconds() > 0


async def test_a_client_that_never_reads_slows_nobody(small: Rehearsal) -> None:
    stuck_one, calm = await rich(small, 2)
    views = [requests.query(stuck_one, "contract", channel="front")] * BATCH
    channel = open_channel(small.system.endpoints[0])
    call = desk_grpc.ServiceDeskServiceStub(channel).Exchange()
    written = 0

    async def write_for_ever() -> None:
        nonlocal written
        while True:
            await call.write(desk.ExchangeRequest(batch_id=written + 1, timeout_ms=20_000, requests=views))
            written += 1

    writer = asyncio.create_task(write_for_ever())
    told: dict[str, int] = {}
    slowest = 0.0
    for number in range(100):
        began = time.monotonic()
        key = f"calm-{number}"
        told[key] = (await small.client.ask(charge(calm, key))).charge.amount
        slowest = max(slowest, time.monotonic() - began)
    assert written > STREAM_MAX // BATCH, "the stuck client had filled its stream"
    assert slowest < CALM_S_MAX
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    call.cancel()
    await channel.close()
    verdict = await small.verdict(told)
    assert verdict.holds, verdict.complaints


async def test_app_servers_share_one_port_and_one_may_die(small: Rehearsal) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    pair = [await small.system.start_process("appserver", number, port) for number in (1, 2)]
    assert {one.address for one in pair} == {f"127.0.0.1:{port}"}
    people = await rich(small, CONNECTIONS)
    told: dict[str, int] = {}

    async def call(number: int, key: str) -> None:
        async with AsyncClient([f"127.0.0.1:{port}"], timeout_ms=30_000) as client:
            told[key] = (await client.ask(charge(people[number], key))).charge.amount

    await asyncio.gather(*(call(number, f"both-{number}") for number in range(CONNECTIONS)))
    served = [await asyncio.to_thread(charges_of, one) for one in pair]
    assert sum(served) == CONNECTIONS
    assert min(served) > 0, "one of two processes got no connection"
    pair[0].kill()
    await pair[0].wait()
    await asyncio.gather(*(call(number, f"one-{number}") for number in range(CONNECTIONS)))
    assert await asyncio.to_thread(charges_of, pair[1]) == served[1] + CONNECTIONS
    verdict = await small.verdict(told)
    assert verdict.holds, verdict.complaints


def charges_of(process: Running) -> int:
    """How many charges a process has answered, by its own figures."""
    with urllib.request.urlopen(f"http://{process.metrics}/metrics", timeout=5) as answer:
        text = str(answer.read().decode())
    return sum(
        int(sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "onetier_requests_total" and sample.labels.get("type") == "CHARGE"
    )

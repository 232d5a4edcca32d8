"""The life of a tier: health, reflection, faults, metrics, drain, and the same in a process of its own."""

import asyncio
import json
import os
import signal
import sys
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import grpc
import pytest
import structlog.testing
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from onetier.v1.data_center_pb2 import DescribeRequest, ResolveRequest, RouteRequest
from onetier.v1.data_center_pb2_grpc import DataCenterServiceStub, DirectoryServiceStub

from charging.errors import Broken, NotFound
from runtime.channel import open_channel
from runtime.server import RunningTier
from runtime.settings import BadSettings
from runtime.status import from_rpc_error

pytestmark = pytest.mark.timeout(30)

ROOT = Path(__file__).resolve().parents[3]
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Echo(Protocol):
    turns: list[str]
    hold: bool
    held: list[object]
    stop_intake: Callable[[], Awaitable[None]]
    flush: Callable[[], Awaitable[None]]


StartEcho = Callable[..., Awaitable[tuple[RunningTier, Echo]]]


async def test_health_and_reflection_name_every_service(start_echo: StartEcho) -> None:
    running, _tier = await start_echo()
    async with open_channel(running.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for service in ("", "onetier.v1.DataCenterService", "onetier.v1.DirectoryService"):
            reply = await health.Check(health_pb2.HealthCheckRequest(service=service), timeout=5)
            assert reply.status == SERVING
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([asked]), timeout=5)
        answer = await call.read()
        names = {service.name for service in answer.list_services_response.service}
    assert {"onetier.v1.DataCenterService", "onetier.v1.DirectoryService", "grpc.health.v1.Health"} <= names


async def test_a_fault_raised_in_a_handler_reaches_the_caller_whole(start_echo: StartEcho) -> None:
    running, _tier = await start_echo()
    async with open_channel(running.address) as channel:
        stub = DirectoryServiceStub(channel)
        assert (await stub.Describe(DescribeRequest(), timeout=5)).revision == 7
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Resolve(ResolveRequest(), timeout=5)
        fault = from_rpc_error(caught.value)
        assert isinstance(fault, NotFound)
        assert (fault.reason, fault.facts) == ("IDENTITY_UNKNOWN", {"identity": "none"})
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Resolve(ResolveRequest(identity="explode"), timeout=5)
        fault = from_rpc_error(caught.value)
        assert isinstance(fault, Broken)
        assert "secret" not in fault.message
    assert running.booth.metrics.counted("events", "broken") == 1


async def test_metrics_have_a_port_of_their_own(start_echo: StartEcho) -> None:
    running, _tier = await start_echo()
    running.booth.metrics.requests("charge", "ok", 3)

    def scrape() -> str:
        with urllib.request.urlopen(f"http://{running.metrics_address}/metrics", timeout=5) as answer:
            return str(answer.read().decode())

    text = await asyncio.to_thread(scrape)
    assert 'onetier_requests_total{outcome="ok",tier="datacenter",type="charge"} 3.0' in text


async def test_drain_goes_in_order_and_answers_what_is_in_flight(start_echo: StartEcho) -> None:
    running, tier = await start_echo()
    tier.hold = True
    statuses: list[int] = []
    async with open_channel(running.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        stop_intake = tier.stop_intake

        async def watched() -> None:
            statuses.append((await health.Check(health_pb2.HealthCheckRequest(), timeout=5)).status)
            await stop_intake()

        tier.stop_intake = watched
        call = DataCenterServiceStub(channel).Route()
        await call.write(RouteRequest(batch_id=1, positions=[0], routes=["x"], bodies=[b"y"]))
        async with asyncio.timeout(5):
            while not tier.held:  # noqa: ASYNC110 - the tier tells nobody
                await asyncio.sleep(0.01)
        await running.stop()
        assert (await call.read()).batch_id == 1
        assert (await call.read()).batch_id == 1
        assert await call.read() is grpc.aio.EOF
        assert await call.code() is grpc.StatusCode.OK
    assert statuses == [NOT_SERVING]
    assert tier.turns == ["started", "stop_intake", "flush", "close"]


async def test_a_drain_that_hangs_is_cut_off(start_echo: StartEcho) -> None:
    running, tier = await start_echo(drain_grace_ms=100)
    tier.flush = asyncio.Event().wait  # type: ignore[assignment]
    async with asyncio.timeout(5):
        await running.stop()
    assert tier.turns == ["started", "stop_intake", "close"]


async def test_what_is_advertised(start_echo: StartEcho) -> None:
    running, _tier = await start_echo(advertise="desk.example:0")
    host, _, port = running.address.rpartition(":")
    assert host == "desk.example"
    assert int(port) > 0


async def test_whoever_asks_nobody_is_warned(start_echo: StartEcho) -> None:
    with structlog.testing.capture_logs() as logs:
        await start_echo()
        assert [line["event"] for line in logs if "TLS" in line["event"]] == []
        await start_echo(insecure=True)
    warned = [line for line in logs if "without TLS" in line["event"]]
    assert [(line["log_level"], line["listen"]) for line in warned] == [("warning", "127.0.0.1:0")]


async def test_two_processes_may_share_a_port_and_a_strange_address_is_told(start_echo: StartEcho) -> None:
    first, _tier = await start_echo()
    shared, _tier = await start_echo(listen="127.0.0.1:0")
    assert first.address != shared.address
    with pytest.raises(BadSettings, match="can't be served on"):
        await start_echo(listen="192.0.2.1:7000", insecure=True)


TIER = """
import asyncio, sys
from runtime.server import run_tier
from datacenter.room import PROCESS
from datacenter.settings import DataCenterSettings
from runtime.settings import BadSettings, load
class Life:
    async def started(self): print("started", file=sys.stderr)
    async def stop_intake(self): print("stop_intake", file=sys.stderr)
    async def flush(self): print("flush", file=sys.stderr)
    async def close(self): print("close", file=sys.stderr)
async def build(booth, settings):
    if settings.directory == "memory:away":
        print("waiting", file=sys.stderr, flush=True)
        await asyncio.sleep(60)
    if settings.directory == "memory:wrong":
        raise RuntimeError("no such store for msisdn:8613012345678")
    if settings.directory == "memory:stuck":
        booth.begun = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
        raise RuntimeError("half built")
    return Life()
async def stubborn():
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass
sys.exit(run_tier(PROCESS, lambda: load(DataCenterSettings), build))
"""


async def _start(environment: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        TIER,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}", **environment},
    )


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_process_says_ready_once_and_drains_on_a_signal(number: signal.Signals) -> None:
    process = await _start({})
    assert process.stdout is not None
    async with asyncio.timeout(20):
        ready = json.loads(await process.stdout.readline())
        process.send_signal(number)
        out, err = await process.communicate()
    assert (ready["event"], ready["tier"]) == ("ready", "datacenter")
    assert ready["address"].startswith("127.0.0.1:")
    assert out == b""
    assert process.returncode == 0
    assert [line for line in err.decode().split() if line in ("started", "stop_intake", "flush", "close")] == [
        "started",
        "stop_intake",
        "flush",
        "close",
    ]


@pytest.mark.processes
async def test_a_process_with_a_bad_setting_ends_with_one_sentence() -> None:
    process = await _start({"ONETIER_POLL_MS": "never"})
    async with asyncio.timeout(20):
        out, err = await process.communicate()
    assert process.returncode == 2
    assert out == b""
    assert err.decode().startswith("setting poll_ms (ONETIER_POLL_MS) has the wrong value 'never'")
    assert err.count(b"\n") == 1


@pytest.mark.processes
async def test_a_process_that_waits_for_its_store_ends_on_a_signal() -> None:
    process = await _start({"ONETIER_DIRECTORY": "memory:away"})
    assert process.stderr is not None
    async with asyncio.timeout(20):
        assert await process.stderr.readline() == b"waiting\n"
        process.send_signal(signal.SIGTERM)
        out, _err = await process.communicate()
    assert process.returncode == 0
    assert out == b""


@pytest.mark.processes
async def test_a_process_that_can_t_start_says_why_in_its_log() -> None:
    process = await _start({"ONETIER_DIRECTORY": "memory:wrong"})
    async with asyncio.timeout(20):
        _out, err = await process.communicate()
    assert process.returncode == 1
    told = json.loads(err)
    assert told["level"] == "error"
    assert "no such store" in told["exception"]
    assert "8613012345678" not in err.decode()


@pytest.mark.processes
async def test_a_process_that_can_t_start_ends_whatever_it_has_begun() -> None:
    process = await _start({"ONETIER_DIRECTORY": "memory:stuck"})
    async with asyncio.timeout(20):
        _out, err = await process.communicate()
    assert process.returncode == 1
    failed, left = (json.loads(line) for line in err.splitlines())
    assert "half built" in failed["exception"]
    assert left["event"] == "what was begun does not end"


async def test_two_tiers_on_one_given_port(start_echo: StartEcho) -> None:
    first, _tier = await start_echo()
    port = first.address.rpartition(":")[2]
    await first.stop()
    second, _tier = await start_echo(listen=f"127.0.0.1:{port}")
    third, _tier = await start_echo(listen=f"127.0.0.1:{port}")
    assert second.address == third.address

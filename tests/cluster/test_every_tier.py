"""What every process owes to whoever operates it, asked of real ones: health, reflection, figures, logs, a drain."""

import asyncio
import urllib.request
from collections import Counter
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from onetier.v1 import service_desk_pb2 as desk
from prometheus_client.parser import text_string_to_metric_families

from charging.errors import NotFound
from cluster.supervisor import Running
from cluster.system import Shape
from onetier_client import requests
from runtime.channel import open_channel
from testkit.rehearsal import DAY_MS, Rehearsal, rehearse

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]
SERVICES = {
    "appserver": ("onetier.v1.ServiceDeskService", "onetier.v1.BillingService"),
    "datacenter": ("onetier.v1.DataCenterService", "onetier.v1.DirectoryService"),
    "domainserver": ("onetier.v1.DomainServerService",),
}
FIGURES = (
    "onetier_requests_total",
    "onetier_latency_seconds_count",
    "onetier_batch_items_count",
    "onetier_cache_total",
)
STRANGER = "msisdn:8613012340000"
MORE = 1_000
LOAD_MAX = 1_000_000


def load(identities: list[str], name: str, count: int) -> Iterator[desk.ServiceRequest]:
    for number in range(count):
        yield requests.charge(
            identities[number % len(identities)],
            "voice",
            61,
            request_key=f"{name}-{number}",
            event_time_ms=DAY_MS + number,
            channel="front",
            other_party="8613800000000",
        )


async def charge_all(small: Rehearsal, wanted: Iterator[desk.ServiceRequest], told: dict[str, int]) -> None:
    """Send requests that must all be charged; what each cost is in `told` as soon as it is known."""
    async for request, reply in small.client.exchange(wanted, window=1_000, timeout_ms=60_000):
        assert not reply.HasField("error"), reply.error.message
        told[request.request_key] = reply.charge.amount


async def test_each_process_tells_its_health_its_services_and_its_figures(tmp_path: Path) -> None:
    async with rehearse(tmp_path, Shape(datacenters=2)) as small:
        identities = [account.account_id for account in small.mobiles()]
        told: dict[str, int] = {}
        await charge_all(small, load(identities, "each", len(identities)), told)
        with pytest.raises(NotFound):
            await small.client.balance(STRANGER)
        figures: Counter[tuple[str, str]] = Counter()
        for process in small.system.supervisor.processes:
            tier = process.name.partition("-")[0]
            await check_services(process, SERVICES[tier])
            text = await asyncio.to_thread(scrape, process.metrics)
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    assert not sample.name.startswith("onetier_") or sample.labels["tier"] == tier
                    figures[tier, sample.name] += int(sample.value)
        silent = [(tier, name) for tier in SERVICES for name in FIGURES if not figures[tier, name]]
        assert silent == []
        verdict = await small.verdict(told)
        assert verdict.holds, verdict.complaints
        logs = "".join(path.read_text("utf-8") for path in sorted((tmp_path / "logs").glob("*.log")))
        assert '"event": "ready"' in logs
        everybody = [*(member.identity for member in small.country.people.subscribers()), STRANGER]
        assert [identity for identity in everybody if identity.partition(":")[2].removeprefix("86") in logs] == []


async def check_services(process: Running, services: tuple[str, ...]) -> None:
    """Health of the process and of each service, and what reflection tells of it to a stranger's tool."""
    async with open_channel(process.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for service in ("", *services):
            reply = await health.Check(health_pb2.HealthCheckRequest(service=service), timeout=5)
            assert reply.status == health_pb2.HealthCheckResponse.SERVING, (process.name, service)
        asked = [reflection_pb2.ServerReflectionRequest(list_services="")]
        asked += [reflection_pb2.ServerReflectionRequest(file_containing_symbol=service) for service in services]
        call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter(asked), timeout=5)
        listed = {service.name for service in (await call.read()).list_services_response.service}
        assert {*services, "grpc.health.v1.Health"} <= listed
        for service in services:
            answer = await call.read()
            assert answer.file_descriptor_response.file_descriptor_proto, (process.name, service)


def scrape(address: str) -> str:
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


async def test_one_of_each_tier_drains_under_load_and_callers_see_no_error(tmp_path: Path) -> None:
    async with rehearse(tmp_path, Shape(datacenters=2)) as small:
        identities = [account.account_id for account in small.mobiles()]
        for identity in identities:
            await small.client.top_up(identity, 1_000_000_000_000, request_key=f"enrich-{identity}")
        leaving = [small.system.app_servers[0], small.system.datacenters[1], small.system.domain_servers[0]]
        told: dict[str, int] = {}
        stop = asyncio.Event()
        endless = takewhile(lambda _: not stop.is_set(), load(identities, "drain", LOAD_MAX))
        charging = asyncio.create_task(charge_all(small, endless, told))
        for process in leaving:
            await more(told, charging)
            assert await process.drain() == 0, process.last_words()
        await more(told, charging)
        stop.set()
        await charging
        verdict = await small.verdict(told)
        assert verdict.holds, verdict.complaints


async def more(told: dict[str, int], charging: asyncio.Task[None]) -> None:
    """Wait until some more was charged: the load goes on."""
    enough = len(told) + MORE
    async with asyncio.timeout(60):
        while len(told) < enough:
            assert not charging.done(), "the load ended before its time"
            await asyncio.sleep(0.005)

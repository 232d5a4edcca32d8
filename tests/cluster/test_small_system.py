"""A whole system of separate processes: charge and query, kill, port, drain. Nothing lost, nothing doubled."""

import asyncio
import os
import re
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from onetier.v1 import data_center_pb2 as dc
from onetier.v1 import data_center_pb2_grpc as dc_grpc
from onetier.v1 import service_desk_pb2 as desk
from onetier.v1 import service_desk_pb2_grpc as desk_grpc

from audit import proof
from charging.base.account_id import compose
from cluster.system import Shape
from house.stores import STORES
from onetier_client import requests
from runtime.channel import open_channel
from testkit.rehearsal import DAY_MS, Rehearsal, rehearse

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]
LOAD = 12_000
ROOT = Path(__file__).parents[2]


def load(identities: list[str], count: int) -> Iterator[desk.ServiceRequest]:
    for number in range(count):
        yield requests.charge(
            identities[number % len(identities)],
            "voice",
            61,
            request_key=f"load-{number}",
            event_time_ms=DAY_MS + number,
            channel="front",
            other_party="8613800000000",
        )


async def enrich(small: Rehearsal, identities: list[str]) -> None:
    """Give the subscribers money that lasts."""
    for identity in identities:
        await small.client.top_up(identity, 10_000_000_000, request_key=f"enrich-{identity}")


async def test_charge_and_query_end_to_end(tmp_path: Path) -> None:
    async with rehearse(tmp_path, Shape(datacenters=1)) as small:
        identity = small.mobiles()[0].account_id
        client = small.client
        facts = {"event_time_ms": DAY_MS, "other_party": "8613800000000", "request_key": "once", "explain": True}
        before = await client.balance(identity)
        quoted = await client.quote(identity, "voice", 61, event_time_ms=DAY_MS, other_party="8613800000000")
        charged = await client.charge(identity, "voice", 61, **facts)
        again = await client.charge(identity, "voice", 61, **facts)
        after = await client.balance(identity)
        assert charged.amount == again.amount == quoted.amount
        assert (charged.repeated, again.repeated) == (False, True)
        assert charged.steps
        assert before.real - after.real == charged.amount
        assert (await client.contract(identity)).identity == identity
        assert [line.request_key for line in await client.history(identity, 10) if line.kind == "c"] == ["once"]
        assert (await client.usage(identity)).recent or (await client.usage(identity)).accumulators
        verdict = await small.verdict({"once": charged.amount})
        assert verdict.holds, verdict.complaints


async def test_all_tiers_speak_mutual_tls(tmp_path: Path) -> None:
    recipe = re.search(r"```bash\n(.*?)```", (ROOT / "docs" / "tls.md").read_text("utf-8"), re.DOTALL)
    assert recipe is not None
    folder = tmp_path / "tls"
    folder.mkdir()
    made = await asyncio.create_subprocess_exec("bash", "-ec", recipe[1], cwd=folder, stderr=DEVNULL)
    assert await asyncio.wait_for(made.wait(), 60) == 0
    async with rehearse(tmp_path, Shape(), tls=folder) as small:
        identity = small.mobiles()[0].account_id
        request = next(load([identity], 1))
        charged = (await small.client.ask(request)).charge
        assert charged.account_version > 1
        stranger = open_channel(small.system.endpoints[0])
        with pytest.raises(grpc.aio.AioRpcError):
            await desk_grpc.ServiceDeskServiceStub(stranger).Charge(desk.ChargeRequest(request=request), timeout=3)
        await stranger.close()
        await _operate_with_tls(small, identity, folder)
        verdict = await small.verdict({request.request_key: charged.amount})
        assert verdict.holds, verdict.complaints


async def _operate_with_tls(small: Rehearsal, identity: str, folder: Path) -> None:
    """The commands of clerks and operators, with certificates from a folder, from settings, and without."""
    desk_at = ("--endpoint", small.system.endpoints[0])
    center_at = ("--datacenter", small.system.datacenters[0].address)
    settings = {
        f"ONETIER_TLS_{what}": str(folder / f"operator.{end}") for what, end in (("CERT", "pem"), ("KEY", "key"))
    }
    settings["ONETIER_TLS_CA"] = str(folder / "ca.pem")
    assert "balance of account" in await _onetier(0, {}, "balance", identity, *desk_at, "--tls", str(folder))
    assert "owned by" in await _onetier(0, {}, "resolve", identity, *center_at, "--tls", str(folder))
    assert "owned by" in await _onetier(0, settings, "resolve", identity, *center_at)
    assert "published" in await _onetier(0, settings, "catalog", "publish", "catalogues", *center_at)
    assert "UNAVAILABLE" in await _onetier(1, {}, "resolve", identity, *center_at)
    lost = {**settings, "ONETIER_TLS_CA": str(folder / "gone.pem")}
    assert "gone.pem" in await _onetier(2, lost, "resolve", identity, *center_at)


async def _onetier(status: int, settings: dict[str, str], *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "console.main", *arguments),
        stdout=PIPE,
        stderr=STDOUT,
        cwd=ROOT,
        env={**os.environ, **settings},
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == status, out.decode()
    return out.decode()


async def test_kill_an_appserver_and_a_datacenter_under_load(tmp_path: Path) -> None:
    async with rehearse(tmp_path, Shape(datacenters=2)) as small:
        identities = [account.account_id for account in small.mobiles()]
        await enrich(small, identities)
        told: dict[str, int] = {}
        faults: list[str] = []
        async for request, reply in small.client.exchange(load(identities, LOAD), window=2_000, timeout_ms=60_000):
            if reply.HasField("error"):
                faults.append(reply.error.message)
                continue
            assert request.request_key not in told
            told[request.request_key] = reply.charge.amount
            if len(told) == LOAD // 4:
                small.system.app_servers[0].kill()
            if len(told) == LOAD // 2:
                small.system.datacenters[1].kill()
        assert faults == []
        assert len(told) == LOAD
        assert small.client.repeats > 0
        verdict = await small.verdict(told)
        assert verdict.holds, verdict.complaints
        assert (verdict.lost, verdict.doubled) == (0, 0)


async def test_domain_server_down_is_unavailable_with_a_time_to_retry(tmp_path: Path) -> None:
    async with rehearse(tmp_path, Shape(datacenters=1, domain_servers=1, app_servers=1)) as small:
        identity = small.mobiles()[0].account_id
        small.system.domain_servers[0].kill()
        await small.system.domain_servers[0].wait()
        request = next(load([identity], 1))
        channel = open_channel(small.system.endpoints[0])
        stub = desk_grpc.ServiceDeskServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Charge(desk.ChargeRequest(request=request), timeout=5)
        assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
        info, retry = _details(refused.value)
        assert info.domain == "onetier"
        assert retry.retry_delay.ToMilliseconds() > 0
        await small.system.start_process("domainserver", 7)
        charged = await small.client.ask(request, timeout_ms=30_000)
        await channel.close()
        verdict = await small.verdict({request.request_key: charged.charge.amount})
        assert verdict.holds, verdict.complaints


def _details(error: grpc.aio.AioRpcError) -> tuple[ErrorInfo, RetryInfo]:
    packed = dict(error.trailing_metadata() or ())["grpc-status-details-bin"]
    info, retry = ErrorInfo(), RetryInfo()
    for detail in Status.FromString(packed).details:
        detail.Unpack(info)
        detail.Unpack(retry)
    return info, retry


async def test_a_ported_number_is_served_by_its_new_domain_within_a_second(tmp_path: Path) -> None:
    async with rehearse(tmp_path, Shape(datacenters=2)) as small:
        account = next(account for account in small.mobiles() if account.domain != "GD")
        identity = account.account_id
        await enrich(small, [identity])
        channels = [open_channel(process.address) for process in small.system.datacenters]
        stubs = [dc_grpc.DirectoryServiceStub(channel) for channel in channels]
        told: dict[str, int] = {}
        stop = asyncio.Event()

        async def keep_charging() -> None:
            for request in load([identity], 100_000):
                told[request.request_key] = (await small.client.ask(request)).charge.amount
                if stop.is_set():
                    return

        charging = asyncio.create_task(keep_charging())
        await asyncio.sleep(0.3)
        await stubs[0].Port(
            dc.PortRequest(identity=identity, to_domain="GD", request_key="port-1", actor="test"), timeout=20
        )
        ported = time.monotonic()
        for stub in stubs:
            while (await stub.Resolve(dc.ResolveRequest(identity=identity), timeout=5)).domain != "GD":
                assert time.monotonic() - ported < 1.0
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        stop.set()
        await asyncio.wait_for(charging, 20)
        assert (await small.client.balance(identity)).domain == "GD"
        for channel in channels:
            await channel.close()
        verdict = await small.verdict(told)
        assert verdict.holds, verdict.complaints
        url = small.system.layout.units[small.system.layout.private_of[account.domain]]
        slot = f"{account.domain}/0"
        kinds = await _kinds(url, slot, compose(slot, identity))
        assert kinds[-1] == "out"


async def _kinds(url: str, journal: str, account_id: str) -> list[str]:
    """Kinds of the entries of an account in a journal, refusals left out."""
    unit = await STORES.open(url)
    found = [
        entry.kind
        async for payload in proof.payloads(unit, journal)
        for entry in proof.entries_of(payload)
        if entry.account_id == account_id and entry.events
    ]
    await unit.close()
    return found

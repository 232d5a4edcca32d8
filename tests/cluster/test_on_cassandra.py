"""The same on the real Cassandra: the demo's proof holds, the system outlives an outage, units are on either store."""

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from onetier.v1 import service_desk_pb2 as desk
from onetier.v1 import service_desk_pb2_grpc as desk_grpc

from cluster.system import Shape
from onetier_client import requests
from runtime.channel import open_channel
from testkit.rehearsal import DAY_MS, rehearse
from tests.cluster.callers import TRANSFERS_PILE_UP, Callers
from tests.cluster.history import check_history, read_history
from tests.cluster.small_country import OPENING, call, settle_country, transfer

pytestmark = [pytest.mark.cassandra, pytest.mark.processes, pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[2]


class Cluster(Protocol):
    """What these tests need of the suite's Cassandra."""

    hosts: str

    def url(self, keyspace: str, options: str = "") -> str: ...

    def stop(self, number: int, *, kill: bool = False) -> None: ...

    def start(self) -> None: ...


async def test_the_demo_proves_itself_on_cassandra(cassandra_one: Cluster, tmp_path: Path) -> None:
    out = await onetier(
        *("demo", "--data", str(tmp_path), "--units", cassandra_one.url("demo")),
        *("--subscribers", "310", "--events", "3000"),
    )
    assert "the proof holds" in out


async def test_an_outage_of_cassandra_is_unavailable_and_heals_by_itself(
    cassandra_nodes: Callable[[int], Cluster], tmp_path: Path
) -> None:
    cluster = cassandra_nodes(1)
    shape = Shape(datacenters=1, domain_servers=1, app_servers=1)
    async with rehearse(tmp_path, shape, cluster.url("outage"), subscribers=62) as small:
        identity = small.mobiles()[0].account_id
        told: dict[str, int] = {}

        def request(number: int) -> desk.ServiceRequest:
            key = f"outage-{number}"
            facts = {"request_key": key, "event_time_ms": DAY_MS + number, "other_party": "8613800000000"}
            return requests.charge(identity, "voice", 61, channel="front", **facts)

        told["outage-0"] = (await small.client.ask(request(0))).charge.amount
        await asyncio.to_thread(cluster.stop, 1)
        channel = open_channel(small.system.endpoints[0])
        stub = desk_grpc.ServiceDeskServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Charge(desk.ChargeRequest(request=request(1)), timeout=20)
        assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
        assert retry_ms(refused.value) > 0
        # One that is in memory, and one whose contract the domain server would have to read first.
        for asked in (identity, "13012340000"):
            query = requests.query(asked, "balance", channel="front")
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.Query(desk.QueryRequest(request=query), timeout=20)
            assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
            assert retry_ms(refused.value) > 0
        await asyncio.to_thread(cluster.start)
        told["outage-1"] = (await small.client.ask(request(1), timeout_ms=90_000)).charge.amount
        await channel.close()
        verdict = await small.verdict(told)
        assert verdict.holds, verdict.complaints


def retry_ms(error: grpc.aio.AioRpcError) -> int:
    """When the caller is told to come again, milliseconds."""
    retry = RetryInfo()
    for detail in Status.FromString(dict(error.trailing_metadata() or ())["grpc-status-details-bin"]).details:
        detail.Unpack(retry)
    return int(retry.retry_delay.ToMilliseconds())


async def test_units_are_on_two_stores_at_once_and_one_moves_from_the_one_to_the_other(
    cassandra_one: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONETIER_UNIT_HOSTS", cassandra_one.hosts.partition(":")[0])
    shape = Shape(datacenters=1, domain_servers=2, app_servers=1)
    elsewhere = {"private-xj": cassandra_one.url("mixed_xj")}
    async with settle_country(
        tmp_path, slots={"GD": 2, "XJ": 1}, people=6, shape=shape, elsewhere=elsewhere
    ) as country:
        layout, people = country.system.layout, country.everybody
        assert {url.partition(":")[0] for url in layout.units.values()} == {"sqlite", "cassandra"}

        def both(number: int) -> list[desk.ServiceRequest]:
            one, other = people[number % len(people)], people[(number + 6) % len(people)]
            return [transfer(one, other, number) if number % 5 == 0 else call(one, number)]

        callers = Callers(country.client, both, 12, 10_000, TRANSFERS_PILE_UP)
        moved_to = cassandra_one.url("mixed_gd")
        try:
            await asyncio.sleep(1.0)
            before = len(callers.told)
            await onetier("unit", "move", "private-gd", moved_to, "--directory", layout.directory)
            during = len(callers.told)
            await asyncio.sleep(1.0)
        finally:
            await callers.stop(60)
        assert 0 < before < during < len(callers.told)
        layout.units["private-gd"] = moved_to
        told = sum(each.amount for each in callers.told.values())
        balances = await country.settled_balances(OPENING * len(people) - told, 60)
        await country.system.supervisor.drain()
        history = await read_history(country.journals, country.ring)
        figures = check_history(callers.sent, callers.told, balances, history, callers.refused)
        assert callers.complaints == []
        assert (figures.lost, figures.doubled, figures.unbalanced) == (0, 0, 0), figures.findings


async def onetier(*arguments: str) -> str:
    """Run a command that must succeed; gives what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "console.main", *arguments, stdout=PIPE, stderr=STDOUT, cwd=ROOT
    )
    out, _ = await asyncio.wait_for(process.communicate(), 400)
    assert process.returncode == 0, out.decode()
    return out.decode()

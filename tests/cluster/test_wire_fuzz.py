"""Every service of every tier is sent messages at random, over real sockets, beside a client that does honest work.

`ONETIER_FUZZ_SECONDS` says for how long, `ONETIER_FUZZ_SEED` which messages; the seed is printed. `make fuzz` takes
longer.
"""

import asyncio
import os
import random
import re
import time
import urllib.request
from collections import Counter
from pathlib import Path

import grpc
import pytest
from onetier.v1 import service_desk_pb2 as desk
from onetier.v1 import service_desk_pb2_grpc as desk_grpc
from prometheus_client.parser import text_string_to_metric_families

from cluster.supervisor import Running
from cluster.system import Shape
from onetier_client import requests
from runtime.channel import open_channel
from testkit.rehearsal import DAY_MS, Rehearsal, rehearse
from tests.cluster.wire_fuzz import Maker, Target, targets

SECONDS = float(os.environ.get("ONETIER_FUZZ_SECONDS", "10"))
pytestmark = [pytest.mark.processes, pytest.mark.timeout(180 + 2 * SECONDS)]
WORKERS = 6
STREAM_MESSAGES = 60
GROWTH_MB_MAX = 300
"""Of the memory of one process; what one message may hold is bounded, and little is kept of any."""
CALM_S_MAX = 5.0
IN_FLIGHT = ("items_in_flight", "bytes_in_flight", "queue_entries")


class Neighbour:
    """An honest client on one stream that must never end."""

    def __init__(self, address: str, identity: str) -> None:
        self.served = 0
        self.slowest_s = 0.0
        self.stopping = False
        self._identity = identity
        self._channel = open_channel(address)
        self._call = desk_grpc.ServiceDeskServiceStub(self._channel).Exchange()

    async def work(self) -> None:
        """Charge one call after the other until it is told to stop."""
        while not self.stopping:
            await self.charge()
            await asyncio.sleep(0.01)

    async def charge(self) -> None:
        """Charge one call, on the same stream as ever."""
        key, began = f"honest-{self.served}", time.monotonic()
        facts: requests.Facts = {"request_key": key, "event_time_ms": DAY_MS, "channel": "front"}
        request = requests.charge(self._identity, "voice", 61, other_party="8613800000000", **facts)
        await self._call.write(desk.ExchangeRequest(batch_id=self.served, timeout_ms=10_000, requests=[request]))
        response = await asyncio.wait_for(self._call.read(), 15)
        assert response is not grpc.aio.EOF, "the stream of an honest client ended"
        assert not response.HasField("error"), response.error
        (reply,) = response.replies
        assert reply.HasField("charge"), reply.error
        self.served += 1
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)

    async def close(self) -> None:
        self._call.cancel()
        await self._channel.close()


async def bombard(target: Target, maker: Maker, channel: grpc.aio.Channel) -> int:
    """Send some messages to a method; gives how many. Whatever it answers is right, if it goes on."""
    sent = 0
    if not target.streams:
        await asyncio.wait_for(channel.unary_unary(target.path)(maker.message(target.request), timeout=2), 5)
        return 1
    call = channel.stream_stream(target.path)(timeout=3)
    try:
        for message in maker.several(target.request, STREAM_MESSAGES):
            await asyncio.wait_for(call.write(message), 3)
            sent += 1
        async with asyncio.timeout(0.1):
            while await call.read() is not grpc.aio.EOF:
                pass
    except TimeoutError:
        pass
    finally:
        call.cancel()
    return sent


async def fuzz(aims: list[Target], identities: list[str], seed: int, until: float) -> Counter[str]:
    """Send messages until a time, from several workers; gives how many each method was sent."""
    sent: Counter[str] = Counter()
    addresses = {aim.address for aim in aims}

    async def work(number: int) -> None:
        chance = random.Random(seed + number)
        maker = Maker(chance, identities)
        channels = {address: open_channel(address) for address in addresses}
        while time.monotonic() < until:
            target = chance.choice(aims)
            try:
                sent[target.path] += await bombard(target, maker, channels[target.address])
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                sent[target.path] += 1  # Refused; that is what it is for.
        for channel in channels.values():
            await channel.close()

    await asyncio.gather(*(work(number) for number in range(WORKERS)))
    return sent


def figures(process: Running) -> dict[str, float]:
    """The current values that a process shows."""
    with urllib.request.urlopen(f"http://{process.metrics}/metrics", timeout=5) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    return {
        sample.labels["what"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == "onetier_now"
    }


def memory_mb(process: Running) -> float:
    """Resident memory."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text("ascii"))
    assert found is not None
    return int(found[1]) / 1024


def everybody(small: Rehearsal) -> list[Running]:
    system = small.system
    return [*system.app_servers, *system.datacenters, *system.domain_servers, *system.running["watch"]]


async def until_nothing_is_in_flight(processes: list[Running]) -> None:
    async with asyncio.timeout(30):
        for process in processes:
            while True:
                shown = await asyncio.to_thread(figures, process)
                if not any(shown.get(name) for name in IN_FLIGHT):
                    break
                await asyncio.sleep(0.2)


async def test_no_message_ends_a_process_or_a_neighbours_stream(tmp_path: Path) -> None:
    seed = int(os.environ.get("ONETIER_FUZZ_SEED", "0")) or time.time_ns() // 1_000_000
    print(f"ONETIER_FUZZ_SEED={seed}")
    async with rehearse(tmp_path, Shape(datacenters=1, domain_servers=1, app_servers=1, feeds=1)) as small:
        honest, *harmed = [one.members[0].identity for one in small.mobiles()][:21]
        await small.client.top_up(honest, 10**15, request_key="rich")
        processes = everybody(small)
        system = small.system
        tiers = {"appserver": system.app_servers, "datacenter": system.datacenters}
        tiers["domainserver"] = system.domain_servers
        tiers["watch"] = system.running["watch"]
        aims = targets({tier: [one.address for one in running] for tier, running in tiers.items()})
        neighbour = Neighbour(system.endpoints[0], honest)
        await neighbour.charge()
        before = {one.name: memory_mb(one) for one in processes}
        working = asyncio.create_task(neighbour.work())
        sent = await fuzz(aims, harmed, seed, time.monotonic() + SECONDS)
        neighbour.stopping = True
        await working
        await until_nothing_is_in_flight(processes)
        await neighbour.charge()
        assert [one.name for one in processes if one.returncode is not None] == []
        assert set(sent) == {aim.path for aim in aims}, "every method was sent something"
        growth = {one.name: round(memory_mb(one) - before[one.name]) for one in processes}
        print(f"{sum(sent.values()):,} messages in {SECONDS:.0f} s, memory grew by MB {growth}")
        print(f"neighbour: {neighbour.served} charges, slowest {neighbour.slowest_s * 1000:.0f} ms")
        assert max(growth.values()) < GROWTH_MB_MAX
        assert neighbour.slowest_s < CALM_S_MAX
        await neighbour.close()

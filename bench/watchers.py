"""The feed under 1, 10 and 100 watchers: events a second, and what they cost the owner of the accounts beside them.

Watchers, feed, owner and whoever charges share the cores, so what they take from the charges is told by the owner's own
CPU for each. Whatever else keeps the cores busy makes that dearer (its groups are smaller, its caches colder), watchers
or not: so the limit is the owner beside processes that take as much CPU as feed and watchers did and touch nothing.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct
from onetier.v1 import watch_pb2 as pb

from bench.system import cpu_of, cpu_seconds, running
from bench.table import Aim, Bench, Row
from bench.tiers import DOMAINS, charged
from cluster.system import Shape, System
from country.population import Population
from runtime.channel import open_channel

METHOD = "/onetier.v1.WatchService/Watch"
COST = Aim("≤ 3 % of the owner's CPU", 1.03, at_least=False)
ALL_TOLD_S = 120.0
TURN_S = 0.01
BURNER = """
import sys, time
share, turn = float(sys.argv[1]), float(sys.argv[2])
began, spent = time.perf_counter(), time.process_time()
while True:
    while time.process_time() - spent < share * (time.perf_counter() - began):
        sum(range(1_000))
    time.sleep(turn)
"""
"""Takes a share of a core, for ever."""


class _Watcher:
    """Takes batches and counts the events in them, reading nothing else."""

    def __init__(self, address: str) -> None:
        self.events = 0
        self._channel = open_channel(address, None, role="watch")
        self._stream = self._channel.unary_stream(
            METHOD, request_serializer=pb.WatchRequest.SerializeToString, response_deserializer=_events_of
        )(pb.WatchRequest(regions=[DOMAINS[0]], events_max=1_000))
        self._task = asyncio.create_task(self._take())

    async def _take(self) -> None:
        async for events in self._stream:
            self.events += events

    async def close(self) -> None:
        """Leave."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._channel.close()


def _events_of(raw: bytes) -> int:
    """Count the events of a batch by its outermost fields: tag 1 of `WatchResponse`, each with its length."""
    at = count = 0
    while at < len(raw) and raw[at] == 0x0A:
        at += 1
        size = shift = 0
        while raw[at] & 0x80:
            size |= (raw[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
        at += 1 + (size | raw[at] << shift)
        count += 1
    return count


async def watchers(bench: Bench) -> None:
    """A row for each number of watchers."""
    scale = bench.scale
    shape = Shape(1, 1, 1, feeds=1)
    async with running(bench.base(), bench.folder, DOMAINS[:1], scale.people, shape) as (system, people):
        await charged(system, people, "warm", scale.warm)
        for count in scale.watchers:
            await _row(bench, system, people, count)


async def _row(bench: Bench, system: System, people: Population, count: int) -> None:
    items = bench.scale.items
    own = time.process_time()
    alone = await _charged(system, people, items)
    driver_s = time.process_time() - own
    address = system.running["watch"][0].address
    watching = [_Watcher(address) for _ in range(count)]
    await asyncio.sleep(1.0)  # They stand at the end of the journal by then.
    feed, own, began = _feed_s(system), time.process_time(), time.perf_counter()
    beside = await _charged(system, people, items)
    async with asyncio.timeout(ALL_TOLD_S):
        while min(each.events for each in watching) < items:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    told_s = time.perf_counter() - began
    watched_s = time.process_time() - own - driver_s
    shares = (_feed_s(system) - feed) / told_s, max(watched_s, 0.0) / told_s
    for each in watching:
        await each.close()
    with _burning(shares):
        busy = await _charged(system, people, items)
    ratio = beside.owner_us / busy.owner_us
    bench.add(
        Row(
            f"feed, {count} watcher{'s' if count > 1 else ''}",
            f"{count * items / told_s:,.0f} events/s",
            f"owner {busy.owner_us:.1f} µs a charge beside as much other work",
            f"owner {ratio:.2f} times",
            f"alone {alone.owner_us:.1f} µs; charges {beside.speed:,.0f}/s, {busy.speed:,.0f} beside other work, "
            f"{alone.speed:,.0f} alone",
        ),
        COST,
        ratio,
    )


class _Leg(Struct, frozen=True):
    """One run of charges."""

    owner_us: float
    """CPU of the owner a charge."""
    speed: float
    """Charges a second."""


async def _charged(system: System, people: Population, items: int) -> _Leg:
    before = cpu_seconds(system)["domainserver"]
    done = await charged(system, people, "watched", items)
    return _Leg((cpu_seconds(system)["domainserver"] - before) / items * 1e6, items / done.seconds)


def _feed_s(system: System) -> float:
    return sum(cpu_of(process.pid) for process in system.running["watch"])


@contextmanager
def _burning(shares: tuple[float, ...]) -> Iterator[None]:
    """Keep cores as busy as somebody was: a process for each share of a core."""
    command = [sys.executable, "-c", BURNER]
    burners = [subprocess.Popen([*command, f"{share:.3f}", str(TURN_S)]) for share in shares]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()

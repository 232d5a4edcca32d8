"""The feed under 1, 10 and 100 watchers: events a second, and what they cost the owner of the accounts beside them.

Watchers, feed, owner and whoever charges share the cores, so what they take from the charges is told by the owner's own
CPU for each: before and after with nobody watching, in between with all.
"""

import asyncio
import time

from onetier.v1 import watch_pb2 as pb

from bench.system import cpu_seconds, running
from bench.table import Aim, Bench, Row
from bench.tiers import DOMAINS, charged
from cluster.system import Shape, System
from country.population import Population
from runtime.channel import open_channel

METHOD = "/onetier.v1.WatchService/Watch"
COST = Aim("≤ 3 % of the owner's CPU", 1.03, at_least=False)
ALL_TOLD_S = 120.0


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
    before_us, alone_s = await _owner_us(system, people, items)
    address = system.running["watch"][0].address
    watching = [_Watcher(address) for _ in range(count)]
    await asyncio.sleep(1.0)  # They stand at the end of the journal by then.
    began = time.perf_counter()
    beside_us, beside_s = await _owner_us(system, people, items)
    async with asyncio.timeout(ALL_TOLD_S):
        while min(each.events for each in watching) < items:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    told_s = time.perf_counter() - began
    for each in watching:
        await each.close()
    after_us, again_s = await _owner_us(system, people, items)
    alone_us = (before_us + after_us) / 2
    ratio = beside_us / alone_us
    speed, alone = items / beside_s, 2 * items / (alone_s + again_s)
    bench.add(
        Row(
            f"feed, {count} watcher{'s' if count > 1 else ''}",
            f"{count * items / told_s:,.0f} events/s",
            f"owner {alone_us:.0f} µs a charge with nobody watching",
            f"owner {ratio:.2f} times",
            f"charges on shared cores: {speed:,.0f}/s beside, {alone:,.0f}/s without",
        ),
        COST,
        ratio,
    )


async def _owner_us(system: System, people: Population, items: int) -> tuple[float, float]:
    """Charge; give the owner's CPU of each, microseconds, and how long it took, seconds."""
    before = cpu_seconds(system)["domainserver"]
    done = await charged(system, people, "watched", items)
    return (cpu_seconds(system)["domainserver"] - before) / items * 1e6, done.seconds

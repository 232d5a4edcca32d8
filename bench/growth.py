"""How the cost of a charge grows: with subscribers, with domain servers, with smaller batches.

The small system runs on beside the large one and is measured right before and right after it, so that what else the
machine does at the moment is in both.
"""

import time

from bench import hops
from bench.driver import Packed, pack
from bench.limits import beside
from bench.system import charges, resident_bytes, running
from bench.table import Aim, Bench, Row
from bench.tiers import DOMAINS, batch_bytes, charged, pushed
from cluster.system import Shape, System
from country.population import Population

MILLION = 1_000_000
FLAT = Aim("a million ≥ 90 %", 0.9)
FEW = Shape(1, 1, 1)
CACHES = ("ONETIER_ACCOUNTS_CACHED_MAX", "ONETIER_HOT_ACCOUNTS_MAX")
"""Sized for all who call within minutes, as an operator would."""


async def growth(bench: Bench) -> None:
    """All three."""
    await _subscribers(bench)
    await _servers(bench)


async def _subscribers(bench: Bench) -> None:
    scale = bench.scale
    async with running(bench.base(), bench.folder, DOMAINS[:1], scale.people, FEW) as (small, few):
        resident = resident_bytes(small)
        await charged(small, few, "warm", scale.warm)
        for subscribers in scale.subscribers:
            sized = dict.fromkeys(CACHES, str(max(subscribers, 100_000)))
            async with running(bench.base(), bench.folder, DOMAINS[:1], subscribers, FEW, sized) as (large, many):
                each = (resident_bytes(large) - resident) / (subscribers - scale.people)
                await charged(large, many, "warm", max(scale.warm, min(subscribers, scale.warm_max)))
                aim = FLAT if subscribers >= MILLION else None
                await _against(bench, (small, few), (large, many), f"{subscribers:,} subscribers", aim)
            what = f"memory of a subscriber, {subscribers:,} of them"
            how = "resident in all tiers, accounts just opened, less that of the small country"
            bench.add(Row(what, f"{each:,.0f} bytes", how=how))
        await _batches(bench, small, few)


async def _servers(bench: Bench) -> None:
    scale, domains = bench.scale, DOMAINS[:4]
    async with running(bench.base(), bench.folder, domains, scale.people, FEW) as (one, people):
        await charged(one, people, "warm", scale.warm)
        for servers in scale.servers:
            shape = Shape(1, servers, 1)
            async with running(bench.base(), bench.folder, domains, scale.people, shape) as (more, same):
                await charged(more, same, "warm", scale.warm)
                await _against(bench, (one, people), (more, same), f"{servers} domain servers, four domains")


async def _against(
    bench: Bench,
    small: tuple[System, Population],
    large: tuple[System, Population],
    what: str,
    aim: Aim | None = None,
) -> None:
    """Measure the large system between two measurements of the small one."""
    items = bench.scale.items

    async def before_and_after() -> float:
        return (await charged(*small, "small", items)).per_second

    done, limit = await beside(before_and_after, lambda: charged(*large, "large", items))
    ratio = done.per_second / limit
    people, servers = len(small[1].accounts), len(small[0].domain_servers)
    how = "the small system runs on beside it; subscribers in turn from all over the country"
    limited = f"{limit:,.0f}/s with {people:,} subscribers on {servers}"
    bench.add(Row(what, f"{done.per_second:,.0f}/s", limited, f"{ratio:.0%}", how), aim, ratio)


async def _batches(bench: Bench, system: System, people: Population) -> None:
    with hops.chain() as address:
        for batch in bench.scale.batches:
            items, window = min(bench.scale.items, 5_000 * batch), max(4, 1_000 // batch)
            asked = charges(people, items, f"b{batch}-{time.time_ns()}")
            packed = pack(asked, batch, system.endpoints)

            async def echo(size: int = batch_bytes(asked[:batch]), batch: int = batch, window: int = window) -> float:
                return await hops.echo_rate(address, size, batch, bench.scale.limit_s, window)

            async def row(packed: dict[str, list[Packed]] = packed, window: int = window) -> float:
                return (await pushed(packed, window)).per_second

            speed, limit = await beside(echo, row)
            what, how = (
                f"batches of {batch:,}",
                f"{window:,} in flight; our tiers merge what arrives together, the echo does not",
            )
            bench.add(Row(what, f"{speed:,.0f}/s", f"echo {limit:,.0f}/s", f"{speed / limit:.1%}", how))

"""How long a domain server takes to serve again, against the journal it finds; and what it remembers costs."""

import asyncio
import gc
import json
import time
import tracemalloc
from pathlib import Path

from bench import domainserver, router
from bench.system import charges, running
from bench.table import Aim, Bench, Row
from bench.tiers import DOMAINS, charged
from cluster.system import Shape
from directory.routes import RouteCache
from onetier_client import AsyncClient

NEVER = {"ONETIER_SNAPSHOT_ENTRIES": "1000000000", "ONETIER_SNAPSHOT_INTERVAL_MS": "1000000000"}
"""Nothing is written down, so that the whole journal is replayed."""
MILLION = 1_000_000
RECOVERY = Aim("a million < 20 s", 20, at_least=False)
HOT_ACCOUNT = Aim("≤ 1,500 bytes", 1_500, at_least=False)
ANSWER_MS_MAX = 300_000


async def starts(bench: Bench) -> None:
    """Kill a domain server and start it again on what it left: until it says ready, and until a charge is durable."""
    for entries in bench.scale.journals:
        base, people = bench.base(), bench.scale.people
        async with running(base, bench.folder, DOMAINS[:1], people, Shape(1, 1, 1), NEVER) as (system, population):
            if entries:
                await charged(system, population, "journal", entries)
            victim = system.domain_servers.pop()
            victim.kill()
            await victim.wait()
            found_before = _recovered(victim.log)
            (request,) = charges(population, 1, f"first-{time.time_ns()}")
            began = time.perf_counter()
            system.domain_servers.append(await system.start_process("domainserver", 0))
            ready = time.perf_counter() - began
            async with AsyncClient(system.endpoints) as client:
                await client.ask(request, timeout_ms=ANSWER_MS_MAX)
            took = time.perf_counter() - began
            found = _recovered(victim.log) - found_before
        row = Row(
            f"start of a domain server on {entries:,} charges",
            f"first charge durable after {took:.2f} s",
            f"ready to be called after {ready:.2f} s",
            how=f"{found:,} entries replayed, {took / max(1, found) * 1e6:.1f} µs each, openings among them",
        )
        bench.add(row, RECOVERY if entries >= MILLION else None, took)


def _recovered(log: Path) -> int:
    """Entries that takeovers have replayed, by the log of the process."""
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines() if '"recovered"' in line]
    return sum(int(line["entries"]) for line in lines)


async def memory(bench: Bench) -> None:
    """Bytes of an account and of a route."""
    for name, size in (await domainserver.memory(bench.scale.in_memory)).items():
        what = f"memory of an account in a domain server, {name}"
        bench.add(Row(what, f"{size:,.0f} bytes"), HOT_ACCOUNT if name == "hot" else None, size)
    size = await asyncio.to_thread(route_bytes, bench.scale.in_memory)
    bench.add(Row("memory of a route in a data center", f"{size:,.0f} bytes", how="the identity's string among them"))


def route_bytes(routes: int) -> float:
    """Fill the cache of a data center and see what it holds."""
    state = router.country()
    cache = RouteCache(state, routes * 2)
    identities = router.identities(8)[:routes]
    gc.collect()
    tracemalloc.start()
    for identity in identities:
        # As a process has it: the string came with the request.
        cache[identity.encode().decode()]
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held / len(set(identities))

"""`make bench`: one table, each row beside its own limit, measured on the same machine in the same run.

    python -m bench.everything [--cassandra URL] [--no-cassandra] [--full]

A limit is measured right before and right after its row and averaged, so that a noisy machine still gives a true ratio.
`--full` adds a million subscribers and a million journal entries.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench import domainserver, hops, rating, storage
from bench.driver import Driven, drive, pack
from bench.system import charges, cpu_seconds, queries, running
from console.sample.domains import REGIONS
from console.sample.population import Population
from console.system import Shape, System
from localcassandra.cluster import Settings
from localcassandra.harness import LocalCluster, free_network
from onetier_client import AsyncClient
from storage.open import open_unit

ITEMS = 100_000
BATCH = 500
BYTES_OF_A_CHARGE = 150
DOMAINS = tuple(region.code for region in REGIONS)
out = Console(highlight=False)


class Row(Struct):
    """One line of the table."""

    what: str
    figure: str
    limit: str = ""
    ratio: str = ""
    how: str = ""


class Bench:
    """Collects rows; each is printed when it is known."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[Row] = []
        self._runs = 0

    def add(self, row: Row) -> None:
        """Keep and print a row."""
        self.rows.append(row)
        out.print(f"{row.what}: {row.figure}   {row.limit}   {row.ratio}   {row.how}", soft_wrap=True)

    def base(self) -> str:
        """Give a fresh folder of SQLite units."""
        self._runs += 1
        units = self.folder / f"units-{self._runs}"
        units.mkdir()
        return f"sqlite://{units}"

    def table(self) -> Table:
        """Give everything."""
        table = Table("row", "measured", "limit beside it", "ratio", "how", title=_machine())
        for row in self.rows:
            table.add_row(row.what, row.figure, row.limit, row.ratio, row.how)
        return table


async def pushed(system: System, batches: list[bytes], items: int, batch: int, window: int = 8) -> Driven:
    """Drive all items through the front door; every refusal is an error of the measurement."""
    sizes = [min(batch, items - at) for at in range(0, items, batch)]
    done = await drive(system.endpoints, batches, sizes, window)
    if done.faults:
        raise RuntimeError(f"refused: {dict(done.faults)}")
    return done


async def beside(limit: Callable[[], Awaitable[float]], row: Callable[[], Awaitable[Driven]]) -> tuple[Driven, float]:
    """Measure a row between two measurements of its limit."""
    before = await limit()
    done = await row()
    return done, (before + await limit()) / 2


async def through_all_tiers(bench: Bench, name: str, base: str, shape: Shape, domains: Sequence[str]) -> float:
    """Charges, one hot account, queries, unary calls; gives the charges a second."""
    async with running(base, bench.folder, domains, 10_000, shape) as (system, people):
        with hops.chain() as address:

            async def echo() -> float:
                return await hops.echo_rate(address, BATCH * BYTES_OF_A_CHARGE, BATCH, 3.0)

            await _charged(bench, system, people, f"{name}-warm", 20_000)
            before = cpu_seconds(system)
            done, limit = await beside(echo, lambda: _charged(bench, system, people, name, ITEMS))
            spent = {tier: used - before[tier] for tier, used in cpu_seconds(system).items()}
            shares = ", ".join(f"{tier} {used / ITEMS * 1e6:.0f} µs" for tier, used in spent.items())
            bench.add(_rated(f"charge, {name}", done, limit, f"CPU each: {shares}"))
            hot = Population(people.accounts[:1])
            done, limit = await beside(echo, lambda: _charged(bench, system, hot, f"{name}-hot", 50_000))
            bench.add(_rated(f"charge on one hot account, {name}", done, limit, "batches of 500"))
            asked = pack(queries(people, ITEMS), BATCH)
            done, limit = await beside(echo, lambda: pushed(system, asked, ITEMS, BATCH))
            bench.add(_rated(f"query and dry run, {name}", done, limit, "half balances, half quotes"))
            peak = next(
                float(r.figure.split("/")[0].replace(",", "")) for r in bench.rows if r.what == f"charge, {name}"
            )
            await _unary(bench, name, system, people, address, peak / 10)
            return peak


async def _charged(bench: Bench, system: System, people: Population, run: str, items: int) -> Driven:
    batches = pack(charges(people, items, f"{run}-{time.time_ns()}"), BATCH)
    return await pushed(system, batches, items, BATCH)


def _rated(what: str, done: Driven, limit: float, how: str) -> Row:
    return Row(what, f"{done.per_second:,.0f}/s", f"{limit:,.0f}/s echo", f"{done.per_second / limit:.1%}", how)


async def _unary(bench: Bench, name: str, system: System, people: Population, address: str, per_second: float) -> None:
    requests = charges(people, int(per_second * 8), f"{name}-unary-{time.time_ns()}")
    waits: list[float] = []
    async with AsyncClient(system.endpoints) as client:
        pending = iter(requests)

        async def one() -> None:
            began = time.perf_counter()
            await client.ask(next(pending))
            waits.append((time.perf_counter() - began) * 1_000)

        await hops.steady(one, len(requests), per_second)
    raw = await hops.unary_waits_ms(address, min(len(requests), 4_000), min(per_second, 1_000))
    waits.sort()
    bench.add(
        Row(
            f"unary charge at a tenth of peak, {name}",
            _tail(waits),
            f"{_tail(raw)} three bare hops",
            "",
            f"{per_second:,.0f} calls/s",
        )
    )


def _tail(waits: list[float]) -> str:
    at = [waits[min(len(waits) - 1, int(len(waits) * share))] for share in (0.5, 0.99, 0.999)]
    return "p50 / p99 / p99.9 " + " / ".join(f"{wait:.1f}" for wait in at) + " ms"


async def growth(bench: Bench, *, full: bool) -> None:
    """How the cost of a charge grows with subscribers, domain servers, batch size."""
    first = 0.0
    for subscribers in (10_000, 100_000, *((1_000_000,) if full else ())):
        async with running(bench.base(), bench.folder, DOMAINS[:1], subscribers, Shape(1, 1, 1)) as (system, people):
            await _charged(bench, system, people, "warm", 20_000)
            done = await _charged(bench, system, people, "grow", ITEMS)
            first = first or done.per_second
            ratio = f"{done.per_second / first:.0%}"
            bench.add(Row(f"{subscribers:,} subscribers", f"{done.per_second:,.0f}/s", "flat", ratio, "one domain"))
            if subscribers == 10_000:
                await _batches(bench, system, people)
    alone = 0.0
    for servers in (1, 2, 4):
        async with running(bench.base(), bench.folder, DOMAINS[:4], 10_000, Shape(1, servers, 1)) as (system, people):
            await _charged(bench, system, people, "warm", 20_000)
            done = await _charged(bench, system, people, "servers", ITEMS)
            alone = alone or done.per_second
            ratio = f"{done.per_second / alone:.0%}"
            bench.add(
                Row(f"{servers} domain servers", f"{done.per_second:,.0f}/s", "flat", ratio, "four domains, 2 cores")
            )


async def _batches(bench: Bench, system: System, people: Population) -> None:
    for batch in (1, 10, 100, 1_000):
        items = min(ITEMS, 5_000 * batch)
        body = pack(charges(people, items, f"b{batch}-{time.time_ns()}"), batch)
        done = await pushed(system, body, items, batch, max(4, 1_000 // batch))
        bench.add(
            Row(f"batches of {batch}", f"{done.per_second:,.0f}/s", "", "", f"{max(4, 1_000 // batch)} in flight")
        )


def rating_alone(bench: Bench) -> None:
    """Rate without any tier, by case."""
    for name, speed, middle in rating.cases(1.0):
        bench.add(Row(f"rating only, {name}", f"{speed:,.0f}/s a core", how=f"p50 {middle:.1f} µs"))


async def recovery_and_memory(bench: Bench, *, full: bool) -> None:
    """Takeover time against journal length; bytes an account."""
    for entries in (50_000, 200_000, *((1_000_000,) if full else ())):
        url = f"sqlite://{bench.folder}/recovery-{entries}.db"
        found, took = await domainserver.recovery(url, 10_000, entries)
        bench.add(Row(f"recovery of {found:,} entries", f"{took:.2f} s", "", "", f"{took / found * 1e6:.1f} µs each"))
    for name, size in (await domainserver.memory(10_000)).items():
        bench.add(Row(f"memory of an account, {name}", f"{size:,.0f} bytes"))


async def raw_journal(bench: Bench, url: str) -> None:
    """What the store itself takes, in groups of 200 entries."""
    unit = await open_unit(url)
    try:
        for journals in (1, 8):
            rate, waits = await storage.swaps(unit, journals, str(time.time_ns()))
            how = f"group p50 {waits[len(waits) // 2]:.1f} ms"
            bench.add(Row(f"raw group commit, {journals} journals", f"{rate:,.0f} entries/s", "", "", how))
    finally:
        await unit.close()


async def run(arguments: argparse.Namespace, folder: Path) -> Bench:
    """Measure everything."""
    bench = Bench(folder)
    rating_alone(bench)
    await raw_journal(bench, f"sqlite://{folder}/raw.db")
    await through_all_tiers(bench, "SQLite", bench.base(), Shape(1, 1, 1), DOMAINS[:1])
    await through_all_tiers(bench, "SQLite, 31 domains", bench.base(), Shape(1, 2, 2), DOMAINS)
    await growth(bench, full=arguments.full)
    await recovery_and_memory(bench, full=arguments.full)
    return bench


async def on_cassandra(bench: Bench, hosts: str) -> None:
    """The same on Cassandra."""
    await raw_journal(bench, f"cassandra://{hosts}/bench_raw?rf=1")
    for name, domains, shape in (
        ("Cassandra", DOMAINS[:1], Shape(1, 1, 1)),
        ("Cassandra, 31 domains", DOMAINS, Shape(1, 2, 2)),
    ):
        base = f"cassandra://{hosts}/bench_{time.time_ns():x}?rf=1"
        await through_all_tiers(bench, name, base, shape, domains)


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, all tiers and the load generator on them"


def main() -> None:
    """Read the arguments, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cassandra", default="", help="hosts of a running cluster; default: one started for the run")
    parser.add_argument("--no-cassandra", action="store_true")
    parser.add_argument("--full", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="onetier-bench-") as name:
        folder = Path(name)
        bench = asyncio.run(run(arguments, folder))
        if arguments.cassandra:
            asyncio.run(on_cassandra(bench, arguments.cassandra))
        elif not arguments.no_cassandra:
            cluster = LocalCluster(folder / "cassandra", Settings(nodes=1, network=free_network(1)))
            try:
                asyncio.run(on_cassandra(bench, cluster.hosts))
            finally:
                cluster.close()
        out.print(bench.table())


if __name__ == "__main__":
    main()

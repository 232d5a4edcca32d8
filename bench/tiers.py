"""Charges, one hot account, queries and single calls through all tiers, each beside what the machine leaves to it."""

import gc
import time
from collections.abc import Mapping, Sequence

from onetier.v1 import service_desk_pb2 as desk

from bench import hops
from bench.driver import Driven, Packed, drive, pack, summed
from bench.limits import Groups, Journals, RawStore, beside
from bench.system import charges, cpu_seconds, queries, running, steps_of_sessions
from bench.table import Aim, Bench, Row
from cluster.system import Shape, System
from country.domains import REGIONS
from country.population import Population
from house.stores import STORES
from onetier_client import AsyncClient
from storage.unit import Unit

BATCH = 500
ECHO_CALLS_PER_S_MAX = 300
"""Some 1,000 single calls a second are all that three bare hops carry on two cores, and then they queue."""
DOMAINS = tuple(region.code for region in REGIONS)
CHARGES = {"SQLite": Aim("30,000/s", 30_000), "Cassandra": Aim("20,000/s", 20_000)}
HOT, QUERIES = Aim("10,000/s", 10_000), Aim("40,000/s", 40_000)
UNARY = Aim("p99 < 25 ms", 25, at_least=False)


async def pushed(batches: Mapping[str, Sequence[Packed]], window: int = 8) -> Driven:
    """Drive all items through the front door; every refusal is an error of the measurement."""
    done = await drive(batches, window)
    if done.faults:
        raise RuntimeError(f"refused: {dict(done.faults)}")
    return done


async def charged(system: System, people: Population, run: str, items: int) -> Driven:
    """Charge so many events, in batches."""
    return await pushed(pack(charges(people, items, f"{run}-{time.time_ns()}"), BATCH, system.endpoints))


def batch_bytes(requests: Sequence[desk.ServiceRequest]) -> int:
    """Size of a batch of these requests."""
    return desk.ExchangeRequest(requests=requests).ByteSize()


class Tiers:
    """One running system with its limits."""

    def __init__(
        self, bench: Bench, store: str, name: str, system: System, people: Population, echo: str, raw: Unit
    ) -> None:
        self._bench = bench
        self._store = store
        self._name = name
        self._system = system
        self._people = people
        self._echo_at = echo
        self._raw = RawStore(raw, len(system.domain_servers))
        self._journals = Journals(system)
        self._formed = Groups(1, 1, 1, 1)

    async def measure(self) -> None:
        """All rows."""
        scale = self._bench.scale
        warm = scale.warm_cassandra if self._store == "Cassandra" else scale.warm
        await self._journals.since(0)
        await charged(self._system, self._people, f"{self._name}-warm", warm)
        self._formed = await self._journals.since(warm)
        peak = await self._charges(self._people, "charge", scale.items, CHARGES[self._store])
        await self._charges(Population(self._people.accounts[:1]), "charge on one hot account", scale.hot, HOT)
        await self._sessions()
        await self._queries()
        await self._unary(peak / 10)

    async def _charges(self, people: Population, what: str, items: int, aim: Aim) -> float:
        """Measure between echoes and raw group commits, those in groups as large as the charges formed."""
        before: dict[str, float] = {}
        spent: dict[str, float] = {}
        raw: list[float] = []

        async def limit() -> float:
            raw.append(await self._raw.entries_per_s(self._formed, self._bench.scale.limit_s))
            return await self._echo(BATCH, batch_bytes(charges(people, BATCH, f"size-{time.time_ns()}")))

        async def row() -> Driven:
            await self._journals.since(0)
            before.update(cpu_seconds(self._system))
            done = await charged(self._system, people, what, items)
            spent.update({tier: used - before[tier] for tier, used in cpu_seconds(self._system).items()})
            self._formed = await self._journals.since(items)
            return done

        done, echo = await beside(limit, row)
        store = sum(raw) / len(raw)
        shares = ", ".join(f"{tier} {used / items * 1e6:.0f} µs" for tier, used in spent.items())
        formed = f"{self._formed.entries_each:,} entries, {self._formed.bytes_each / 1_000:,.0f} kB"
        self._bench.add(
            Row(
                f"{what}, {self._name}",
                f"{done.per_second:,.0f}/s",
                f"echo {echo:,.0f}/s; raw group commit {store:,.0f} entries/s in groups of {formed}",
                f"{done.per_second / echo:.1%}; {done.per_second / store:.1%}",
                f"CPU each: {shares}",
            ),
            aim,
            done.per_second,
        )
        return done.per_second

    async def _echo(self, batch: int, size: int) -> float:
        return await hops.echo_rate(self._echo_at, size, batch, self._bench.scale.limit_s)

    async def _queries(self) -> None:
        asked = queries(self._people, self._bench.scale.items)
        size, batches = batch_bytes(asked[:BATCH]), pack(asked, BATCH, self._system.endpoints)
        done, echo = await beside(lambda: self._echo(BATCH, size), lambda: pushed(batches))
        row = Row(f"query and dry run, {self._name}", f"{done.per_second:,.0f}/s", f"echo {echo:,.0f}/s")
        row.ratio, row.how = f"{done.per_second / echo:.1%}", "half balances, half quotes"
        self._bench.add(row, QUERIES, done.per_second)

    async def _sessions(self) -> None:
        people, run = self._people, f"{self._name}-{time.time_ns()}"
        sessions = min(self._bench.scale.items // 3, len(people.accounts))
        size = batch_bytes(next(steps_of_sessions(people, BATCH, run)))
        steps = [pack(asked, BATCH, self._system.endpoints) for asked in steps_of_sessions(people, sessions, run)]
        before: dict[str, float] = {}
        spent: dict[str, float] = {}

        async def row() -> Driven:
            before.update(cpu_seconds(self._system))
            done = summed([await pushed(step) for step in steps])
            spent.update({tier: used - before[tier] for tier, used in cpu_seconds(self._system).items()})
            return done

        done, echo = await beside(lambda: self._echo(BATCH, size), row)
        shares = ", ".join(f"{tier} {used / done.items * 1e6:.0f} µs" for tier, used in spent.items())
        row_ = Row(f"session step, {self._name}", f"{done.per_second:,.0f}/s", f"echo {echo:,.0f}/s")
        row_.ratio, row_.how = f"{done.per_second / echo:.1%}", f"begun, updated, ended; CPU each: {shares}"
        self._bench.add(row_)

    async def _unary(self, per_second: float) -> None:
        requests = charges(self._people, int(per_second * self._bench.scale.unary_s), f"unary-{time.time_ns()}")
        waits: list[float] = []
        # What this process collects is not what the system waits for.
        gc.collect()
        gc.freeze()
        async with AsyncClient(self._system.endpoints) as client:
            pending = iter(requests)

            async def one() -> None:
                began = time.perf_counter()
                await client.ask(next(pending))
                waits.append((time.perf_counter() - began) * 1_000)

            await self._journals.since(0)
            await hops.steady(one, len(requests), per_second)
            formed = await self._journals.since(len(requests))
        gc.unfreeze()
        rate = min(per_second, ECHO_CALLS_PER_S_MAX)
        bare = await hops.unary_waits_ms(self._echo_at, int(rate * self._bench.scale.unary_s), rate)
        raw = await self._raw.waits_ms(formed, self._bench.scale.limit_s)
        waits.sort()
        p99 = at(waits, 0.99)
        self._bench.add(
            Row(
                f"unary charge at a tenth of peak, {self._name}",
                tail(waits),
                f"three bare hops at {rate:,.0f} calls/s {tail(bare)}; raw group commit alone {tail(raw)}",
                f"p99 {p99 / (at(bare, 0.99) + at(raw, 0.99)):.1f} times both",
                f"{per_second:,.0f} calls/s, groups of {formed.entries_each}",
            ),
            UNARY,
            p99,
        )


def at(waits: list[float], share: float) -> float:
    """Give a percentile of sorted waits."""
    return waits[min(len(waits) - 1, int(len(waits) * share))]


def tail(waits: list[float]) -> str:
    """Show the percentiles of sorted waits."""
    return "p50 / p99 / p99.9 " + " / ".join(f"{at(waits, share):.1f}" for share in (0.5, 0.99, 0.999)) + " ms"


async def through_all_tiers(
    bench: Bench, store: str, base: str, raw_url: str, shape: Shape, domains: Sequence[str]
) -> None:
    """Measure one shape of a system on one store; `raw_url` is a unit beside it for the store's own limit."""
    name = store if len(domains) == 1 else f"{store}, {len(domains)} domains"
    raw = await STORES.open(raw_url)
    try:
        async with running(base, bench.folder, domains, bench.scale.people, shape) as (system, people):
            with hops.chain() as address:
                await Tiers(bench, store, name, system, people, address, raw).measure()
    finally:
        await raw.close()


async def both_shapes(bench: Bench, store: str, base: str, raw_url: str) -> None:
    """One domain on one server, then the country on two; each in units of its own below a base with {} in it."""
    for run, (domains, shape) in enumerate(((DOMAINS[:1], Shape(1, 1, 1)), (DOMAINS, Shape(1, 2, 2)))):
        await through_all_tiers(bench, store, base.format(run), raw_url, shape, domains)

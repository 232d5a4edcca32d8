"""Billing runs through all tiers: bills a second of three fees, eight items and tax.

python -m bench.bills [--units URL] [--domains 1] [--accounts 4000] [--slots 1] [--workers 4] [--page 2000]
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from onetier.v1 import billing_pb2 as pb
from onetier.v1 import service_desk_pb2 as desk
from onetier.v1.billing_pb2_grpc import BillingServiceStub

from bench.driver import drive, pack
from bench.system import cpu_seconds, out, people, running
from bench.table import Aim, Bench, Row
from bench.tiers import at, tail
from business.billing.periods import Period, ends_ms
from charging.base.localtime import LocalTime
from charging.catalogue.document import Catalogue, from_plain
from cluster.system import Shape, System
from console.operations.billing_running import RunOrder, RunTotals, work
from country import reference
from country.domains import REGIONS
from country.number_plan import NationalPlan
from country.population import YUAN, Population
from onetier_client import AsyncClient
from runtime.channel import open_channel

FEES, ITEMS = 3, 8
DAY_MS = 86_400_000
AFTER_MS = 20 * DAY_MS
"""From what is billed to what is not: usage of the next month."""
UNARY_PAUSE_S = 0.002
PAGE = 2_000
"""Accounts of a page, as the console asks for them."""
CREDIT = 1_000_000 * YUAN
ONE = Aim("≥ 5,000/s", 5_000)
MANY = Aim("≥ 3,000/s", 3_000)


class Run(Struct, frozen=True):
    """What a run did."""

    bills: int
    seconds: float
    cpu: dict[str, float]
    """Seconds, by tier."""

    @property
    def per_second(self) -> float:
        """Bills a second."""
        return self.bills / self.seconds

    def told(self) -> str:
        """Say what of each tier a bill took."""
        spent = ", ".join(f"{tier} {used / self.bills * 1e6:.0f}" for tier, used in self.cpu.items())
        return f"{FEES} fees, {ITEMS} items, tax; CPU of a bill, µs: {spent}"


def period() -> Period:
    """Give the newest period that is surely over in every region."""
    before = time.gmtime(time.time() - 2 * 86_400)
    return Period(before.tm_year * 12 + before.tm_mon - 2, 1)


def catalogue() -> Catalogue:
    """Make a catalogue of three fees, eight services and a tax."""
    services = [f"service-{number}" for number in range(ITEMS)]
    return from_plain(
        {
            "catalogue": "bench",
            "version": "1",
            "currency": "CNY",
            "services": [{"id": service, "unit": "second"} for service in services],
            "tariffs": [_tariff(number) for number in range(ITEMS)],
            "fees": [
                {"id": f"fee-{number}", "amount": str(19 + 10 * number), "charged": "arrears"} for number in range(FEES)
            ],
            "offerings": [
                {"id": f"plan-{number}", "services": services, "fees": [f"fee-{number}"]} for number in range(FEES)
            ],
            "taxes": [{"id": "basic", "percent": "9", "items": ["*"]}],
            "bills": {"prices": "include_tax", "tax_rounding": "bill", "due_days": 15},
        }
    )


def _tariff(number: int) -> dict[str, object]:
    rates = [{"price": f"0.{11 + number}", "per": "60", "increment": "60"}]
    return {
        "id": f"tariff-{number}",
        "service": f"service-{number}",
        "standard": True,
        "prices": [{"id": "all", "rates": rates}],
    }


def payers(plan: NationalPlan, domains: Sequence[str], subscribers: int) -> Population:
    """Make subscribers who owe by bills, each with three plans since the fifth of the month that is billed."""
    since_ms = ends_ms(Period(period().month - 1, 1), LocalTime("Asia/Shanghai")) + 4 * DAY_MS
    offerings = tuple(f"plan-{number}" for number in range(FEES))
    return people(plan, domains, subscribers, offerings=offerings, since_ms=since_ms, credit_limit=CREDIT)


def usage(population: Population, begin: int = 0, run: str = "use") -> list[desk.ServiceRequest]:
    """Use each of eight services once, everybody, in the month that is billed."""
    at_ms = ends_ms(period(), LocalTime("Asia/Shanghai")) - 10 * DAY_MS + begin
    return [
        desk.ServiceRequest(
            identity=account.account_id,
            request_type=desk.REQUEST_TYPE_CHARGE,
            service_code=f"service-{item}",
            request_key=f"{run}-{item}",
            event_time_ms=at_ms + item,
            quantity=61,
            channel=reference.FRONT,
        )
        for item in range(ITEMS)
        for account in population.accounts
    ]


async def bill(system: System, domains: Sequence[str], slots: int, workers: int, page: int) -> Run:
    """Open the run of each domain, and bill all who are due: workers share the slots of all domains."""
    channel = open_channel(system.endpoints[0])
    stub = BillingServiceStub(channel)
    text = str(period())
    for domain in domains:
        opening = pb.OpenBillRun(until_ms=int(time.time() * 1000) + DAY_MS)
        request = pb.ChangeBillRunsRequest(
            domain=domain, period=text, request_key=f"open-{domain}", channel=reference.FRONT, open=opening
        )
        await stub.ChangeBillRuns(request)
    before, begin = cpu_seconds(system), time.perf_counter()
    totals: list[RunTotals] = []
    at_once = asyncio.Semaphore(workers)

    async def one(domain: str) -> None:
        async with at_once:
            order = RunOrder(domain, text, range(slots), workers, page, False, "bench", reference.FRONT)
            totals.append(await work(stub, order, lambda _: None))

    await asyncio.gather(*(one(domain) for domain in domains))
    took = time.perf_counter() - begin
    await channel.close()
    for each in totals:
        if each.failures or each.fees_refused:
            raise RuntimeError(f"not billed: {each.failures or each.fees_refused}")
    spent = {tier: used - before[tier] for tier, used in cpu_seconds(system).items()}
    return Run(sum(each.bills for each in totals), took, spent)


async def measure(
    base: str, folder: Path, domains: Sequence[str], accounts: int, slots: int = 1, page: int = PAGE
) -> Run:
    """Start a system, let a month pass in it, and bill it. Raises `RuntimeError` when an account could not be."""
    shape = Shape(1, 1, 1)
    made = running(base, folder, domains, accounts, shape, slots=slots, catalogues=[catalogue()], populate=payers)
    async with made as (system, population):
        done = await drive(pack(usage(population), 500, system.endpoints), 4)
        if done.faults:
            raise RuntimeError(f"nobody could use anything: {dict(done.faults)}")
        return await bill(system, domains, slots, 4, page)


async def beside_business(bench: Bench) -> None:
    """Rows of what a run costs those who go on, each measured without, with and without it again."""
    folder = bench.folder / "bills-business"
    folder.mkdir()
    domains = [region.code for region in REGIONS][:1]
    made = running(
        bench.base(), folder, domains, bench.scale.billed, Shape(1, 1, 1), slots=2,
        catalogues=[catalogue()], populate=payers,
    )  # fmt: skip
    async with made as (system, population):
        if (await drive(pack(usage(population), 500, system.endpoints), 4)).faults:
            raise RuntimeError("nobody could use anything")
        await _unary(system, population, "warm", bench.scale.unary_s / 4)
        alone = [await _charged(system, population, "alone-1")]
        quiet = await _unary(system, population, "quiet", bench.scale.unary_s)
        running_bill = asyncio.create_task(bill(system, domains, 2, 1, 40))
        waits: list[float] = []
        during: list[float] = []
        turn = 0
        while not running_bill.done():
            waits += await _unary(system, population, f"unary-{turn}", 0.5)
            if not running_bill.done():
                during.append(await _charged(system, population, f"during-{turn}"))
            turn += 1
        done = await running_bill
        alone.append(await _charged(system, population, "alone-2"))
    without = sum(alone) / len(alone)
    how = f"{done.bills:,} bills at {done.per_second:,.0f}/s meanwhile; refused 0"
    rate = sum(during) / len(during) / without if during else 0.0
    row = Row("charges during a run ÷ without", f"{rate:.2f}", f"without {without:,.0f}/s", how=how)
    bench.add(row, Aim("≥ 0.7", 0.7), rate)
    slow, usual = sorted(waits), sorted(quiet)
    p99 = at(slow, 0.99) / at(usual, 0.99)
    bench.add(
        Row("unary p99 during a run ÷ without", f"{p99:.2f}", tail(usual), how=tail(slow)),
        Aim("≤ 1.5", 1.5, False),
        p99,
    )
    bench.add(
        Row("longest that an account waits around its close", f"{slow[-1]:.1f} ms", f"without {usual[-1]:.1f} ms"),
        Aim("≤ 50 ms", 50, False),
        slow[-1],
    )


async def _charged(system: System, population: Population, run: str) -> float:
    """Charge everybody once, in batches, after the billed month; gives charges a second. None may be refused."""
    asked = [replaced(request, f"{run}-{number}") for number, request in enumerate(usage(population, AFTER_MS))]
    done = await drive(pack(asked[: len(population.accounts)], 100, system.endpoints), 4)
    if done.faults:
        raise RuntimeError(f"refused because of billing: {dict(done.faults)}")
    return done.per_second


def replaced(request: desk.ServiceRequest, key: str) -> desk.ServiceRequest:
    """Give a request under another key."""
    request.request_key = key
    return request


async def _unary(system: System, population: Population, run: str, seconds: float) -> list[float]:
    """Charge one after the other, a few a moment; gives how long each waited, ms."""
    waits: list[float] = []
    until = time.perf_counter() + seconds
    async with AsyncClient(system.endpoints) as client:
        for number, request in enumerate(usage(population, AFTER_MS)):
            began = time.perf_counter()
            if began > until:
                break
            await client.ask(replaced(request, f"{run}-{number}"))
            waits.append((time.perf_counter() - began) * 1_000)
            await asyncio.sleep(UNARY_PAUSE_S)
    return waits


async def bills(bench: Bench, store: str, base: str, *, shapes: Sequence[int] = (1, len(REGIONS))) -> None:
    """Rows of a store: one domain, then all; `base` has a place for the name of a run, "" = SQLite in a folder."""
    for many in shapes:
        domains = [region.code for region in REGIONS][:many]
        folder = bench.folder / f"bills-{store}-{many}"
        folder.mkdir()
        url = base.format(f"bills{many}") if base else bench.base()
        done = await measure(url, folder, domains, bench.scale.billed)
        where = store if many == 1 else f"{store}, {many} domains"
        row = Row(f"bills of a run, {where}", f"{done.per_second:,.0f}/s", how=done.told())
        bench.add(row, ONE if many == 1 and store == "SQLite" else MANY, done.per_second)


async def _quick(arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="onetier-bench-") as name:
        folder = Path(name)
        (folder / "units").mkdir()
        domains = [region.code for region in REGIONS][: arguments.domains]
        base = arguments.units or f"sqlite://{folder}/units"
        done = await measure(base, folder, domains, arguments.accounts, arguments.slots, arguments.page)
        out.print(f"{done.bills:,} bills in {done.seconds:.2f} s: {done.per_second:,.0f}/s; {done.told()}")


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--units", default="")
    parser.add_argument("--domains", type=int, default=1)
    parser.add_argument("--accounts", type=int, default=4_000)
    parser.add_argument("--slots", type=int, default=1)
    parser.add_argument("--page", type=int, default=PAGE)
    asyncio.run(_quick(parser.parse_args()))


if __name__ == "__main__":
    main()

"""A system to measure: chosen domains, a chosen number of subscribers, money enough that nothing is refused."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace
from onetier.v1 import data_center_pb2 as dc
from onetier.v1 import data_center_pb2_grpc as dc_grpc
from onetier.v1 import service_desk_pb2 as desk
from rich.console import Console

from authoring.files import read_folder
from authoring.publication import publication
from bench.driver import drive, pack
from charging.catalogue.document import Catalogue
from cluster import loading
from cluster.layout import lay_out
from cluster.supervisor import Supervisor
from cluster.system import Shape, System
from country import offers, openings, reference
from country.number_plan import NationalPlan, is_mobile, read
from country.population import YUAN, Population, SampleAccount, Subscriber
from onetier_client import requests
from runtime.channel import open_channel

CATALOGUES = Path(__file__).resolve().parents[1] / "catalogues"
OPENING = 1_000_000 * YUAN
LAST_YEAR_MS = 365 * 86_400_000
NUMBERS_OF_A_PREFIX = 10_000
OWNED_TIMEOUT_S = 30
STRIDE = 7_919
"""Between one subscriber charged and the next: a run that is shorter than the country still reaches all parts of it."""
out = Console(highlight=False)


Populate = Callable[[NationalPlan, Sequence[str], int], Population]


def people(
    plan: NationalPlan,
    domains: Sequence[str],
    subscribers: int,
    *,
    offerings: tuple[str, ...] = (),
    since_ms: int = 0,
    credit_limit: int = 0,
) -> Population:
    """Make mobile subscribers, each with an account of its own, dealt out over the domains in turn.

    They hold these offerings since that moment, UTC; none = one mobile plan each, since last year. Who has a credit
    limit pays by bills and begins with nothing.
    """
    prefixes = plan.by_domain()
    mobile = {code: [p for p in prefixes[code] if is_mobile(p) and len(p) == 9] for code in domains}
    since_ms = since_ms or int(time.time() * 1_000) - LAST_YEAR_MS
    made = []
    for number in range(subscribers):
        account = _account(mobile, domains, number, offerings, since_ms)
        made.append(
            replace(account, payment_mode="postpaid", opening=0, credit_limit=credit_limit) if credit_limit else account
        )
    return Population(tuple(made))


def _account(
    mobile: dict[str, list[str]], domains: Sequence[str], number: int, offerings: tuple[str, ...], since_ms: int
) -> SampleAccount:
    code = domains[number % len(domains)]
    index = number // len(domains)
    choice = mobile[code]
    prefix = choice[index // NUMBERS_OF_A_PREFIX % len(choice)]
    identity = f"msisdn:{prefix}{index % NUMBERS_OF_A_PREFIX:04d}"
    plans = offerings or ((offers.MOBILE_PAY_AS_YOU_GO, offers.MOBILE_SMALL, offers.MOBILE_LARGE)[number % 3],)
    member = Subscriber(identity, "mobile", code, identity, plans, since_ms, f"order-{number}")
    return SampleAccount(
        identity, code, f"cust-{number}", "prepaid", 0, 1, OPENING, "standard", (), suspended=False, members=(member,)
    )


@asynccontextmanager
async def running(
    base: str,
    folder: Path,
    domains: Sequence[str],
    subscribers: int,
    shape: Shape,
    settings: Mapping[str, str] | None = None,
    slots: int = 1,
    catalogues: Sequence[Catalogue] = (),
    populate: Populate = people,
) -> AsyncIterator[tuple[System, Population]]:
    """Start a system, load the directory, open the accounts; drain it in the end.

    `slots` are a domain's, `catalogues` are published in place of the sample ones.
    """
    plan = read()
    population = populate(plan, domains, subscribers)
    layout = lay_out(base)
    async with Supervisor(folder / "logs") as supervisor:
        system = System(supervisor, layout, settings or {})
        await system.start(shape)
        channel = open_channel(system.datacenters[0].address)
        stub = dc_grpc.DirectoryServiceStub(channel)
        changes = loading.country(layout, plan, slots) + publication(
            list(catalogues) or read_folder(CATALOGUES).catalogues
        )
        revision = await loading.amend(stub, changes, "bench-country")
        for number, entries in enumerate(loading.packs_of(loading.explicit_entries(population, plan, slots))):
            revision = await loading.amend(stub, entries, f"bench-entries-{number}")
        await loading.until_known(stub, revision)
        await _until_owned(stub)
        await channel.close()
        await _open_accounts(system, population)
        yield system, population
        await supervisor.drain()


async def _until_owned(stub: dc_grpc.DirectoryServiceStub) -> None:
    """Wait until every slot has an owner: the driver repeats nothing."""
    async with asyncio.timeout(OWNED_TIMEOUT_S):
        while True:
            found = await stub.Describe(dc.DescribeRequest(), timeout=5)
            if len({(o.domain, o.slot) for o in found.owners if o.address}) >= sum(d.slots for d in found.domains):
                return
            await asyncio.sleep(0.1)


async def _open_accounts(system: System, population: Population) -> None:
    step = 100_000
    for start in range(0, len(population.accounts), step):
        part = population.accounts[start : start + step]
        opened = list(openings.openings(replace(population, accounts=part)))
        done = await drive(pack(opened, 500, system.endpoints), 4)
        if done.faults:
            raise RuntimeError(f"accounts could not be opened: {dict(done.faults)}")


def cpu_seconds(system: System) -> dict[str, float]:
    """Give the CPU that each tier's processes have used so far, by tier."""
    tiers = {
        "appserver": system.app_servers,
        "datacenter": system.datacenters,
        "domainserver": system.domain_servers,
    }
    return {tier: sum(cpu_of(process.pid) for process in processes) for tier, processes in tiers.items()}


def cpu_of(pid: int) -> float:
    """Give the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(system: System) -> int:
    """Give the memory that all processes of the tiers hold now."""
    pages = [
        int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
        for process in (*system.app_servers, *system.datacenters, *system.domain_servers)
    ]
    return sum(pages) * os.sysconf("SC_PAGE_SIZE")


def charges(population: Population, count: int, run: str) -> list[desk.ServiceRequest]:
    """Make charges, voice, messages and data in turn, for subscribers from all over the country in turn."""
    now_ms = int(time.time() * 1_000) - 60_000
    accounts = population.accounts
    kinds = ((offers.VOICE, 61), (offers.SMS, 1), (offers.DATA, 3_000_000))
    made = []
    for number in range(count):
        service, quantity = kinds[number % 3]
        other = accounts[(number * 7 + 1) % len(accounts)].account_id if service != offers.DATA else ""
        made.append(
            desk.ServiceRequest(
                identity=accounts[number * STRIDE % len(accounts)].account_id,
                request_type=desk.REQUEST_TYPE_CHARGE,
                service_code=service,
                request_key=f"{run}-{number}",
                event_time_ms=now_ms + number % 60_000,
                quantity=quantity,
                channel=reference.FRONT,
                other_party=other,
            )
        )
    return made


def steps_of_sessions(population: Population, sessions: int, run: str) -> Iterator[list[desk.ServiceRequest]]:
    """Make data sessions that begin, go on and end: lists of a step of each, to be sent one after the other."""
    steps = (
        (desk.SessionRequest.OPERATION_CREATE, 1_000_000, 0),
        (desk.SessionRequest.OPERATION_UPDATE, 1_000_000, 800_000),
        (desk.SessionRequest.OPERATION_RELEASE, 0, 800_000),
    )
    for invocation, (operation, asked, used) in enumerate(steps):
        unit = desk.UnitUse(service_code=offers.DATA, requested=asked, used=used)
        yield [
            requests.execute(
                population.accounts[number * STRIDE % len(population.accounts)].account_id,
                requests.session(f"{run}-{number}", operation, invocation, [unit]),
                channel=reference.FRONT,
                request_key=f"{run}-{number}-{invocation}",
            )
            for number in range(sessions)
        ]


def queries(population: Population, count: int) -> list[desk.ServiceRequest]:
    """Make balance queries and dry runs in turn."""
    made = charges(population, count, "quote")
    for number, request in enumerate(made):
        request.request_key = ""
        if number % 2:
            request.request_type = desk.REQUEST_TYPE_QUOTE
        else:
            request.Clear()
            request.identity = population.accounts[number % len(population.accounts)].account_id
            request.request_type, request.service_code = desk.REQUEST_TYPE_QUERY, "balance"
            request.channel = reference.WEB_HALL
    return made

"""What makes a system a country: its units, its directory, its catalogues, its accounts."""

import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from msgspec import Struct
from onetier.v1 import data_center_pb2 as dc

from authoring.files import read_folder
from authoring.publication import publication
from cluster import loading
from cluster.folder import Options
from cluster.layout import Layout, grounds_of
from cluster.system import System
from country import number_plan, openings, population, reference
from country.number_plan import NationalPlan, plan_lines
from country.population import DAY_MS, Population
from country.sending import Advance, Sent, send_commands
from house.grants import grants_of
from house.rooms import ROOMS
from house.stores import STORES
from onetier_client import AsyncClient
from storage.address import masked

BEIJING_OFFSET_MS = 8 * 3_600_000


class CatalogueFaulty(Exception):
    """The sample catalogue has faults; the message lists them with file and line."""


class Teller(Protocol):
    """Hears what is done, step by step."""

    def say(self, text: str) -> None:
        """A step is done."""

    async def with_bar(self, title: str, total: int, work: Callable[[Advance], Awaitable[Sent]]) -> Sent:
        """Do a sending of `total` requests, which calls back with how many more it has done. Raises what it raises."""
        raise NotImplementedError


class Country(Struct, frozen=True):
    """The number plan and the people of a run."""

    plan: NationalPlan
    people: Population
    day_ms: int


def yesterday_ms() -> int:
    """Give the beginning of yesterday, by the clock of the country, in UTC milliseconds."""
    now_ms = time.time_ns() // 1_000_000 + BEIJING_OFFSET_MS
    return now_ms - now_ms % DAY_MS - DAY_MS - BEIJING_OFFSET_MS


def settle(subscribers: int, seed: int, day_ms: int, cycle_day: int = 1) -> Country:
    """Read the number plan and make the people. `day_ms` is UTC; the same arguments make the same country."""
    plan = number_plan.read()
    return Country(plan, population.populate(plan, subscribers, seed, day_ms, cycle_day), day_ms)


async def make_units(teller: Teller, layout: Layout) -> None:
    """Make the units where they are dear, one after another, before anybody waits for them: a table may take seconds.

    Elsewhere the domain server makes a unit that opens it first: a file takes milliseconds.
    """
    urls = [layout.directory, *layout.units.values()]
    grounds = grounds_of(layout.base)
    if grounds is None or not grounds.units_are_dear:
        return
    for number, url in enumerate(urls, 1):
        await STORES.migrate(url)
        teller.say(f"unit {number} of {len(urls)} made: {masked(url)}")


async def load_country(teller: Teller, system: System, layout: Layout, country: Country, options: Options) -> None:
    """Load plan, domains, units, channels, partners, catalogues and entries through a data center.

    Raises `CatalogueFaulty`.
    """
    for line in plan_lines(country.plan):
        teller.say(line)
    catalogues = read_folder(options.catalogues)
    if catalogues.faults:
        raise CatalogueFaulty("\n".join(str(fault) for fault in catalogues.faults))
    changes = loading.country(layout, country.plan, options.slots) + publication(catalogues.catalogues)
    if options.tls is not None:
        written = (*reference.GRANTS, *(grant for room in ROOMS for grant in grants_of(room)))
        changes += [dc.DirectoryChange(grant=grant) for grant in written]
    entries = loading.explicit_entries(country.people, country.plan, options.slots)
    async with system.directory_of(0) as stub:
        revision = await loading.amend(stub, changes, f"country-{options.seed}")
        for number, pack in enumerate(loading.packs_of(entries)):
            revision = await loading.amend(stub, pack, f"entries-{options.seed}-{number}")
    for number in range(len(system.datacenters)):
        async with system.directory_of(number) as stub:
            await loading.until_known(stub, revision)
    regional = sum(1 for one in catalogues.catalogues if one.domain)
    teller.say(
        f"directory at revision {revision}: 31 domains, {len(layout.units)} units, {len(entries):,} explicit entries, "
        f"{len(catalogues.catalogues) - regional} national and {regional} regional catalogues"
    )


async def open_accounts(teller: Teller, system: System, client: AsyncClient, people: Population) -> None:
    """Open all accounts through the front end's stream, then let the other members join, by an operator's hand.

    Contracts that come whole from elsewhere are no front end's to write. Raises `SendingFailed`.
    """
    await teller.with_bar(
        "accounts opened",
        len(people.accounts),
        lambda advance: send_commands(client, openings.openings(people), advance),
    )
    joins = list(openings.joins(people))
    async with AsyncClient(system.endpoints, tls=system.tls("operator")) as office:
        await teller.with_bar("members joined", len(joins), lambda advance: send_commands(office, iter(joins), advance))

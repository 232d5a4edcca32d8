"""Puts a country into the directory: units, domains, number plan, channels, partners, entries, catalogues."""

import asyncio
from collections.abc import Iterable, Sequence

from onetier.v1 import data_center_pb2 as dc
from onetier.v1 import data_center_pb2_grpc as dc_grpc

from cluster.layout import Layout
from country import reference
from country.domains import REGIONS, TIME_ZONE
from country.number_plan import NationalPlan
from country.population import Population
from directory.slots import slot_of

AMEND_TIMEOUT_S = 30.0
ENTRIES_PER_AMENDMENT = 5_000
KNOWN_POLL_S = 0.05
ACTOR = "onetier demo"


def country(layout: Layout, plan: NationalPlan, slots: int) -> list[dc.DirectoryChange]:
    """Give the changes that make the 31 domains with their units, and who may call: units before what names them.

    `slots` is how many each domain has.
    """
    changes = [dc.DirectoryChange(unit=dc.UnitAddress(name=name, url=url)) for name, url in layout.units.items()]
    changes += [
        dc.DirectoryChange(
            domain=dc.Domain(
                code=region.code,
                name=region.name,
                time_zone=TIME_ZONE,
                slots=slots,
                shared_unit=layout.shared_of[region.code],
                private_unit=layout.private_of[region.code],
            )
        )
        for region in REGIONS
    ]
    changes += [dc.DirectoryChange(channel=channel) for channel in reference.CHANNELS]
    changes += [dc.DirectoryChange(partner=partner) for partner in reference.PARTNERS]
    ranges = [dc.NumberRange(prefix=prefix, domain=domain) for prefix, domain in plan.ranges]
    changes.append(dc.DirectoryChange(number_plan=dc.NumberPlan(ranges=ranges)))
    return changes


def explicit_entries(population: Population, plan: NationalPlan, slots: int) -> list[dc.DirectoryEntry]:
    """Give the entries of identities that the number plan and the hash of their own name would not route right."""
    resolver = plan.resolver()
    entries: list[dc.DirectoryEntry] = []
    for account in population.accounts:
        slot = slot_of(account.account_id, slots)
        for member in account.members:
            kind, _, value = member.identity.partition(":")
            by_plan = resolver.domain_of(value) if kind in ("msisdn", "fixed") else ""
            if by_plan != account.domain or slot_of(member.identity, slots) != slot:
                entries.append(dc.DirectoryEntry(identity=member.identity, domain=account.domain, slot=slot))
    return entries


def packs_of(entries: Sequence[dc.DirectoryEntry]) -> Iterable[list[dc.DirectoryChange]]:
    """Cut entries into amendments of bounded size, in order."""
    for start in range(0, len(entries), ENTRIES_PER_AMENDMENT):
        yield [dc.DirectoryChange(entry=entry) for entry in entries[start : start + ENTRIES_PER_AMENDMENT]]


async def amend(stub: dc_grpc.DirectoryServiceStub, changes: Iterable[dc.DirectoryChange], key: str) -> int:
    """Append changes to the directory; returns the revision. The same key appends them once.

    Raises `grpc.aio.AioRpcError`; without an answer, send the same key again.
    """
    request = dc.AmendRequest(changes=changes, request_key=key, actor=ACTOR)
    response = await stub.Amend(request, timeout=AMEND_TIMEOUT_S)
    return int(response.revision)


async def until_known(stub: dc_grpc.DirectoryServiceStub, revision: int) -> None:
    """Wait until a data center knows a revision; each reads the log several times a second.

    Raises `TimeoutError` when it doesn't in time.
    """
    for _ in range(int(AMEND_TIMEOUT_S / KNOWN_POLL_S)):
        if (await stub.Describe(dc.DescribeRequest(), timeout=AMEND_TIMEOUT_S)).revision >= revision:
            return
        await asyncio.sleep(KNOWN_POLL_S)
    raise TimeoutError(f"a data center does not follow the directory to revision {revision}")

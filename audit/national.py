"""The audit of a country: what its directory, its anchors and its owner records say, before its slots are read.

Everything that a slot's journal is held against is read here first, so that a journal that is served meanwhile can only
be ahead of it.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from audit.following import SlotReport
from audit.holders import check_holders
from audit.journals import Advance, JournalRef, audit_all, match_transfers, match_vouchers, stand_of
from audit.rerating import RegionCatalogues
from charging.base.account_id import asked_for
from charging.base.contract import Contract
from charging.base.subject import slot_of
from charging.errors import Broken, NotFound
from directory import owners as owners_of
from directory.directory import Directory
from directory.slots import slot_key
from domainservers.contracts import contracts as contracts_of
from domainservers.contracts.contracts import unpack_contract
from domainservers.contracts.registry import Registry
from evidence.anchors import DIRECTORY, Anchor, in_force, newest_of
from evidence.files import CheckedFiles, check_files
from evidence.keys import KeyRing
from evidence.seals import SealedUnit
from evidence.second import all_anchors
from house.stores import STORES
from storage.unit import StoreRejected, Unit


class Survey(Struct):
    """What is to be audited, and what was found before it began."""

    refs: list[JournalRef] = []
    contracts: dict[str, str] = {}
    """Identity → account, of the contracts in shared units that are in force."""
    account_id: str = ""
    """Of the one account that was asked for."""
    findings: list[str] = []
    notes: list[str] = []


class Sources(Struct, frozen=True):
    """Where a country's evidence is."""

    directory: str
    """URL of the directory's unit."""
    ring: KeyRing
    anchors: Path | None
    """Folder of the anchor files, None = there are none."""
    second: str = ""
    """URL of the second party's unit; empty = the directory's."""
    rerate: bool = False
    """Rate charges again."""
    backups: Path | None = None
    """Folder of the backups that were made before bill runs; None = they are not looked at."""


async def survey(sources: Sources, domain: str = "", account: str = "", *, contracts: bool = True) -> Survey:
    """Look at a country, at one domain of it, or at the slot of one account, named by one of its identities or its id;
    a subject by its id.

    Raises `StoreUnavailable`, `StoreRejected`; `NotFound` when nobody serves the account.
    """
    country = Survey()
    unit = await STORES.open_to_read(sources.directory)
    try:
        anchors = await _anchors(sources, unit, country)
        known = newest_of(in_force([anchor for anchor in anchors if anchor.slot == DIRECTORY]))
        try:
            directory = await Directory.open(unit, ring=sources.ring, known=known)
        except Broken as damage:
            country.findings.append(damage.message)
            return country
        try:
            only = slot_of(account) or (directory.resolve(account).key if account else "")
            if slot_of(account):
                country.account_id = account
            elif account:
                country.account_id = asked_for(account) or await Registry(unit).holder(account) or account
            await _slots(country, sources, directory, unit, anchors, domain)
            country.refs = [ref for ref in country.refs if only in ("", ref.name)]
            shared = sorted({info.shared_unit for info in directory.domains.values()}) if contracts else []
        finally:
            await directory.close()
        for url in shared:
            await _contracts(country, url, sources.ring, Registry(unit))
    finally:
        await unit.close()
    return country


async def _slots(
    country: Survey, sources: Sources, directory: Directory, unit: Unit, anchors: Sequence[Anchor], domain: str
) -> None:
    by_slot: dict[str, list[Anchor]] = {}
    for anchor in anchors:
        by_slot.setdefault(anchor.slot, []).append(anchor)
    for code, info in directory.domains.items():
        if domain not in ("", code):
            continue
        refs = tuple(ref for ref in directory.state.catalogues.values() if ref.domain in ("", code))
        published = RegionCatalogues(code, info.time_zone, refs)
        for number in range(info.slots):
            name = slot_key(code, number)
            ref = JournalRef(
                info.private_unit,
                name,
                ring=sources.ring,
                shared=info.shared_unit,
                anchors=tuple(by_slot.get(name, ())),
                owner_epoch=await owners_of.recorded_epoch(unit, code, number),
                published=published if sources.rerate else None,
                backups=str(sources.backups) if sources.backups is not None else "",
            )
            country.refs.append(ref)


async def _anchors(sources: Sources, directory: Unit, country: Survey) -> list[Anchor]:
    """Read all anchors, and compare the places with each other."""
    second = await STORES.open_to_read(sources.second) if sources.second else directory
    try:
        kept = await all_anchors(SealedUnit(second, sources.ring, country.findings.append))
    finally:
        if second is not directory:
            await second.close()
    if sources.anchors is None:
        return kept
    checked = check_files(sources.anchors, sources.ring)
    country.findings += checked.findings
    country.findings += _disagreements(kept, checked, sources.anchors)
    anchors = [*checked.anchors, *kept]
    losses = [anchor for anchor in anchors if anchor.accepted]
    country.notes += sorted(
        {f"{one.slot}: a loss after group {one.seq} was accepted by {one.accepted}" for one in losses}
    )
    return anchors


def _disagreements(kept: Sequence[Anchor], checked: CheckedFiles, folder: Path) -> list[str]:
    """Compare the second party's anchors with the files, which are written first."""
    findings: list[str] = []
    lines = {server: max(one.line for one in kept if one.server == server) for server in {one.server for one in kept}}
    for server, line in sorted(lines.items()):
        newest = checked.lines.get(server)
        if newest is None:
            findings.append(f"{folder} has no anchor file of {server}, of which the second party knows line {line}")
        elif newest < line:
            findings.append(f"the anchor files of {server} end at line {newest}, the second party knows line {line}")
    told = {anchor.slot for anchor in kept}
    for slot in sorted({anchor.slot for anchor in checked.anchors} - told):
        findings.append(f"{slot}: the second party has no anchor of it, though files have")
    return findings


async def _contracts(country: Survey, url: str, ring: KeyRing, registry: Registry) -> None:
    """Read which contracts a shared unit has, and whether their identities are held."""
    try:
        unit = SealedUnit(await STORES.open_to_read(url), ring, country.findings.append)
    except StoreRejected as error:
        country.findings.append(f"a shared unit can't be read: {error}")
        return
    try:
        for bucket in range(contracts_of.BUCKETS):
            async for page in unit.scan(contracts_of.COLLECTION, contracts_of.partition_name(bucket)):
                contracts: list[Contract] = [unpack_contract(stored.value) for stored in page]
                found = {each.identity: each.account_id for each in contracts if each.status != "ended"}
                country.contracts.update(found)
                country.findings += await check_holders(registry, unit, found)
    finally:
        await unit.close()


def match_contracts(contracts: Mapping[str, str], slots: Sequence[SlotReport]) -> list[str]:
    """Look for contracts that no journal made; of a whole country, and only when all journals could be read.

    One finding each; none while a journal is broken, for its contracts would all seem unmade.
    """
    if any(slot.broken for slot in slots):
        return []
    known: set[str] = set().union(*(slot.identities for slot in slots))
    return [
        f"contract of {identity}: the shared unit has it in account {account_id}, no journal does"
        for identity, account_id in contracts.items()
        if identity not in known
    ]


class Audited(Struct):
    """What the audit of a country found."""

    slots: list[SlotReport]
    findings: list[str]
    """Of the whole; those of slots are theirs."""
    notes: list[str]

    @property
    def sentences(self) -> list[str]:
        """All findings, each once."""
        told = [*self.findings, *(finding for slot in self.slots for finding in slot.findings)]
        return list(dict.fromkeys(told))


def audit_country(
    sources: Sources, domain: str, workers: int, begin: Callable[[int, int], Advance] = lambda _, __: _ignore
) -> Audited:
    """Audit a country, or one domain of it; `begin` is told how many slots and groups there are.

    `domain` "" is the whole country, whose transfers and contracts are matched between slots too. `workers` are
    processes. Only reads. Call it outside of any event loop. Raises `StoreUnavailable`, `StoreRejected`, and `NotFound`
    DOMAIN_UNKNOWN.
    """
    whole = not domain
    country = asyncio.run(survey(sources, domain, contracts=whole))
    if domain and not country.refs and not country.findings:
        raise NotFound("DOMAIN_UNKNOWN", f"there is no such domain as {domain}")
    noted, groups = asyncio.run(stand_of(country.refs))
    slots = audit_all(noted, workers, begin(len(noted), groups)) if noted else []
    findings = country.findings
    if whole:
        match_transfers(slots)
        match_vouchers(slots)
        findings = [*findings, *match_contracts(country.contracts, slots)]
    return Audited(slots, findings, [*country.notes, *(note for slot in slots for note in slot.notes)])


def _ignore(_: int) -> None:
    """Nobody wants to know."""

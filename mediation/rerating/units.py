"""Units of work of a job: some accounts of one journal, described so that any machine can do them.

A unit says all that its outcome depends on: the job, the accounts, the parts of the details by name and up to where the
journal is in them, and by which catalogues it is rated. Whoever does it reads the rest from the platform and the
journal. A unit that is done twice counts once: the owner knows the request, or refuses it because the account moved
on, and whoever rates it again finds what was posted among its rows.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from charging.base.localtime import LocalTime
from charging.catalogue.published import CatalogueRef
from charging.errors import Conflict
from details.keeping import lacking
from details.manifest import DetailPart
from details.store import DetailStore
from evidence.keys import KeyRing
from mediation.gathering import JournalPlace
from mediation.rerating.bycolumns import Ways
from mediation.rerating.freezing import Freezer
from mediation.rerating.job import (
    LEAD_IN,
    AccountOutcome,
    RerateJob,
    Rerating,
    Studied,
    first_day_of,
    left_out,
    span_month,
)
from mediation.rerating.rows import NamedRows
from mediation.rerating.tariffs import Tariffs, tariffs
from mediation.rerating.whatif import WhatIf, WhatIfSums
from onetier_client import AsyncClient
from runtime.tls import Tls

ACCOUNTS_OF_UNIT = 500
"""Little enough that a unit that is done again costs seconds, and that many machines end at about the same time."""


class RerateUnit(Struct, frozen=True):
    """Accounts of one journal that are rated together."""

    job: RerateJob
    journal: JournalPlace
    accounts: tuple[str, ...]
    tariffs: str
    """Digest of the catalogues that the job was begun with."""
    draft: tuple[CatalogueRef, ...] | None = None
    """What if: these catalogues are tried, and nothing is posted. None = those that are published, and posted."""
    parts: tuple[DetailPart, ...] = ()
    """All parts of the journal since the lead-in."""
    gathered: int = -1
    """The newest group of the journal that is in them."""
    lacking: str = ""
    """Newest day of which something is missing in the details that prices need, as `details.keeping.lacking` says."""


class UnitOutcome(Struct, frozen=True):
    """What became of the accounts of a unit."""

    accounts: tuple[AccountOutcome, ...] = ()
    """One an account; of a unit that posts nothing, only those that were left out."""
    tried: WhatIfSums | None = None
    """What if: the sums of the others."""
    ways: Ways = field(default_factory=Ways)
    """How its uses were rated."""


class Doer(Struct, frozen=True):
    """What does units in one process: where it reads rows, whom it asks, and by what it rates."""

    freezer: Freezer
    client: AsyncClient
    tariffs: Tariffs

    async def done(self, unit: RerateUnit) -> UnitOutcome:
        """Do a unit. Raises `Conflict` RERATE_DIFFERS, and what reading raises."""
        if unit.tariffs != self.tariffs.digest:
            raise Conflict("RERATE_DIFFERS", "other catalogues are in force here than those with which the job began")
        gone = tuple([name for name in unit.accounts if unit.lacking >= _needed(unit, name)])
        if not gone:
            return await self._done(unit)
        why = f"details of {unit.lacking}, or before, were dropped by a rule, or never gathered"
        left = lost(replace(unit, accounts=gone), "DETAILS_INCOMPLETE", why)
        if len(gone) == len(unit.accounts):
            return left
        done = await self._done(replace(unit, accounts=tuple([name for name in unit.accounts if name not in gone])))
        return replace(done, accounts=left.accounts + done.accounts)

    async def _done(self, unit: RerateUnit) -> UnitOutcome:
        rerating = Rerating(self.freezer, self.tariffs)
        if unit.draft is None:
            posted = rerating.post(unit.job, unit.journal, unit.accounts, self.client)
            outcomes = tuple([outcome async for outcome in posted])
            return UnitOutcome(outcomes, ways=rerating.ways())
        region = unit.journal.slot.rpartition("/")[0]
        found, left = WhatIf(), list[AccountOutcome]()
        async for each in rerating.study(unit.job, unit.journal, unit.accounts):
            if isinstance(each, Studied):
                found.add(region, each, self.tariffs.timelines[region].plan_at)
            else:
                left.append(each)
        return UnitOutcome(tuple(left), found.told(), rerating.ways())


def _needed(unit: RerateUnit, account_id: str) -> str:
    """Give the first day of which details are needed to rate an account: of late usage each has its own."""
    month, late = unit.job.month, unit.job.late.get(account_id)
    if late is not None:
        # A cycle begins in the month of its day or the one before.
        month = max(month, span_month(LocalTime(unit.journal.zone), late.from_ms) - 1)
    return first_day_of(month - LEAD_IN)


class UnitMaker(Struct, frozen=True):
    """Divides a job."""

    store: DetailStore
    job: RerateJob
    tariffs: str
    draft: tuple[CatalogueRef, ...] | None = None

    def units(self, journal: JournalPlace) -> Iterator[RerateUnit]:
        """Give the units of a journal as it is gathered now: its accounts that used something since the job's cycle."""
        slot, job = journal.slot, self.job
        frame = self.store.frame(slot, first_day_of(job.month)).select("account").unique().sort("account").collect()
        wanted = set(job.accounts)
        accounts = [name for name in map(str, frame["account"].to_list()) if not wanted or name in wanted]
        parts = tuple(self.store.manifest.parts(slot, first_day_of(job.month - LEAD_IN)))
        gathered, lacks = self.store.manifest.gathered().get(slot, -1), lacking(self.store, slot)
        for begin in range(0, len(accounts), ACCOUNTS_OF_UNIT):
            some = tuple(accounts[begin : begin + ACCOUNTS_OF_UNIT])
            late = {name: job.late[name] for name in some if name in job.late}
            mine = replace(job, late=late, accounts=some if late else job.accounts)
            yield RerateUnit(mine, journal, some, self.tariffs, self.draft, parts, gathered, lacks)


class WorkerHome(Struct):
    """What a worker's machine has: everything that a unit does not say, and all that is secret."""

    details: Path
    """The job's folder of details, as this machine sees it; only read."""
    directory: str
    ring: KeyRing
    endpoints: list[str]
    tls: Tls | None
    told: Callable[[str], None]
    """Is told of each unit that begins."""
    known: dict[str, Tariffs] = field(default_factory=dict)
    """By digest: a job has one, and its catalogues are compiled once."""

    async def done(self, packed: bytes) -> bytes:
        """Do a unit that came over the wire. Raises as `Doer.done`, `Broken` DETAILS_MISSING."""
        unit = unit_of(packed)
        self.told(f"{unit.journal.slot}: {len(unit.accounts)} accounts")
        found = self.known.get(unit.tariffs)
        if found is None:
            found = await tariffs(self.directory, self.ring, unit.draft)
            self.known = {found.digest: found}
        rows = NamedRows(self.details, unit.parts, unit.gathered, self.ring)
        async with AsyncClient(self.endpoints, tls=self.tls) as client:
            return pack(await Doer(Freezer(rows, client), client, found).done(unit))


pack = msgspec.msgpack.Encoder().encode
unit_of = msgspec.msgpack.Decoder(RerateUnit).decode
outcome_of = msgspec.msgpack.Decoder(UnitOutcome).decode


def lost(unit: RerateUnit, reason: str, why: str) -> UnitOutcome:
    """Tell of a unit that nobody could do: its accounts are left out, however many of them were restated."""
    return UnitOutcome(tuple(left_out(name, reason, why) for name in unit.accounts))


def joined(outcomes: Sequence[UnitOutcome]) -> tuple[WhatIf, int, Ways]:
    """Add up what was tried, count who was left out, and how uses were rated."""
    found, left, ways = WhatIf(), 0, Ways()
    for each in outcomes:
        left += len(each.accounts)
        ways.add(each.ways)
        if each.tried is not None:
            found.join(each.tried)
    return found, left, ways

"""Gathers rated usage out of the journals into the folder of details, straight from the storage units.

What is gathered of a journal and up to where is one commit, and journals are the truth: whoever is killed here goes on
where it stood, and details that were lost are gathered again as long as the journals are kept. No owner is asked.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct

from charging.errors import Broken, NotFound
from details.gathering import RowGathering
from details.rows import StoredUsage, rows_of
from details.store import DetailStore
from directory.directory import Directory
from directory.slots import slot_key
from domainservers.journal.groups import unpack_group
from evidence.keys import KeyRing
from evidence.seals import SealedUnit
from house.stores import STORES
from storage.unit import Unit
from watch.chains import ChainReader, Dropped, GetUnit, oldest_kept, place_before

ROWS_AT_ONCE = 100_000
"""Of one commit, about."""
GROUPS_AT_ONCE = 500


class JournalPlace(Struct, frozen=True):
    """A journal, where it is, and whose clock its region lives by."""

    slot: str
    url: str
    zone: str


class Gathered(Struct):
    """What was gathered of one journal."""

    slot: str
    rows: int = 0
    groups: int = 0
    seq: int = -1
    """The newest group that is gathered now."""


async def journals_of(directory_url: str, ring: KeyRing, domain: str = "") -> list[JournalPlace]:
    """Name the journals of a region, "" = of the country. Raises `StoreUnavailable`; `NotFound` DOMAIN_UNKNOWN."""
    unit = await STORES.open_to_read(directory_url)
    try:
        directory = await Directory.open(unit, ring=ring)
        try:
            regions = {code: info for code, info in directory.domains.items() if domain in ("", code)}
        finally:
            await directory.close()
    finally:
        await unit.close()
    if domain and not regions:
        raise NotFound("DOMAIN_UNKNOWN", f"there is no such domain as {domain}")
    return [
        JournalPlace(slot_key(code, number), info.private_unit, info.time_zone)
        for code, info in regions.items()
        for number in range(info.slots)
    ]


class Gatherer:
    """Gathers into one folder."""

    def __init__(self, store: DetailStore, ring: KeyRing) -> None:
        self._store = store
        self._ring = ring

    async def gather(self, journal: JournalPlace) -> Gathered:
        """Gather what came to a journal since the last time.

        Raises `Broken` DETAILS_GAP when a part of it is gone that was not gathered; `Corrupt`, `StoreUnavailable`,
        `StoreRejected`, `msgspec.DecodeError`.
        """
        done = Gathered(journal.slot, seq=self._store.manifest.gathered().get(journal.slot, -1))
        async with _reader(journal, done.seq, self._ring) as reader:
            waiting = RowGathering()
            begins = done.seq < 0
            while groups := await reader.read(GROUPS_AT_ONCE):
                for group in groups:
                    if group.seq > done.seq:
                        entries = unpack_group(group.payload)[0]
                        if begins and group.seq > 0 and entries:
                            self._store.lacks_before(journal.slot, journal.zone, entries[0][1].time_ms)
                        begins = False
                        waiting.take(group.seq, entries)
                        done.groups += 1
                    if len(waiting) >= ROWS_AT_ONCE:
                        self._keep(journal, waiting, group.seq, done)
                        waiting = RowGathering()
            if reader.seq > done.seq:
                self._keep(journal, waiting, reader.seq, done)
        return done

    async def again(self, journal: JournalPlace) -> AsyncGenerator[tuple[int, list[StoredUsage]], None]:
        """Read anew what was gathered of a journal, as far as it is kept: each group with its rows."""
        through = self._store.manifest.gathered().get(journal.slot, -1)
        unit = await _open(journal, self._ring)
        try:
            begin = await place_before(unit, journal.slot, await oldest_kept(unit, journal.slot))
            reader = ChainReader(_always(unit), journal.slot, begin, self._ring)
            while groups := await reader.read(GROUPS_AT_ONCE):
                for group in groups:
                    if group.seq > through:
                        return
                    yield group.seq, list(rows_of(group.seq, unpack_group(group.payload)[0]))
        finally:
            await unit.close()

    def _keep(self, journal: JournalPlace, rows: RowGathering, seq: int, done: Gathered) -> None:
        done.rows += self._store.take_frame(journal.slot, journal.zone, rows.frame(), seq)
        done.seq = seq


async def rows_behind(journal: JournalPlace, known: int, ring: KeyRing) -> AsyncIterator[StoredUsage]:
    """Read what came to a journal behind a group, -1 = all that is kept; nothing is written.

    Raises as `Gatherer.gather`.
    """
    async with _reader(journal, known, ring) as reader:
        while groups := await reader.read(GROUPS_AT_ONCE):
            for group in groups:
                if group.seq > known:
                    for row in rows_of(group.seq, unpack_group(group.payload)[0]):
                        yield row


@asynccontextmanager
async def _reader(journal: JournalPlace, known: int, ring: KeyRing) -> AsyncIterator[ChainReader]:
    unit = await _open(journal, ring)
    try:
        first = known + 1 if known >= 0 else await oldest_kept(unit, journal.slot)
        try:
            begin = await place_before(unit, journal.slot, first)
        except Dropped as gone:
            text = f"{gone}, and {journal.slot} was gathered up to group {known}"
            raise Broken("DETAILS_GAP", text) from gone
        yield ChainReader(_always(unit), journal.slot, begin, ring)
    finally:
        await unit.close()


async def _open(journal: JournalPlace, ring: KeyRing) -> Unit:
    return SealedUnit(await STORES.open_to_read(journal.url), ring)


def _always(unit: Unit) -> GetUnit:
    async def given() -> Unit:
        return unit

    return given

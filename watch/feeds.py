"""The journals of the country as feeds: where each is, its tail, and reading it from further back."""

import asyncio

from charging.errors import NotFound, Unavailable
from directory.slots import parse_slot, slot_key
from directory.view import DirectoryView
from evidence.keys import KeyRing
from evidence.seals import SealedUnit
from storage.open import Stores
from storage.unit import Unit
from watch.chains import ChainReader, GetUnit, oldest_kept, place_before
from watch.tails import Pace, Tail


class Feeds:
    """All journals; `close` it at the end."""

    def __init__(self, directory: DirectoryView, stores: Stores, ring: KeyRing, pace: Pace, behind_max: int) -> None:
        self.directory = directory
        self.ring = ring
        self.behind = asyncio.Semaphore(behind_max)
        """Held while a store is read for a watcher that is behind."""
        self._stores = stores
        self._pace = pace
        self._units: dict[str, Unit] = {}
        self._opening = asyncio.Lock()
        self._tails: dict[str, Tail] = {}

    @property
    def tails_watched(self) -> int:
        """How many journals somebody watches."""
        return sum(tail.watched for tail in self._tails.values())

    def slots_of(self, region: str) -> list[str]:
        """Name the journals of a region. Raises `NotFound` DOMAIN_UNKNOWN."""
        info = self.directory.domains.get(region)
        if info is None:
            raise NotFound("DOMAIN_UNKNOWN", f"there is no domain {region[:40]!r}", facts={"domain": region[:40]})
        return [slot_key(region, number) for number in range(info.slots)]

    def tail(self, slot: str) -> Tail:
        """Give the one tail of a journal."""
        tail = self._tails.get(slot)
        if tail is None:
            tail = self._tails[slot] = Tail(slot, self._unit_of(slot), self.ring, self._pace)
        return tail

    async def oldest(self, slot: str) -> int:
        """Give the first group that is kept. Raises `StoreUnavailable`."""
        return await oldest_kept(await self._unit_of(slot)(), slot)

    async def reader_before(self, slot: str, seq: int) -> ChainReader:
        """Give a reader of a journal that comes to group `seq`. Raises `Dropped`, `StoreUnavailable`."""
        get = self._unit_of(slot)
        return ChainReader(get, slot, await place_before(await get(), slot, seq), self.ring)

    def _unit_of(self, slot: str) -> GetUnit:
        region = parse_slot(slot)[0]

        async def get() -> Unit:
            info = self.directory.domains.get(region)
            if info is None:
                raise Unavailable("STORE_UNAVAILABLE", f"the region {region} is not in the directory", retry_ms=1_000)
            return self._units.get(info.private_unit) or await self._open(info.private_unit)

        return get

    async def _open(self, url: str) -> Unit:
        async with self._opening:
            if url not in self._units:
                self._units[url] = SealedUnit(await self._stores.open_to_read(url), self.ring)
            return self._units[url]

    async def close(self) -> None:
        """Let go of all units."""
        for unit in self._units.values():
            await unit.close()

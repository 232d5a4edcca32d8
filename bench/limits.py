"""The limits beside the rows: echoes through as many processes, and what the store commits in groups as large."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from msgspec import Struct

from bench import storage
from cluster.system import System
from directory.slots import slot_key
from domainservers.settings import DomainServerSettings
from house.stores import STORES
from storage.unit import Unit

COMMITS_MAX = int(DomainServerSettings.model_fields["commits_in_flight_max"].default)
Measured = TypeVar("Measured")


class Groups(Struct, frozen=True):
    """What a run wrote into the journals."""

    groups: int
    entries: int
    payload_bytes: int
    journals: int
    """That got any."""

    @property
    def entries_each(self) -> int:
        """Entries of a group."""
        return max(1, self.entries // max(1, self.groups))

    @property
    def bytes_each(self) -> int:
        """Bytes of a group, as stored."""
        return max(1, self.payload_bytes // max(1, self.groups))


class Journals:
    """Looks into the journals of a running system, at what came since the last look."""

    def __init__(self, system: System) -> None:
        layout = system.layout
        self._names: dict[str, list[str]] = {}
        for domain, unit in layout.private_of.items():
            self._names.setdefault(layout.units[unit], []).append(slot_key(domain, 0))
        self._seen: dict[str, tuple[int, int]] = {}

    async def since(self, entries: int) -> Groups:
        """Count the groups that came since the last call, which hold so many entries."""
        groups = payload_bytes = journals = 0
        for url, names in self._names.items():
            unit = await STORES.open(url)
            for name in names:
                sizes = await self._sizes(unit, name)
                groups += len(sizes)
                payload_bytes += sum(sizes)
                journals += bool(sizes)
            await unit.close()
        return Groups(groups, entries, payload_bytes, journals)

    async def _sizes(self, unit: Unit, name: str) -> list[int]:
        segment, seen = self._seen.get(name, (0, -1))
        sizes: list[int] = []
        while (head := await unit.head(name, segment)) is not None:
            async for page in unit.read(name, segment, seen + 1, head.seq):
                sizes += [len(group.payload) for group in page]
            seen = max(seen, head.seq)
            self._seen[name] = (segment, seen)
            segment += 1
        return sizes


class RawStore:
    """The store without us: journals of the same kind, groups as large, as many in flight."""

    def __init__(self, unit: Unit, servers: int) -> None:
        self._unit = unit
        self._commits_max = COMMITS_MAX * servers

    async def entries_per_s(self, formed: Groups, seconds: float) -> float:
        """How many entries a second it commits in groups like those."""
        journals = max(1, min(formed.journals, self._commits_max))
        run = await self._swaps(journals, formed, seconds)
        return run.groups_per_s * formed.entries_each

    async def waits_ms(self, formed: Groups, seconds: float) -> list[float]:
        """How long one such group waits, alone, sorted."""
        return (await self._swaps(1, formed, seconds)).waits_ms

    async def _swaps(self, journals: int, formed: Groups, seconds: float) -> storage.Swaps:
        return await storage.swaps(self._unit, journals, f"raw-{time.time_ns()}", formed.bytes_each, seconds)


async def beside(
    limit: Callable[[], Awaitable[float]], row: Callable[[], Awaitable[Measured]]
) -> tuple[Measured, float]:
    """Measure a row between two measurements of its limit, which is their mean."""
    before = await limit()
    done = await row()
    return done, (before + await limit()) / 2

"""A store that misbehaves as real ones do: slow, silent, and applying what it never acknowledged, even long
afterwards."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from random import Random

from msgspec import Struct

from storage.memory.unit import matches
from storage.unit import ABSENT, Group, Head, Record, Stored, StoreUnavailable


class Faults(Struct):
    """Chances of one operation."""

    lost_before: float = 0.0
    """Never reaches the store."""
    lost_after: float = 0.0
    """Applied, the answer is lost."""
    late: float = 0.0
    """Answered by silence, applied later."""
    slow: float = 0.0
    """Takes up to `timeout_s`."""


TIMEOUT_S = 1.0
LATE_MAX_S = 8.0


class Commit(Struct, frozen=True):
    """A group that was applied, as the store saw it."""

    journal: str
    epoch: int
    seq: int
    entries: bytes


class Store:
    """The durable part, shared by all simulated processes. `fenced` False takes the condition out of swaps."""

    def __init__(self, random: Random, *, fenced: bool = True) -> None:
        self.random = random
        self.fenced = fenced
        self.faults = Faults()
        self.records: dict[tuple[str, str], dict[str, tuple[int, bytes | None]]] = {}
        self.heads: dict[tuple[str, int], Head] = {}
        self.groups: dict[tuple[str, int], dict[int, bytes]] = {}
        self.commits: list[Commit] = []
        self.injected = 0

    def swap(self, journal: str, segment: int, expect: Head | None, head: Head, group: Group | None) -> Head:
        """Apply a compare-and-set at this instant."""
        place = (journal, segment)
        now = self.heads.get(place)
        if not self._holds(now, expect):
            return now or ABSENT
        self.heads[place] = head
        if group is not None:
            self.groups.setdefault(place, {})[group.seq] = group.payload
            self.commits.append(Commit(journal, head.epoch, group.seq, group.payload))
        return head

    def _holds(self, now: Head | None, expect: Head | None) -> bool:
        if self.fenced:
            return matches(now, expect)
        return (now is None) == (expect is None)

    def put(self, records: Sequence[Record]) -> None:
        """Apply records, last write wins."""
        for record in records:
            place = self.records.setdefault((record.collection, record.partition), {})
            kept = place.get(record.key)
            if kept is None or record.timestamp >= kept[0]:
                place[record.key] = (record.timestamp, record.value)


class Wire:
    """A simulated process's way to the store, and to its callers: may be paused, cut off or dead."""

    def __init__(self) -> None:
        self.dead = False
        self.cut = False
        self._running = asyncio.Event()
        self._running.set()

    @property
    def paused(self) -> bool:
        """The process is stopped."""
        return not self._running.is_set()

    def pause(self) -> None:
        """Stop the process: it sends and receives nothing."""
        self._running.clear()

    def resume(self) -> None:
        """Let it go on, knowing nothing of the time that passed."""
        self._running.set()

    async def passable(self) -> None:
        """Wait while paused; for ever when dead."""
        if not self._running.is_set():
            await self._running.wait()
        if self.dead:
            await asyncio.get_running_loop().create_future()


class SimulatedUnit:
    """A `storage.unit.Unit` of one process over the shared store."""

    def __init__(self, store: Store, wire: Wire) -> None:
        self._store = store
        self._wire = wire
        self._random = store.random

    async def _there(self) -> bool:
        """Travel to the store; False when the message is lost. The answer's own fate is decided by `_back`."""
        await self._wire.passable()
        faults = self._store.faults
        roll = self._random.random()
        if self._wire.cut or roll < faults.lost_before:
            self._store.injected += 1
            await asyncio.sleep(TIMEOUT_S)
            await self._wire.passable()
            return False
        slow = self._random.random() < faults.slow
        await asyncio.sleep(self._random.uniform(0.0005, TIMEOUT_S * 0.9 if slow else 0.004))
        return True

    async def _back(self) -> None:
        """Travel back. Raises `StoreUnavailable` when the answer is lost."""
        faults = self._store.faults
        if self._wire.cut or self._random.random() < faults.lost_after:
            self._store.injected += 1
            await asyncio.sleep(TIMEOUT_S)
            await self._wire.passable()
            raise StoreUnavailable("no answer")
        await asyncio.sleep(self._random.uniform(0.0002, 0.002))
        await self._wire.passable()

    def _late(self) -> float:
        """When a silent write is applied after all, seconds from now; 0 = the ordinary way."""
        if self._random.random() >= self._store.faults.late:
            return 0.0
        self._store.injected += 1
        return self._random.uniform(0.1, LATE_MAX_S)

    async def put(self, records: Sequence[Record]) -> None:
        late = self._late()
        if late:
            await self._wire.passable()
            asyncio.get_running_loop().call_later(late, self._store.put, list(records))
            await asyncio.sleep(TIMEOUT_S)
            await self._wire.passable()
            raise StoreUnavailable("no answer")
        if not await self._there():
            raise StoreUnavailable("no answer")
        self._store.put(records)
        await self._back()

    async def get(self, collection: str, partition: str, keys: Sequence[str]) -> dict[str, Stored]:
        if not await self._there():
            raise StoreUnavailable("no answer")
        place = self._store.records.get((collection, partition), {})
        found: dict[str, Stored] = {}
        for key in keys:
            timestamp, value = place.get(key, (0, None))
            if value is not None:
                found[key] = Stored(key, value, timestamp)
        await self._back()
        return found

    async def scan(self, collection: str, partition: str) -> AsyncIterator[Sequence[Stored]]:
        keys = sorted(self._store.records.get((collection, partition), {}))
        found = await self.get(collection, partition, keys)
        if found:
            yield list(found.values())

    async def swap(self, journal: str, segment: int, expect: Head | None, head: Head, group: Group | None) -> Head:
        late = self._late()
        if late:
            await self._wire.passable()
            asyncio.get_running_loop().call_later(late, self._store.swap, journal, segment, expect, head, group)
            await asyncio.sleep(TIMEOUT_S)
            await self._wire.passable()
            raise StoreUnavailable("no answer")
        if not await self._there():
            raise StoreUnavailable("no answer")
        result = self._store.swap(journal, segment, expect, head, group)
        await self._back()
        return result

    async def head(self, journal: str, segment: int) -> Head | None:
        if not await self._there():
            raise StoreUnavailable("no answer")
        result = self._store.heads.get((journal, segment))
        await self._back()
        return result

    async def read(self, journal: str, segment: int, first_seq: int, last_seq: int) -> AsyncIterator[Sequence[Group]]:
        if not await self._there():
            raise StoreUnavailable("no answer")
        groups = self._store.groups.get((journal, segment), {})
        page = [Group(seq, groups[seq]) for seq in range(first_seq, last_seq + 1) if seq in groups]
        await self._back()
        if page:
            yield page

    async def drop(self, journal: str, segment: int) -> None:
        if not await self._there():
            raise StoreUnavailable("no answer")
        self._store.heads.pop((journal, segment), None)
        self._store.groups.pop((journal, segment), None)
        await self._back()

    async def close(self) -> None:
        """Nothing to give back."""

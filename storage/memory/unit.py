"""A unit in the memory of this process: for tests and simulation, with all the promises but durability.

Units opened under one name share one store, so that a "restart" inside one process finds what was written.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence

from storage.bounds import check_name, check_place, check_records, check_swap
from storage.unit import ABSENT, Collections, Group, Head, Record, Stored, StoreUnavailable, Unit

SCAN_PAGE_RECORDS = 500
READ_PAGE_GROUPS = 32


class MemoryStore:
    """What the units of one name share, until `forget` or the end of the process."""

    def __init__(self) -> None:
        self.records: defaultdict[tuple[str, str], dict[str, tuple[int, bytes | None]]] = defaultdict(dict)
        self.heads: dict[tuple[str, int], Head] = {}
        self.groups: defaultdict[tuple[str, int], dict[int, bytes]] = defaultdict(dict)


_stores: defaultdict[str, MemoryStore] = defaultdict(MemoryStore)


def store_named(name: str) -> MemoryStore:
    """The store of that name in this process; "" gives a new one each time."""
    return _stores[name] if name else MemoryStore()


def forget(name: str) -> None:
    """Let go of a named store: the next unit of that name starts empty."""
    _stores.pop(name, None)


class MemoryUnit(Unit):
    """A unit over a `MemoryStore`. Each write gives way to the event loop once, as a real store does."""

    def __init__(self, store: MemoryStore, collections: Collections) -> None:
        self._store = store
        self._collections = collections
        self._closed = False

    def _open(self) -> MemoryStore:
        if self._closed:
            raise StoreUnavailable("This unit is closed.")
        return self._store

    async def put(self, records: Sequence[Record]) -> None:
        """Write records; of two writes to a key the higher timestamp stays."""
        store = self._open()
        check_records(records, self._collections)
        await asyncio.sleep(0)
        for record in records:
            place = store.records[record.collection, record.partition]
            kept = place.get(record.key)
            if kept is None or record.timestamp >= kept[0]:
                place[record.key] = (record.timestamp, record.value)

    async def get(self, collection: str, partition: str, keys: Sequence[str]) -> dict[str, Stored]:
        """Read the records that exist, by key."""
        store = self._open()
        check_place(collection, partition, self._collections)
        await asyncio.sleep(0)
        place = store.records.get((collection, partition), {})
        found: dict[str, Stored] = {}
        for key in keys:
            timestamp, value = place.get(key, (0, None))
            if value is not None:
                found[key] = Stored(key, value, timestamp)
        return found

    async def scan(self, collection: str, partition: str) -> AsyncIterator[Sequence[Stored]]:
        """Read a whole partition in pages, ordered by key."""
        after = ""
        check_place(collection, partition, self._collections)
        while True:
            store = self._open()
            place = store.records.get((collection, partition), {})
            keys = sorted(key for key, (_, value) in place.items() if value is not None and key > after)
            page = await self.get(collection, partition, keys[:SCAN_PAGE_RECORDS])
            if page:
                yield list(page.values())
            if len(keys) <= SCAN_PAGE_RECORDS:
                return
            after = keys[SCAN_PAGE_RECORDS - 1]

    async def swap(self, journal: str, segment: int, expect: Head | None, head: Head, group: Group | None) -> Head:
        """Compare-and-set the head of a segment, and write a group's row with it."""
        store = self._open()
        check_swap(journal, segment, head, group)
        await asyncio.sleep(0)
        place = (journal, segment)
        now = store.heads.get(place)
        if not matches(now, expect):
            return now or ABSENT
        store.heads[place] = head
        if group is not None:
            store.groups[place][group.seq] = group.payload
        return head

    async def head(self, journal: str, segment: int) -> Head | None:
        """Read the head of a segment."""
        store = self._open()
        check_name("journal", journal)
        await asyncio.sleep(0)
        return store.heads.get((journal, segment))

    async def read(self, journal: str, segment: int, first_seq: int, last_seq: int) -> AsyncIterator[Sequence[Group]]:
        """Read groups of a segment in order, in pages; both ends inclusive."""
        groups = self._open().groups.get((journal, segment), {})
        seqs = sorted(seq for seq in groups if first_seq <= seq <= last_seq)
        for start in range(0, len(seqs), READ_PAGE_GROUPS):
            await asyncio.sleep(0)
            yield [Group(seq, groups[seq]) for seq in seqs[start : start + READ_PAGE_GROUPS]]

    async def drop(self, journal: str, segment: int) -> None:
        """Forget a whole segment."""
        store = self._open()
        check_name("journal", journal)
        await asyncio.sleep(0)
        store.heads.pop((journal, segment), None)
        store.groups.pop((journal, segment), None)

    async def close(self) -> None:
        """Refuse further calls; the store stays for the next unit of its name."""
        self._closed = True


def matches(now: Head | None, expect: Head | None) -> bool:
    """Is `expect` in force? The condition every store keeps: epoch, tip and sealed, or that nothing exists yet."""
    if now is None or expect is None:
        return now is None and expect is None
    return now.epoch == expect.epoch and now.tip == expect.tip and now.sealed == expect.sealed

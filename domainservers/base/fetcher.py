"""Reads records by key in batches that form by themselves: what is wanted during one read becomes the next."""

import asyncio
from collections.abc import Callable, Sequence
from zlib import crc32

from storage.unit import Stored, StoreRejected, StoreUnavailable, Unit

KEYS_PER_READ_MAX = 1_000


def bucket_of(key: str, buckets: int) -> int:
    """Partition number of a key; part of the data, never change it."""
    return crc32(key.encode()) % buckets


async def read_keys(
    unit: Unit, collection: str, partition_of: Callable[[str], str], keys: Sequence[str]
) -> dict[str, Stored]:
    """Read records of a collection by key, a partition at a time side by side. Raises `StoreUnavailable`."""
    parts: dict[str, list[str]] = {}
    for key in keys:
        parts.setdefault(partition_of(key), []).append(key)
    if len(parts) == 1:
        ((partition, only),) = parts.items()
        return await unit.get(collection, partition, only)
    pages = await asyncio.gather(*(unit.get(collection, part, some) for part, some in parts.items()))
    found: dict[str, Stored] = {}
    for page in pages:
        found.update(page)
    return found


class Fetcher:
    """One collection of one unit, partitioned by `partition_of`."""

    def __init__(
        self,
        unit: Unit,
        collection: str,
        partition_of: Callable[[str], str],
        take: Callable[[str, Stored | None], None],
        lost: Callable[[Sequence[str]], None],
    ) -> None:
        """`take` gets each key's record or None; `lost` the keys that the store gave no answer for."""
        self._unit = unit
        self._collection = collection
        self._partition_of = partition_of
        self._take = take
        self._lost = lost
        self._wanted: dict[str, None] = {}
        self._reading: dict[str, None] = {}
        self._task: asyncio.Task[None] | None = None

    def want(self, key: str) -> None:
        """Ask for a key; asking twice reads once."""
        if key in self._reading:
            return
        self._wanted[key] = None
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._wanted:
                keys = list(self._wanted)[:KEYS_PER_READ_MAX]
                for key in keys:
                    del self._wanted[key]
                self._reading = dict.fromkeys(keys)
                try:
                    found = await self._read_apart(keys)
                except (StoreUnavailable, StoreRejected):
                    self._reading = {}
                    self._lost(keys)
                    continue
                keys = list(self._reading)
                self._reading = {}
                for key in keys:
                    self._take(key, found.get(key))
        finally:
            self._task = None

    async def _read_apart(self, keys: Sequence[str]) -> dict[str, Stored]:
        """Read keys; when one record is refused, as one with a broken seal is, lose that one and not its neighbours."""
        try:
            return await self._read(keys)
        except StoreRejected:
            if len(keys) == 1:
                raise
        found: dict[str, Stored] = {}
        lost: list[str] = []
        for key in keys:
            try:
                found |= await self._read([key])
            except StoreRejected:
                lost.append(key)
        if len(lost) == len(keys):
            raise StoreRejected("the store refuses whatever is read")
        for key in lost:
            self._reading.pop(key, None)
        self._lost(lost)
        return found

    async def _read(self, keys: Sequence[str]) -> dict[str, Stored]:
        return await read_keys(self._unit, self._collection, self._partition_of, keys)

    def stop(self) -> None:
        """Give up what is under way; nothing is called back afterwards."""
        if self._task is not None:
            self._task.cancel()
        self._wanted.clear()

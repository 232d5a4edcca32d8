"""Seals on what owners write beside their journals: snapshots, checkpoints, key indexes, contracts, orders.

A record's value ends with a seal over its place, its timestamp and its content, so that a changed record, or one that
was copied to another place, is refused by whoever reads it. What is missing, or an older record put back, a seal can't
show: the checkpoint, the anchors and the replay of the journals do.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence

from evidence.keys import SEAL_BYTES, KeyRing, Unproven
from runtime.telemetry import logger
from storage.open import Stores
from storage.unit import Group, Head, Record, Stored, StoreRejected, Unit

log = logger("evidence.seals")


class Tampered(StoreRejected):
    """A record does not carry the seal of who should have written it. The message says which."""


class SealedUnit(Unit):
    """A unit whose records are sealed as they are written, and proven as they are read. Journals pass as they are."""

    def __init__(self, unit: Unit, ring: KeyRing, tell: Callable[[str], None] | None = None) -> None:
        """With `tell`, records that don't hold are told and left out; else the read raises `Tampered`."""
        self._unit = unit
        self._ring = ring
        self._tell = tell

    async def put(self, records: Sequence[Record]) -> None:
        """Seal records, place and timestamp included, and write them. Raises as `Unit.put` does."""
        await self._unit.put([sealed(record, self._ring) for record in records])

    async def get(self, collection: str, partition: str, keys: Sequence[str]) -> dict[str, Stored]:
        """Read the records that exist, by key. Raises `Tampered`."""
        found = await self._unit.get(collection, partition, keys)
        return {stored.key: stored for stored in self._proven(collection, partition, found.values())}

    async def scan(self, collection: str, partition: str) -> AsyncIterator[Sequence[Stored]]:
        """Read a whole partition in pages, ordered by key. Raises `Tampered`."""
        async for page in self._unit.scan(collection, partition):
            yield self._proven(collection, partition, page)

    async def swap(self, journal: str, segment: int, expect: Head | None, head: Head, group: Group | None) -> Head:
        """Compare-and-set the head of a segment, and write a group's row with it."""
        return await self._unit.swap(journal, segment, expect, head, group)

    async def head(self, journal: str, segment: int) -> Head | None:
        """Read the head of a segment."""
        return await self._unit.head(journal, segment)

    def read(self, journal: str, segment: int, first_seq: int, last_seq: int) -> AsyncIterator[Sequence[Group]]:
        """Read groups of a segment in order, in pages; both ends inclusive."""
        return self._unit.read(journal, segment, first_seq, last_seq)

    async def drop(self, journal: str, segment: int) -> None:
        """Forget a whole segment."""
        await self._unit.drop(journal, segment)

    async def close(self) -> None:
        """Close the unit."""
        await self._unit.close()

    def _proven(self, collection: str, partition: str, found: Iterable[Stored]) -> list[Stored]:
        proven: list[Stored] = []
        for stored in found:
            value, seal = stored.value[:-SEAL_BYTES], stored.value[-SEAL_BYTES:]
            try:
                holds = self._ring.holds(_text(collection, partition, stored.key, stored.timestamp, value), seal)
                why = "its seal does not hold"
            except Unproven as error:
                holds, why = False, str(error)
            if holds:
                proven.append(Stored(stored.key, value, stored.timestamp))
                continue
            sentence = f"record {collection}/{partition}/{stored.key} was not written by its owner: {why}"
            if self._tell is None:
                log.error("a record was tampered with", place=f"{collection}/{partition}/{stored.key}", why=why)
                raise Tampered(sentence)
            self._tell(sentence)
        return proven


async def open_sealed(stores: Stores, url: str, ring: KeyRing) -> Unit:
    """Open the unit at `url` with seals. Raises as `Stores.open` does."""
    return SealedUnit(await stores.open(url), ring)


def sealed(record: Record, ring: KeyRing) -> Record:
    """Give a record with its seal (24 bytes at the end of its value); a deletion has none."""
    if record.value is None:
        return record
    text = _text(record.collection, record.partition, record.key, record.timestamp, record.value)
    return Record(record.collection, record.partition, record.key, record.value + ring.seal(text), record.timestamp)


def _text(collection: str, partition: str, key: str, timestamp: int, value: bytes) -> bytes:
    # Lengths, so that no two places read alike.
    place = "".join(f"{len(part)}:{part}" for part in (collection, partition, key))
    return f"{place}{timestamp}:".encode() + value

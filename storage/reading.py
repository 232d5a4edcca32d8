"""A unit that is only looked at: what an audit opens, so that it can't change what it is to prove."""

from collections.abc import AsyncIterator, Sequence

from storage.unit import Group, Head, Record, Stored, StoreRejected, Unit


class ReadOnlyUnit(Unit):
    """Hands reads on and refuses every write with `StoreRejected`, at once and whatever the store would allow."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    async def put(self, records: Sequence[Record]) -> None:
        """Refuse."""
        raise _refusal()

    async def get(self, collection: str, partition: str, keys: Sequence[str]) -> dict[str, Stored]:
        """Read the records that exist, by key."""
        return await self._unit.get(collection, partition, keys)

    def scan(self, collection: str, partition: str) -> AsyncIterator[Sequence[Stored]]:
        """Read a whole partition in pages, ordered by key."""
        return self._unit.scan(collection, partition)

    async def swap(self, journal: str, segment: int, expect: Head | None, head: Head, group: Group | None) -> Head:
        """Refuse."""
        raise _refusal()

    async def head(self, journal: str, segment: int) -> Head | None:
        """Read the head of a segment."""
        return await self._unit.head(journal, segment)

    def read(self, journal: str, segment: int, first_seq: int, last_seq: int) -> AsyncIterator[Sequence[Group]]:
        """Read groups of a segment in order, in pages; both ends inclusive."""
        return self._unit.read(journal, segment, first_seq, last_seq)

    async def drop(self, journal: str, segment: int) -> None:
        """Refuse."""
        raise _refusal()

    async def close(self) -> None:
        """Close it."""
        await self._unit.close()


def _refusal() -> StoreRejected:
    return StoreRejected("This unit was opened to be read only.")

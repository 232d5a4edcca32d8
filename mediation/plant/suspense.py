"""Suspense: records that could not be charged, each with its reason, until their cause is mended (seed 002)."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import astuple

from mediation.plant.base import PlantBase
from mediation.plant.batches import KeyedRecord

_pack = msgspec.msgpack.Encoder().encode


class Suspended(Struct, frozen=True):
    """A record that could not be charged. The order of its fields is that of the table."""

    digest: str
    """Of its file."""
    position: int
    reason: str
    why: str
    raw: bytes
    key: bytes
    """Empty when the record could not be read."""
    record: bytes
    """The usage record, packed; empty when it could not be read."""
    since_ms: int


def aside_of(digest: str, row: KeyedRecord, reason: str, why: str, now_ms: int) -> Suspended:
    """Put a record of a file aside."""
    place = row.record.place
    return Suspended(digest, place.position, reason, why, place.raw, row.key, _pack(row.record), now_ms)


class Suspense:
    """Of one plant. Whoever writes does it inside `PlantBase.commit`."""

    def __init__(self, base: PlantBase) -> None:
        self._base = base.connection

    def keep(self, rows: Sequence[Suspended]) -> None:
        """Keep records, each in place of what was kept of it before."""
        query = "INSERT OR REPLACE INTO suspense VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        self._base.executemany(query, [astuple(row) for row in rows])

    def release(self, digest: str, positions: Iterable[int]) -> int:
        """Forget records of a file that could be read after all: they are in a batch now, or known to be none.

        Gives how many there were.
        """
        rows = [(digest, position) for position in positions]
        return self._base.executemany("DELETE FROM suspense WHERE digest = ? AND position = ?", rows).rowcount

    def all(self, reason: str = "", digest: str = "") -> Iterator[Suspended]:
        """Give records by file and position; "" = of all reasons, of all files."""
        query = "SELECT * FROM suspense WHERE ? IN ('', reason) AND ? IN ('', digest) ORDER BY digest, position"
        return (Suspended(*row) for row in self._base.execute(query, (reason, digest)))

"""What a storage unit promises. Memory, SQLite and Cassandra keep the same promises and pass the same contract suite.

A unit holds two kinds of things:

* **Records**: plain values with a timestamp, last write wins by timestamp, grouped in partitions. Never conditional.
* **Journals**: append-only chains, written by compare-and-set only. A journal is cut into segments; a segment is one
  partition with a static head (epoch, owner, head, tip, sealed) and one row a group (see ARCHITECTURE.md).

All methods are coroutines of one event loop and may be cancelled; a cancelled or timed-out append has an unknown
outcome, as in `StoreUnavailable`.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from msgspec import Struct

RECORDS_PER_PUT_MAX = 10_000
VALUE_BYTES_MAX = 1_000_000
PAYLOAD_BYTES_MAX = 4_000_000

Collections = frozenset[str]
"""Names of the kinds of records that a process keeps; its rooms bring them."""


class StoreUnavailable(Exception):
    """The store did not answer, or not in time. A write may or may not have happened: repeat it identically."""


class StoreRejected(Exception):
    """The store refuses for good: wrong schema, wrong credentials, value too large. The message says what to do."""


class Record(Struct, frozen=True, gc=False):
    """One value to write. `value` None deletes; a delete too is subject to last-write-wins."""

    collection: str
    """Kind of record: contract, account, owner, … One of those that the unit was opened for."""
    partition: str
    key: str
    value: bytes | None
    timestamp: int
    """Order of writes to this key; of two writes the higher one stays, whichever arrives last. Equal timestamps: equal
    values by the caller's promise."""


class Stored(Struct, frozen=True, gc=False):
    """One value as read; `timestamp` is that of the write that won."""

    key: str
    value: bytes
    timestamp: int


class Head(Struct, frozen=True, gc=False):
    """The head of a journal segment. `seq` is that of the last group, first_seq - 1 when empty."""

    epoch: int
    owner: str
    seq: int
    tip: bytes
    sealed: bool


ABSENT = Head(epoch=-1, owner="", seq=-1, tip=b"", sealed=True)
"""What a swap answers when it expects a head and the segment is not there: never created, or dropped."""


class Group(Struct, frozen=True, gc=False):
    """One journal row: `seq`, counted from 0 over all segments, and the payload of a group, bytes as given."""

    seq: int
    payload: bytes


class Unit(Protocol):
    """One storage unit. Eight methods, no more; every store keeps each, and one suite proves it."""

    async def put(self, records: Sequence[Record]) -> None:
        """Write records at QUORUM, batched by partition. Idempotent. Returns when all are durable.

        Raises `StoreUnavailable` when some may be missing (repeat the whole call), `StoreRejected` for oversize.
        """
        ...

    async def get(self, collection: str, partition: str, keys: Sequence[str]) -> dict[str, Stored]:
        """Read the records that exist, by key, at QUORUM; whatever `put` returned for before is seen.

        Raises `StoreUnavailable`; `StoreRejected` for a collection that the unit was not opened for.
        """
        ...

    def scan(self, collection: str, partition: str) -> AsyncIterator[Sequence[Stored]]:
        """Read a whole partition in pages, ordered by key."""
        ...

    async def swap(self, journal: str, segment: int, expect: Head | None, head: Head, group: Group | None) -> Head:
        """Compare-and-set the head of a segment, and write a group's row with it, all or nothing.

        `expect` None means the segment must not exist yet. The condition is on epoch, tip and sealed of `expect`.
        Returns the head that is in force afterwards: equal to `head` when applied, another one when not. A repeat of
        an applied swap finds its own tip and epoch in force, and so returns `head`: callers repeat after a timeout.
        `ABSENT` when a head was expected and the segment is not there.
        """
        ...

    async def head(self, journal: str, segment: int) -> Head | None:
        """Read the head of a segment linearizably (SERIAL): no swap under way can apply unseen afterwards."""
        ...

    def read(self, journal: str, segment: int, first_seq: int, last_seq: int) -> AsyncIterator[Sequence[Group]]:
        """Read groups of a segment in order, in pages, at QUORUM; both ends inclusive, up to a head read before."""
        ...

    async def drop(self, journal: str, segment: int) -> None:
        """Forget a whole segment. Ordered among the swaps: one that expects its head finds `ABSENT`. Idempotent.

        Raises `StoreUnavailable`.
        """
        ...

    async def close(self) -> None:
        """Give back connections and threads; nothing is pending afterwards."""
        ...

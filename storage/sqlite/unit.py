"""A unit in one SQLite file: the embedded default, with the durability of one disk.

WAL with `synchronous=FULL`: a write is acknowledged after fsync. While a transaction is under way, the writes that
arrive wait, and go together into the next one: many journals share an fsync. One connection writes, in whichever thread
is at work (`storage.sqlite.writers`), one reads, in a thread of its own. Several processes may open one file; SQLite's
own lock orders their transactions.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec

from storage.bounds import check_int, check_name, check_place, check_records, check_swap
from storage.sqlite.files import connect, connect_to_read, guarded, prepare, transactions
from storage.sqlite.writers import FileWriter, Work, borrow, give_back
from storage.unit import ABSENT, Collections, Group, Head, Record, Stored, StoreUnavailable, Unit

SCAN_PAGE_RECORDS = 500
READ_PAGE_GROUPS = 32
TOMBSTONE_KEPT_S = 10 * 24 * 3600
"""How long a deletion is remembered to outbid late stale writes; the same ten days as Cassandra's default."""

_PUT = """
INSERT INTO record (collection, bucket, key, stamp, forget_after_s, value) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (collection, bucket, key) DO UPDATE
SET stamp = excluded.stamp, forget_after_s = excluded.forget_after_s, value = excluded.value
WHERE excluded.stamp >= record.stamp"""
# Whoever changes the file by hand may leave texts where bytes were; they are read as the bytes that they are.
_GET = """
SELECT key, CAST(value AS BLOB), stamp FROM record
WHERE collection = ? AND bucket = ? AND key IN (SELECT value FROM json_each(?)) AND value IS NOT NULL"""
_SCAN = """
SELECT key, CAST(value AS BLOB), stamp FROM record
WHERE collection = ? AND bucket = ? AND key > ? AND value IS NOT NULL ORDER BY key LIMIT ?"""
_HEAD = "SELECT epoch, owner, head, CAST(tip AS BLOB), sealed FROM segment_head WHERE journal = ? AND segment = ?"
_NEW_HEAD = "INSERT OR IGNORE INTO segment_head VALUES (?, ?, ?, ?, ?, ?, ?)"
_MOVE_HEAD = """
UPDATE segment_head SET epoch = ?, owner = ?, head = ?, tip = ?, sealed = ?
WHERE journal = ? AND segment = ? AND epoch = ? AND tip = ? AND sealed = ?"""
_SET_GROUP = "INSERT OR REPLACE INTO segment_group VALUES (?, ?, ?, ?)"
_READ = """
SELECT seq, CAST(payload AS BLOB) FROM segment_group
WHERE journal = ? AND segment = ? AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?"""

T = TypeVar("T")


class SqliteUnit(Unit):
    """A unit over one SQLite file. Opened by `open_sqlite`."""

    def __init__(self, path: Path, collections: Collections) -> None:
        self._path = path
        self._collections = collections
        self._writers = borrow()
        self._writer = FileWriter(path.name, self._commit, self._writers)
        self._reader = ThreadPoolExecutor(1, thread_name_prefix=f"read-{path.stem}")
        self._write_to: sqlite3.Connection | None = None
        self._read_from: sqlite3.Connection | None = None
        self._closed = False

    async def start(self, *, read_only: bool) -> None:
        """Open the file; make or upgrade its schema, unless it is only read.

        Raises `StoreUnavailable` or `StoreRejected`.
        """
        loop = asyncio.get_running_loop()
        try:
            if not read_only:
                self._write_to = await loop.run_in_executor(self._reader, guarded, lambda: prepare(self._path))
            opened = connect_to_read if read_only else connect
            self._read_from = await loop.run_in_executor(self._reader, guarded, lambda: opened(self._path))
        except BaseException:
            await self.close()
            raise

    async def put(self, records: Sequence[Record]) -> None:
        """Write records in one transaction with whatever else waits; it is on the disk when this returns."""
        check_records(records, self._collections)
        if not records:
            return
        forget_s = int(time.time()) + TOMBSTONE_KEPT_S
        rows = [
            (r.collection, r.partition, r.key, r.timestamp, forget_s if r.value is None else None, r.value)
            for r in records
        ]
        size = sum(len(r.value or b"") for r in records)

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(_PUT, rows)

        await self._write(work, size)

    async def get(self, collection: str, partition: str, keys: Sequence[str]) -> dict[str, Stored]:
        """Read the records that exist, by key."""
        check_place(collection, partition, self._collections)
        if not keys:
            return {}
        wanted = msgspec.json.encode(keys).decode()
        found = await self._query(Stored, _GET, (collection, partition, wanted))
        return {stored.key: stored for stored in found}

    async def scan(self, collection: str, partition: str) -> AsyncIterator[Sequence[Stored]]:
        """Read a whole partition in pages, ordered by key. Each page is a read of its own: no lock is held between."""
        check_place(collection, partition, self._collections)
        after = ""
        while True:
            page = await self._query(Stored, _SCAN, (collection, partition, after, SCAN_PAGE_RECORDS))
            if page:
                yield page
            if len(page) < SCAN_PAGE_RECORDS:
                return
            after = page[-1].key

    async def swap(self, journal: str, segment: int, expect: Head | None, head: Head, group: Group | None) -> Head:
        """Compare-and-set the head of a segment and write its group, in the same transaction."""
        check_swap(journal, segment, head, group)

        def work(connection: sqlite3.Connection) -> Head:
            return _swap(connection, (journal, segment), expect, head, group)

        return await self._write(work, len(group.payload) if group else 0)

    async def head(self, journal: str, segment: int) -> Head | None:
        """Read the head of a segment."""
        check_name("journal", journal)
        return await self._read(lambda connection: _head(connection, journal, segment))

    async def read(self, journal: str, segment: int, first_seq: int, last_seq: int) -> AsyncIterator[Sequence[Group]]:
        """Read groups of a segment in order, in pages; both ends inclusive."""
        check_name("journal", journal)
        check_int("first_seq", first_seq)
        check_int("last_seq", last_seq)
        while True:
            page = await self._query(Group, _READ, (journal, segment, first_seq, last_seq, READ_PAGE_GROUPS))
            if page:
                yield page
            if len(page) < READ_PAGE_GROUPS:
                return
            first_seq = page[-1].seq + 1

    async def drop(self, journal: str, segment: int) -> None:
        """Forget a whole segment."""
        check_name("journal", journal)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM segment_head WHERE journal = ? AND segment = ?", (journal, segment))
            connection.execute("DELETE FROM segment_group WHERE journal = ? AND segment = ?", (journal, segment))

        await self._write(work, 0)

    async def close(self) -> None:
        """Finish what was accepted, then close the file and end the threads: in this order, so nothing is lost."""
        if self._closed:
            return
        self._closed = True
        await self._writer.finish()
        loop = asyncio.get_running_loop()
        for connection in (self._read_from, self._write_to):
            if connection is not None:
                await loop.run_in_executor(self._reader, connection.close)
        self._reader.shutdown(wait=False)
        self._read_from = self._write_to = None
        give_back(self._writers)

    async def _write(self, work: Callable[[sqlite3.Connection], T], size: int) -> T:
        """Queue a write for the next transaction and wait until that is durable."""
        if self._closed:
            raise StoreUnavailable(f"The unit {self._path.name} is closed.")
        return await self._writer.write(work, size)

    def _commit(self, works: Sequence[Work]) -> list[object]:
        """In a thread of the writers'."""
        assert self._write_to is not None, "a unit that is only read is not written"
        return transactions(self._write_to, works)

    async def _query(self, shape: Callable[..., T], sql: str, values: tuple[str | int, ...]) -> list[T]:
        """Read rows, each as what `shape` makes of its columns."""
        return await self._read(lambda connection: [shape(*row) for row in connection.execute(sql, values)])

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._read_from
        if self._closed or connection is None:
            raise StoreUnavailable(f"The unit {self._path.name} is closed.")
        return await asyncio.get_running_loop().run_in_executor(self._reader, guarded, lambda: work(connection))


async def open_sqlite(path: Path, collections: Collections, *, read_only: bool = False) -> SqliteUnit:
    """Open (and make, or upgrade) the unit in that file; `read_only` leaves it as it is, and it must not be written."""
    unit = SqliteUnit(path, collections)
    await unit.start(read_only=read_only)
    return unit


def _head(connection: sqlite3.Connection, journal: str, segment: int) -> Head | None:
    row = connection.execute(_HEAD, (journal, segment)).fetchone()
    return None if row is None else Head(row[0], row[1], row[2], row[3], bool(row[4]))


def _swap(
    connection: sqlite3.Connection, place: tuple[str, int], expect: Head | None, head: Head, group: Group | None
) -> Head:
    wanted = (head.epoch, head.owner, head.seq, head.tip, head.sealed)
    if expect is None:
        moved = connection.execute(_NEW_HEAD, (*place, *wanted))
    else:
        moved = connection.execute(_MOVE_HEAD, (*wanted, *place, expect.epoch, expect.tip, expect.sealed))
    if not moved.rowcount:
        return _head(connection, *place) or ABSENT
    if group is not None:
        connection.execute(_SET_GROUP, (*place, group.seq, group.payload))
    return head

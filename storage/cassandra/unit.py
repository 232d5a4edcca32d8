"""A unit in one Cassandra keyspace.

Records are written plainly `USING TIMESTAMP`, in unlogged batches by partition. A journal segment is one partition that
only lightweight transactions touch: the head in static columns and the group's row change in one statement, or not at
all. Reads and writes are at QUORUM, heads are read at SERIAL.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import cast

from cassandra.query import BatchStatement, BatchType, BoundStatement, PreparedStatement, Statement
from msgspec import Struct

from storage.bounds import check_int, check_name, check_place, check_records, check_swap
from storage.cassandra.connection import LinkSettings, link_settings
from storage.cassandra.link import PLAIN, SERIAL, SWAP, Link, Row, borrow, give_back
from storage.cassandra.tables import bring_up_to_date, check_up_to_date
from storage.unit import ABSENT, Group, Head, Record, Stored, StoreRejected, StoreUnavailable, Unit
from storage.url import UnitUrl

BATCH_RECORDS_MAX = 100
BATCH_BYTES_MAX = 256_000
PUT_BATCHES_IN_FLIGHT = 8
GET_KEYS_MAX = 100
SCAN_PAGE_RECORDS = 500
READ_PAGE_GROUPS = 32
_LOWEST_SEQ = -(1 << 63)

_PUT = "INSERT INTO {keyspace}.record (collection, bucket, key, value) VALUES (?, ?, ?, ?) USING TIMESTAMP ?"
_DELETE = "DELETE FROM {keyspace}.record USING TIMESTAMP ? WHERE collection = ? AND bucket = ? AND key = ?"
_GET = "SELECT key, value, WRITETIME(value) FROM {keyspace}.record WHERE collection = ? AND bucket = ? AND key IN ?"
_SCAN = "SELECT key, value, WRITETIME(value) FROM {keyspace}.record WHERE collection = ? AND bucket = ?"
_HEAD = "SELECT DISTINCT epoch, owner, head, tip, sealed FROM {keyspace}.journal WHERE journal = ? AND segment = ?"
_CREATE = (
    "INSERT INTO {keyspace}.journal (journal, segment, epoch, owner, head, tip, sealed) VALUES (?, ?, ?, ?, ?, ?, ?) "
    "IF NOT EXISTS"
)
_MOVE = (
    "UPDATE {keyspace}.journal SET epoch = ?, owner = ?, head = ?, tip = ?, sealed = ? "
    "WHERE journal = ? AND segment = ? IF epoch = ? AND tip = ? AND sealed = ?"
)
_APPEND = (
    "UPDATE {keyspace}.journal SET epoch = ?, owner = ?, head = ?, tip = ?, sealed = ?, payload = ? "
    "WHERE journal = ? AND segment = ? AND seq = ? IF epoch = ? AND tip = ? AND sealed = ?"
)
_GROUP = "INSERT INTO {keyspace}.journal (journal, segment, seq, payload) VALUES (?, ?, ?, ?)"
_READ = (
    "SELECT seq, payload FROM {keyspace}.journal WHERE journal = ? AND segment = ? AND seq >= ? AND seq <= ? "
    "ORDER BY seq"
)
_DROP_HEAD = (
    "DELETE epoch, owner, head, tip, sealed FROM {keyspace}.journal WHERE journal = ? AND segment = ? IF EXISTS"
)
_DROP_GROUPS = "DELETE FROM {keyspace}.journal WHERE journal = ? AND segment = ? AND seq >= ?"


class _Prepared(Struct):
    """The unit's statements, prepared."""

    put: PreparedStatement
    delete: PreparedStatement
    get: PreparedStatement
    scan: PreparedStatement
    head: PreparedStatement
    create: PreparedStatement
    move: PreparedStatement
    append: PreparedStatement
    group: PreparedStatement
    read: PreparedStatement
    drop_head: PreparedStatement
    drop_groups: PreparedStatement


class CassandraUnit(Unit):
    """A unit in one keyspace, over a link shared with its neighbours. Opened by `open_cassandra`."""

    def __init__(self, link: Link, settings: LinkSettings, keyspace: str, prepared: _Prepared) -> None:
        self._link = link
        self._settings = settings
        self._keyspace = keyspace
        self._do = prepared
        self._closed = False
        self._calls = 0
        self._idle = asyncio.Event()

    @contextmanager
    def _use(self) -> Iterator[Link]:
        """The link for one call; `close` waits for the calls under way."""
        if self._closed:
            raise StoreUnavailable(f"The unit {self._keyspace} is closed.")
        self._calls += 1
        self._idle.clear()
        try:
            yield self._link
        finally:
            self._calls -= 1
            if not self._calls:
                self._idle.set()

    async def put(self, records: Sequence[Record]) -> None:
        """Write records in unlogged batches by partition, several at a time."""
        check_records(records)
        with self._use() as link:
            if records:
                await link.run_all(self._batches(records), PUT_BATCHES_IN_FLIGHT)

    async def get(self, collection: str, partition: str, keys: Sequence[str]) -> dict[str, Stored]:
        """Read the records that exist, by key."""
        check_place(collection, partition)
        wanted = list(dict.fromkeys(keys))
        found: dict[str, Stored] = {}
        with self._use() as link:
            for start in range(0, len(wanted), GET_KEYS_MAX):
                chunk = wanted[start : start + GET_KEYS_MAX]
                statement = _sized(self._do.get.bind((collection, partition, chunk)), GET_KEYS_MAX)
                for row in await link.rows(statement):
                    stored = _stored(row)
                    found[stored.key] = stored
        return found

    async def scan(self, collection: str, partition: str) -> AsyncIterator[Sequence[Stored]]:
        """Read a whole partition in pages, ordered by key."""
        check_place(collection, partition)
        statement = _sized(self._do.scan.bind((collection, partition)), SCAN_PAGE_RECORDS)
        async for rows in self._pages(statement):
            yield [_stored(row) for row in rows]

    async def swap(self, journal: str, segment: int, expect: Head | None, head: Head, group: Group | None) -> Head:
        """Compare-and-set the head and write the group's row with it, as one lightweight transaction.

        Not applied, the head in force is read apart: the answer to a failed transaction has only the columns of its
        condition, and two owners may bump to the same epoch.
        """
        check_swap(journal, segment, head, group)
        with self._use() as link:
            rows = await link.rows(self._swap(journal, segment, expect, head, group), SWAP)
            if rows and rows[0][0] is True:
                return head
            return await self._head(link, journal, segment) or ABSENT

    def _swap(self, journal: str, segment: int, expect: Head | None, head: Head, group: Group | None) -> Statement:
        """The one statement of a swap."""
        place = (journal, segment)
        new = (head.epoch, head.owner, head.seq, head.tip, head.sealed)
        if expect is not None:
            condition = (expect.epoch, expect.tip, expect.sealed)
            if group is None:
                return self._do.move.bind((*new, *place, *condition))
            return self._do.append.bind((*new, group.payload, *place, group.seq, *condition))
        create = self._do.create.bind((*place, *new))
        if group is None:
            return create
        batch = BatchStatement(BatchType.UNLOGGED)
        batch.add(create)
        batch.add(self._do.group, (*place, group.seq, group.payload))
        return batch

    async def head(self, journal: str, segment: int) -> Head | None:
        """Read the head of a segment at SERIAL."""
        check_name("journal", journal)
        with self._use() as link:
            return await self._head(link, journal, segment)

    async def _head(self, link: Link, journal: str, segment: int) -> Head | None:
        rows = await link.rows(self._do.head.bind((journal, segment)), SERIAL)
        if not rows or rows[0][0] is None:
            return None
        epoch, owner, seq, tip, sealed = cast("tuple[int, str, int, bytes, bool]", rows[0])
        return Head(epoch, owner, seq, tip, sealed)

    async def read(self, journal: str, segment: int, first_seq: int, last_seq: int) -> AsyncIterator[Sequence[Group]]:
        """Read groups of a segment in order, in pages; both ends inclusive."""
        check_name("journal", journal)
        check_int("first_seq", first_seq)
        check_int("last_seq", last_seq)
        statement = _sized(self._do.read.bind((journal, segment, first_seq, last_seq)), READ_PAGE_GROUPS)
        async for rows in self._pages(statement):
            yield [Group(*cast("tuple[int, bytes]", row)) for row in rows]

    async def drop(self, journal: str, segment: int) -> None:
        """Forget a whole segment: a lightweight transaction too, so that it is ordered among the swaps."""
        check_name("journal", journal)
        batch = BatchStatement(BatchType.UNLOGGED)
        batch.add(self._do.drop_head, (journal, segment))
        batch.add(self._do.drop_groups, (journal, segment, _LOWEST_SEQ))
        with self._use() as link:
            await link.rows(batch, SWAP)

    async def close(self) -> None:
        """Finish the calls under way and leave the shared link; the last unit closes it."""
        if self._closed:
            return
        self._closed = True
        if self._calls:
            await self._idle.wait()
        await give_back(self._settings)

    def _batches(self, records: Sequence[Record]) -> Iterator[Statement]:
        """Statements for these records: a batch never leaves its partition, so that one replica set takes it whole."""
        by_place = sorted(records, key=_place)
        for _, group in groupby(by_place, key=_place):
            batch, size, count = _plain_batch(), 0, 0
            for record in group:
                size += len(record.value or b"")
                if count and (size > BATCH_BYTES_MAX or count == BATCH_RECORDS_MAX):
                    yield batch
                    batch, size, count = _plain_batch(), len(record.value or b""), 0
                batch.add(*self._write(record))
                count += 1
            yield batch

    def _write(self, record: Record) -> tuple[PreparedStatement, tuple[object, ...]]:
        place = (record.collection, record.partition, record.key)
        if record.value is None:
            return self._do.delete, (record.timestamp, *place)
        return self._do.put, (*place, record.value, record.timestamp)

    async def _pages(self, statement: Statement) -> AsyncIterator[list[Row]]:
        state: bytes | None = None
        while True:
            with self._use() as link:
                rows, state = await link.page(statement, PLAIN, state)
            if rows:
                yield rows
            if state is None:
                return


async def open_cassandra(address: UnitUrl, *, read_only: bool = False) -> CassandraUnit:
    """Open (and make, or upgrade) the unit in that keyspace; `read_only` leaves it as it is.

    Raises `StoreUnavailable` when no node answers, `StoreRejected` for wrong credentials, options or a newer schema.
    """
    options = dict(address.options)
    settings = link_settings(address.host, options)
    replication = _replication(options)
    link = await borrow(settings)
    try:
        if read_only:
            await check_up_to_date(link, address.path)
        else:
            await bring_up_to_date(link, address.path, replication)
        prepared = await _prepare(link, address.path)
    except BaseException:
        await give_back(settings)
        raise
    return CassandraUnit(link, settings, address.path, prepared)


async def _prepare(link: Link, keyspace: str) -> _Prepared:
    texts = (
        *(_PUT, _DELETE, _GET, _SCAN, _HEAD, _CREATE),
        *(_MOVE, _APPEND, _GROUP, _READ, _DROP_HEAD, _DROP_GROUPS),
    )
    return _Prepared(*[await link.prepare(text.format(keyspace=keyspace)) for text in texts])


def _replication(options: Mapping[str, str]) -> dict[str, int]:
    """`rf=3`, or copies by data center: `dc1=3&dc2=3`. Nothing said: the cluster's nodes, at most three."""
    copies: dict[str, int] = {}
    for name, value in options.items():
        if not value.isdigit() or not 1 <= int(value) <= 9 or not name.replace("-", "").replace("_", "").isalnum():
            # Not the value: it may be the secret of a misspelled option.
            raise StoreRejected(f"{name} is neither an option of a Cassandra address nor has it 1 to 9 copies.")
        copies["" if name == "rf" else name] = int(value)
    if "" in copies and len(copies) > 1:
        raise StoreRejected("Name either rf or the copies in each data center, not both.")
    return copies


def _plain_batch() -> BatchStatement:
    batch = BatchStatement(BatchType.UNLOGGED)
    batch.is_idempotent = True
    return batch


def _sized(statement: BoundStatement, rows: int) -> BoundStatement:
    statement.fetch_size = rows
    statement.is_idempotent = True
    return statement


def _place(record: Record) -> tuple[str, str]:
    return record.collection, record.partition


def _stored(row: Row) -> Stored:
    return Stored(*cast("tuple[str, bytes, int]", row))

"""What is said to Cassandra: the statements of a unit, prepared once, and what is made of them for a call."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from cassandra.query import BatchStatement, BatchType, PreparedStatement, Statement
from msgspec import Struct

from storage.cassandra.link import ClusterLink
from storage.unit import Group, Head, Record

BATCH_RECORDS_MAX = 100
BATCH_BYTES_MAX = 256_000
_LOWEST_SEQ = -(1 << 63)

PUT = "INSERT INTO {keyspace}.record (collection, bucket, key, value) VALUES (?, ?, ?, ?) USING TIMESTAMP ?"
DELETE = "DELETE FROM {keyspace}.record USING TIMESTAMP ? WHERE collection = ? AND bucket = ? AND key = ?"
GET = "SELECT key, value, WRITETIME(value) FROM {keyspace}.record WHERE collection = ? AND bucket = ? AND key IN ?"
SCAN = "SELECT key, value, WRITETIME(value) FROM {keyspace}.record WHERE collection = ? AND bucket = ?"
HEAD = "SELECT DISTINCT epoch, owner, head, tip, sealed FROM {keyspace}.journal WHERE journal = ? AND segment = ?"
CREATE = (
    "INSERT INTO {keyspace}.journal (journal, segment, epoch, owner, head, tip, sealed) VALUES (?, ?, ?, ?, ?, ?, ?) "
    "IF NOT EXISTS"
)
MOVE = (
    "UPDATE {keyspace}.journal SET epoch = ?, owner = ?, head = ?, tip = ?, sealed = ? "
    "WHERE journal = ? AND segment = ? IF epoch = ? AND tip = ? AND sealed = ?"
)
APPEND = (
    "UPDATE {keyspace}.journal SET epoch = ?, owner = ?, head = ?, tip = ?, sealed = ?, payload = ? "
    "WHERE journal = ? AND segment = ? AND seq = ? IF epoch = ? AND tip = ? AND sealed = ?"
)
GROUP = "INSERT INTO {keyspace}.journal (journal, segment, seq, payload) VALUES (?, ?, ?, ?)"
READ = (
    "SELECT seq, payload FROM {keyspace}.journal WHERE journal = ? AND segment = ? AND seq >= ? AND seq <= ? "
    "ORDER BY seq"
)
DROP_HEAD = "DELETE epoch, owner, head, tip, sealed FROM {keyspace}.journal WHERE journal = ? AND segment = ? IF EXISTS"
DROP_GROUPS = "DELETE FROM {keyspace}.journal WHERE journal = ? AND segment = ? AND seq >= ?"


class Statements(Struct):
    """The statements of one unit, prepared for its keyspace."""

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


async def prepare(link: ClusterLink, keyspace: str) -> Statements:
    """Prepare all statements. Raises `StoreUnavailable`."""
    texts = (PUT, DELETE, GET, SCAN, HEAD, CREATE, MOVE, APPEND, GROUP, READ, DROP_HEAD, DROP_GROUPS)
    return Statements(*[await link.prepare(text.format(keyspace=keyspace)) for text in texts])


def swap(do: Statements, place: tuple[str, int], expect: Head | None, head: Head, group: Group | None) -> Statement:
    """Make the one statement of a swap, all or nothing; `place` is journal and segment, `expect` None = must not exist.

    Not idempotent for the driver, which never repeats it: the caller finds out, by repeating it identically.
    """
    new = (head.epoch, head.owner, head.seq, head.tip, head.sealed)
    if expect is not None:
        condition = (expect.epoch, expect.tip, expect.sealed)
        if group is None:
            return do.move.bind((*new, *place, *condition))
        return do.append.bind((*new, group.payload, *place, group.seq, *condition))
    create = do.create.bind((*place, *new))
    if group is None:
        return create
    batch = BatchStatement(BatchType.UNLOGGED)
    batch.add(create)
    batch.add(do.group, (*place, group.seq, group.payload))
    return batch


def drop(do: Statements, place: tuple[str, int]) -> Statement:
    """Make the one statement that forgets a segment: conditional as swaps are, so that it is ordered among them."""
    batch = BatchStatement(BatchType.UNLOGGED)
    batch.add(do.drop_head, place)
    batch.add(do.drop_groups, (*place, _LOWEST_SEQ))
    return batch


def puts(do: Statements, records: Sequence[Record]) -> Iterator[Statement]:
    """Make statements for these records: a batch never leaves its partition, so that one replica set takes it whole."""
    by_place = sorted(records, key=_place)
    for _, group in groupby(by_place, key=_place):
        batch, size, count = _plain_batch(), 0, 0
        for record in group:
            size += len(record.value or b"")
            if count and (size > BATCH_BYTES_MAX or count == BATCH_RECORDS_MAX):
                yield batch
                batch, size, count = _plain_batch(), len(record.value or b""), 0
            batch.add(*_write(do, record))
            count += 1
        yield batch


def _write(do: Statements, record: Record) -> tuple[PreparedStatement, tuple[object, ...]]:
    place = (record.collection, record.partition, record.key)
    if record.value is None:
        return do.delete, (record.timestamp, *place)
    return do.put, (*place, record.value, record.timestamp)


def _plain_batch() -> BatchStatement:
    batch = BatchStatement(BatchType.UNLOGGED)
    batch.is_idempotent = True
    return batch


def _place(record: Record) -> tuple[str, str]:
    return record.collection, record.partition

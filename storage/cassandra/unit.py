"""A unit in one Cassandra keyspace.

Records are written plainly `USING TIMESTAMP`, in unlogged batches by partition. A journal segment is one partition that
only lightweight transactions touch: the head in static columns and the group's row change in one statement, or not at
all. Reads and writes are at QUORUM, heads are read at SERIAL.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

from cassandra.query import BoundStatement, Statement

from storage.address import UnitUrl
from storage.bounds import check_int, check_name, check_place, check_records, check_swap
from storage.cassandra import statements
from storage.cassandra.connection import LinkSettings, link_settings
from storage.cassandra.link import PLAIN, SERIAL, SWAP, ClusterLink, Row, borrow, give_back
from storage.cassandra.statements import Statements, prepare
from storage.cassandra.tables import bring_up_to_date, check_up_to_date
from storage.unit import ABSENT, Collections, Group, Head, Record, Stored, StoreRejected, StoreUnavailable, Unit

PUT_BATCHES_IN_FLIGHT = 8
GET_KEYS_MAX = 100
SCAN_PAGE_RECORDS = 500
READ_PAGE_GROUPS = 32


class CassandraUnit(Unit):
    """A unit in one keyspace, over a link shared with its neighbours. Opened by `open_cassandra`."""

    def __init__(
        self, link: ClusterLink, settings: LinkSettings, keyspace: str, prepared: Statements, collections: Collections
    ) -> None:
        self._link = link
        self._settings = settings
        self._keyspace = keyspace
        self._do = prepared
        self._collections = collections
        self._closed = False
        self._calls = 0
        self._idle = asyncio.Event()

    @contextmanager
    def _use(self) -> Iterator[ClusterLink]:
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
        """Write records in unlogged batches by partition, several at a time, in no order: timestamps decide."""
        check_records(records, self._collections)
        with self._use() as link:
            if records:
                await link.run_all(statements.puts(self._do, records), PUT_BATCHES_IN_FLIGHT)

    async def get(self, collection: str, partition: str, keys: Sequence[str]) -> dict[str, Stored]:
        """Read the records that exist, by key."""
        check_place(collection, partition, self._collections)
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
        check_place(collection, partition, self._collections)
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
            rows = await link.rows(statements.swap(self._do, (journal, segment), expect, head, group), SWAP)
            if rows and rows[0][0] is True:
                return head
            return await self._head(link, journal, segment) or ABSENT

    async def head(self, journal: str, segment: int) -> Head | None:
        """Read the head of a segment at SERIAL, which finishes a swap under way or makes it fail."""
        check_name("journal", journal)
        with self._use() as link:
            return await self._head(link, journal, segment)

    async def _head(self, link: ClusterLink, journal: str, segment: int) -> Head | None:
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
        with self._use() as link:
            await link.rows(statements.drop(self._do, (journal, segment)), SWAP)

    async def close(self) -> None:
        """Finish the calls under way and leave the shared link; the last unit closes it."""
        if self._closed:
            return
        self._closed = True
        if self._calls:
            await self._idle.wait()
        await give_back(self._settings)

    async def _pages(self, statement: Statement) -> AsyncIterator[list[Row]]:
        state: bytes | None = None
        while True:
            with self._use() as link:
                rows, state = await link.page(statement, PLAIN, state)
            if rows:
                yield rows
            if state is None:
                return


async def open_cassandra(address: UnitUrl, collections: Collections, *, read_only: bool = False) -> CassandraUnit:
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
        prepared = await prepare(link, address.path)
    except BaseException:
        await give_back(settings)
        raise
    return CassandraUnit(link, settings, address.path, prepared, collections)


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


def _sized(statement: BoundStatement, rows: int) -> BoundStatement:
    statement.fetch_size = rows
    statement.is_idempotent = True
    return statement


def _stored(row: Row) -> Stored:
    return Stored(*cast("tuple[str, bytes, int]", row))

"""Keyspace and tables of a unit on Cassandra, made and upgraded while other processes may do the same.

Cassandra 5.0 has no lock for schema changes: two coordinators that create one table at once would give it two ids and
break it. So the ids are ours (`WITH id`), every statement says IF NOT EXISTS, and doing it twice does no harm.
"""

import asyncio
from collections.abc import Sequence
from string import Template
from uuid import NAMESPACE_URL, uuid5

from cassandra import InvalidRequest, ReadFailure
from cassandra.protocol import ServerError

from storage.cassandra.link import ClusterLink
from storage.migrations import outstanding
from storage.unit import StoreRejected, StoreUnavailable

_MIGRATION_TABLE = """
CREATE TABLE IF NOT EXISTS $keyspace.migration (scope text, number int, name text, PRIMARY KEY (scope, number))
WITH id = $id_migration"""
SCHEMA_TRIES = 50
SCHEMA_PAUSE_MS = 100
_TABLES = ("record", "journal", "migration")


async def bring_up_to_date(link: ClusterLink, keyspace: str, replication: dict[str, int]) -> None:
    """Make the keyspace if need be and apply what is outstanding. An existing keyspace keeps its replication.

    `replication` is copies by data center, or {"": n} without data centers; empty means up to three.
    """
    async with link.schema_lock:
        applied = await _applied(link, keyspace)
        if applied is None:
            await link.change_schema(_create_keyspace(keyspace, replication or {"": min(3, link.nodes())}))
            await link.change_schema(_fill(_MIGRATION_TABLE, keyspace))
            applied = set()
        for step in outstanding("cassandra", applied, f"The keyspace {keyspace}"):
            for statement in step.statements:
                await link.change_schema(_fill(statement, keyspace))
            insert = await link.prepare(
                f"INSERT INTO {keyspace}.migration (scope, number, name) VALUES ('unit', ?, ?)"  # noqa: S608
            )
            await link.rows(insert.bind((step.number, step.name)))


async def check_up_to_date(link: ClusterLink, keyspace: str) -> None:
    """Raise `StoreRejected` unless there is a unit in the keyspace with the schema of this release."""
    applied = await _applied(link, keyspace)
    if applied is None:
        raise StoreRejected(f"There is no unit in the keyspace {keyspace}.")
    if outstanding("cassandra", applied, f"The keyspace {keyspace}"):
        raise StoreRejected(f"The keyspace {keyspace} has an older schema: start a server on it first.")


async def _applied(link: ClusterLink, keyspace: str) -> set[int] | None:
    """Numbers of the migrations that were applied; None when there is no unit in that keyspace yet."""
    try:
        rows = await _known_to_all(link, f"SELECT number FROM {keyspace}.migration WHERE scope = 'unit'")  # noqa: S608
    except StoreRejected as failure:
        if isinstance(failure.__cause__, InvalidRequest):
            return None
        raise
    return {number for (number,) in rows if isinstance(number, int)}


async def _known_to_all(link: ClusterLink, statement: str) -> Sequence[Sequence[object]]:
    """Read a table that another process may just have made.

    A replica that has not heard of it yet fails the read. A coordinator that has, and has not opened it yet, knows no
    word for that: it answers with an internal error ("Unknown CF").
    """
    for _ in range(SCHEMA_TRIES - 1):
        try:
            return await link.rows(statement)
        except StoreUnavailable as failure:
            if not isinstance(failure.__cause__, ReadFailure | ServerError):
                raise
            await asyncio.sleep(SCHEMA_PAUSE_MS / 1_000)
    return await link.rows(statement)


def _create_keyspace(keyspace: str, replication: dict[str, int]) -> str:
    if "" in replication:
        rule = f"{{'class': 'SimpleStrategy', 'replication_factor': {replication['']}}}"
    else:
        centers = "".join(f", '{center}': {copies}" for center, copies in replication.items())
        rule = f"{{'class': 'NetworkTopologyStrategy'{centers}}}"
    return f"CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = {rule}"


def _fill(statement: str, keyspace: str) -> str:
    """Put in the keyspace, and ids that every process finds by itself."""
    ids = {f"id_{table}": str(uuid5(NAMESPACE_URL, f"onetier:{keyspace}.{table}")) for table in _TABLES}
    return Template(statement).substitute(ids, keyspace=keyspace)

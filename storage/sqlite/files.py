"""The SQLite file of a unit: how it is opened, made, brought up to date, and how a transaction is done in it.

Everything here blocks, so it runs in a thread of `storage.sqlite.unit` or `storage.sqlite.writers`.
"""

import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from storage.migrations import outstanding
from storage.private import private_file, private_folder
from storage.sqlite.writers import Work
from storage.unit import StoreRejected, StoreUnavailable

BUSY_TIMEOUT_MS = 5_000
"""How long a transaction waits for another process's."""
CHECKPOINT_PAGES = 4_000

T = TypeVar("T")


def transactions(connection: sqlite3.Connection, works: Sequence[Work]) -> list[object]:
    """Do all works in one transaction; should one be at fault, each in its own. Gives what each gave or raised."""
    try:
        return _transaction(connection, works)
    except StoreUnavailable as failure:
        return [failure] * len(works)
    except Exception as failure:
        if len(works) == 1:
            return [failure]
        return [result for work in works for result in transactions(connection, [work])]


def _transaction(connection: sqlite3.Connection, works: Sequence[Work]) -> list[object]:
    def work() -> list[object]:
        connection.execute("BEGIN IMMEDIATE")
        try:
            results = [part(connection) for part in works]
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return results

    return guarded(work)


def guarded(work: Callable[[], T]) -> T:
    """Run, with SQLite's errors as ours: `StoreUnavailable` for what may pass (locked, full), else `StoreRejected`."""
    try:
        return work()
    except sqlite3.OperationalError as failure:
        if "unable to open" in str(failure) or "readonly" in str(failure):
            raise StoreRejected(f"SQLite can't write its file: {failure}.") from failure
        raise StoreUnavailable(f"SQLite did not do it: {failure}.") from failure
    except sqlite3.DatabaseError as failure:
        raise StoreRejected(f"SQLite refuses its file: {failure}.") from failure


def connect(path: Path) -> sqlite3.Connection:
    """Open a file to write and read it, each commit on the disk before it returns."""
    connection = sqlite3.connect(
        path,
        timeout=BUSY_TIMEOUT_MS / 1000,
        isolation_level=None,
        cached_statements=64,
        check_same_thread=False,  # one at a time, but not always the same
    )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open a file that is there, with the schema of this release, without touching it. Raises `StoreRejected`."""
    if not path.exists():
        raise StoreRejected(f"There is no unit at {path}.")
    address = f"file:{quote(str(path))}?mode=ro"
    connection = sqlite3.connect(
        address, uri=True, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False
    )
    try:
        known = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'migration'").fetchone()
        if not known[0]:
            raise StoreRejected(f"The file {path} holds no unit.")
        if outstanding("sqlite", _applied(connection), f"The unit {path}"):
            raise StoreRejected(f"The unit {path} has an older schema: start a server on it first.")
    except BaseException:
        connection.close()
        raise
    return connection


def _applied(connection: sqlite3.Connection) -> set[int]:
    return {row[0] for row in connection.execute("SELECT number FROM migration")}


def prepare(path: Path) -> sqlite3.Connection:
    """Make the file if need be, bring its schema up to date, forget deletions older than ten days.

    Raises `StoreRejected` for a file that can't be made, is no database, or has the schema of a newer release.
    """
    try:
        private_folder(path.parent)
        private_file(path)  # SQLite gives its log the mode of its file.
    except OSError as failure:
        raise StoreRejected(f"The unit {path} can't be made or written: {failure.strerror}.") from failure
    connection = connect(path)
    try:
        _to_wal(connection)
        connection.execute("BEGIN IMMEDIATE")
        _migrate(connection, path)
        connection.execute("DELETE FROM record WHERE forget_after_s < ?", (int(time.time()),))
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def _to_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL. The switch does not always honour the busy timeout when several processes do it at once."""
    for attempt in range(50):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as failure:
            if "locked" not in str(failure) or attempt == 49:
                raise
            time.sleep(BUSY_TIMEOUT_MS / 1000 / 50)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL)")
    for step in outstanding("sqlite", _applied(connection), f"The unit {path}"):
        for statement in step.statements:
            connection.execute(statement)
        connection.execute("INSERT INTO migration VALUES (?, ?)", (step.number, step.name))

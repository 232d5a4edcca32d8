"""The plant's base: one SQLite file, whose commits are the only moments at which anything becomes true.

Whatever a step makes (landed bytes, batches, runs of keys, details) is written and synced first, then named here in one
transaction together with its counts. So batch, keys and counts can't disagree, wherever the process was killed: what
stands in the folders and is not named here never happened, and is removed at the next start.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

_SCHEMA = """
CREATE TABLE IF NOT EXISTS plant (id TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS files (
  digest TEXT PRIMARY KEY, source TEXT NOT NULL, name TEXT NOT NULL, bytes INTEGER NOT NULL, taken_ms INTEGER NOT NULL,
  state TEXT NOT NULL, reason TEXT NOT NULL, why TEXT NOT NULL, records INTEGER NOT NULL, duplicates INTEGER NOT NULL,
  dropped INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS names (
  source TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, seen_ms INTEGER NOT NULL,
  PRIMARY KEY (source, name, digest)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS looks (
  source TEXT NOT NULL, name TEXT NOT NULL, bytes INTEGER NOT NULL, modified TEXT NOT NULL, first_ms INTEGER NOT NULL,
  since_ms INTEGER NOT NULL, tried_ms INTEGER NOT NULL, digest TEXT NOT NULL,
  PRIMARY KEY (source, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS visits (
  source TEXT PRIMARY KEY, since_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL, failed_ms INTEGER NOT NULL,
  trouble TEXT NOT NULL, listed INTEGER NOT NULL, unfinished INTEGER NOT NULL, unread INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS batches (
  number INTEGER PRIMARY KEY, digest TEXT NOT NULL, records INTEGER NOT NULL, state TEXT NOT NULL,
  charged INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS gaps (
  source TEXT NOT NULL, period TEXT NOT NULL, place INTEGER NOT NULL, files INTEGER NOT NULL, begin INTEGER NOT NULL,
  end INTEGER NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL, at_ms INTEGER NOT NULL, holds INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS removed (
  digest TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, why TEXT NOT NULL, records INTEGER NOT NULL,
  charged INTEGER NOT NULL, set_aside INTEGER NOT NULL, duplicates INTEGER NOT NULL, dropped INTEGER NOT NULL,
  joined INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS runs (name TEXT PRIMARY KEY, day TEXT NOT NULL, keys INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS runs_of_day ON runs (day);
CREATE TABLE IF NOT EXISTS suspense (
  digest TEXT NOT NULL, position INTEGER NOT NULL, reason TEXT NOT NULL, why TEXT NOT NULL, raw BLOB NOT NULL,
  key BLOB NOT NULL, record BLOB NOT NULL, since_ms INTEGER NOT NULL,
  PRIMARY KEY (digest, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parts (
  digest TEXT NOT NULL, position INTEGER NOT NULL, chain BLOB NOT NULL, number INTEGER NOT NULL,
  start_ms INTEGER NOT NULL, more INTEGER NOT NULL, until_ms INTEGER NOT NULL, batch INTEGER NOT NULL,
  key BLOB NOT NULL, record BLOB NOT NULL, seconds INTEGER NOT NULL,
  PRIMARY KEY (digest, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS parts_of_chain ON parts (chain);
CREATE INDEX IF NOT EXISTS parts_waiting ON parts (chain, until_ms) WHERE batch = 0;
CREATE TABLE IF NOT EXISTS alike (
  mark BLOB NOT NULL, start_ms INTEGER NOT NULL, key BLOB NOT NULL,
  PRIMARY KEY (mark, start_ms, key)
) STRICT, WITHOUT ROWID;
"""


class PlantBase:
    """The connection that the books of a plant share. One process writes at a time; the file's own lock says so."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.connection = sqlite3.connect(path, isolation_level=None, timeout=30.0)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=FULL")
        # What a rule removes is not in the file any more.
        self.connection.execute("PRAGMA secure_delete=ON")
        self.connection.executescript(_SCHEMA)

    def plant_id(self) -> str:
        """Give the plant's name, made once: by it, accounts count the batches that they have taken."""
        with self.commit():
            row = self.connection.execute("SELECT id FROM plant").fetchone()
            if row is None:
                row = (f"plant-{token_hex(6)}",)
                self.connection.execute("INSERT INTO plant VALUES (?)", row)
        return str(row[0])

    def forget(self) -> None:
        """Have nothing of what was deleted in the file, nor beside it."""
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let it go."""
        self.connection.close()

    @contextmanager
    def commit(self) -> Iterator[None]:
        """Make all that is written inside true together, or nothing of it."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

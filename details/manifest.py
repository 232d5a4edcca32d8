"""The manifest: which parts count, and up to which group each journal was gathered; its commits make things true."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

_SCHEMA = """
CREATE TABLE IF NOT EXISTS slots (slot TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parts (
  name TEXT PRIMARY KEY, slot TEXT NOT NULL, day TEXT NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL, amounts TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS parts_of_day ON parts (day, slot);
CREATE TABLE IF NOT EXISTS gone (slot TEXT NOT NULL, why TEXT NOT NULL, day TEXT NOT NULL, rows INTEGER NOT NULL,
  amounts TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS erased (account TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS numbers (next INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS late (slot TEXT NOT NULL, account TEXT NOT NULL, month TEXT NOT NULL,
  from_ms INTEGER NOT NULL, position INTEGER NOT NULL, set_aside INTEGER NOT NULL, reason TEXT NOT NULL,
  why TEXT NOT NULL, PRIMARY KEY (slot, account, month)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS late_seen (slot TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""
_amounts = msgspec.json.Decoder(dict[str, int]).decode
_COLUMNS = "name, slot, day, rows, bytes, sha256, first, last, amounts"


class DetailPart(Struct, frozen=True):
    """A file of rows of one slot and one day of use."""

    name: str
    """Its path in the folder."""
    slot: str
    day: str
    """Of the region's clock, yyyymmdd."""
    rows: int
    bytes: int
    sha256: str
    first: str
    """The least account in it."""
    last: str
    amounts: dict[str, int]
    """Micro-units by currency."""


class GoneRows(Struct, frozen=True):
    """Rows that were removed by a rule."""

    slot: str
    why: str
    """kept long enough, erased; parties forgotten, not gathered: nothing that is counted was removed"""
    day: str
    rows: int
    amounts: dict[str, int]


class DetailManifest:
    """Of one folder. Whoever writes does it inside `commit`; one process writes at a time, any number read."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The platform reads in a thread of its own, one question at a time.
        self._base = sqlite3.connect(path, isolation_level=None, timeout=30.0, check_same_thread=False)
        self.execute = self._base.execute
        """For `details.late`, whose tables stand beside the parts."""
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=FULL")
        self._base.executescript(_SCHEMA)

    def close(self) -> None:
        """Let it go."""
        self._base.close()

    @contextmanager
    def commit(self) -> Iterator[None]:
        """Make all that is written inside true together, or nothing of it."""
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")

    def gathered(self) -> dict[str, int]:
        """Give the newest group that was gathered, by slot."""
        return {str(slot): int(seq) for slot, seq in self._base.execute("SELECT slot, seq FROM slots ORDER BY slot")}

    def gather(self, slot: str, seq: int) -> None:
        """Say that a journal was gathered up to a group."""
        self._base.execute("INSERT OR REPLACE INTO slots VALUES (?, ?)", (slot, seq))

    def number(self) -> int:
        """Give a number that no part ever had; it stays used although the commit may fail."""
        with self.commit():
            row = self._base.execute("SELECT next FROM numbers").fetchone()
            number = int(row[0]) if row else 1
            self._base.execute("DELETE FROM numbers")
            self._base.execute("INSERT INTO numbers VALUES (?)", (number + 1,))
        return number

    def add(self, part: DetailPart) -> None:
        """Name a part."""
        values = (part.name, part.slot, part.day, part.rows, part.bytes, part.sha256, part.first, part.last)
        amounts = msgspec.json.encode(part.amounts).decode()
        self._base.execute("INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*values, amounts))

    def drop(self, parts: Sequence[DetailPart]) -> None:
        """Forget parts; their files go with the next `DetailStore.remove_unnamed`."""
        self._base.executemany("DELETE FROM parts WHERE name = ?", [(part.name,) for part in parts])

    def parts(self, slot: str = "", from_day: str = "", to_day: str = "99999999") -> list[DetailPart]:
        """Give parts by slot and day; "" = of all slots; both days count."""
        where = "WHERE ? IN ('', slot) AND day >= ? AND day <= ? ORDER BY slot, day, name"
        return self._parts(where, (slot, from_day, to_day))

    def of_account(self, account_id: str, from_day: str, to_day: str) -> list[DetailPart]:
        """Give the parts that may have rows of an account, newest day first."""
        where = "WHERE first <= ? AND last >= ? AND day >= ? AND day <= ? ORDER BY day DESC, name"
        return self._parts(where, (account_id, account_id, from_day, to_day))

    def _parts(self, where: str, values: tuple[str, ...]) -> list[DetailPart]:
        rows = self._base.execute(f"SELECT {_COLUMNS} FROM parts {where}", values)  # noqa: S608
        return [DetailPart(*(*row[:-1], _amounts(row[-1]))) for row in rows]

    def remove(self, gone: GoneRows) -> None:
        """Note that rows were removed, and why: what is proved later counts them."""
        amounts = msgspec.json.encode(gone.amounts).decode()
        self._base.execute(
            "INSERT INTO gone VALUES (?, ?, ?, ?, ?)", (gone.slot, gone.why, gone.day, gone.rows, amounts)
        )

    def removed(self) -> list[GoneRows]:
        """Give what was removed by rules, as it was noted."""
        rows = self._base.execute("SELECT slot, why, day, rows, amounts FROM gone ORDER BY rowid")
        return [GoneRows(*(*row[:-1], _amounts(row[-1]))) for row in rows]

    def erase(self, account_id: str) -> None:
        """Never take rows of an account in again."""
        self._base.execute("INSERT OR IGNORE INTO erased VALUES (?)", (account_id,))

    def erased(self) -> frozenset[str]:
        """Give the accounts whose rows are never taken in again."""
        return frozenset(str(row[0]) for row in self._base.execute("SELECT account FROM erased"))

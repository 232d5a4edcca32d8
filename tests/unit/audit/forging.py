"""What somebody with a unit's file does behind everybody's back, with the keys or without them."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from evidence.keys import SEAL_BYTES
from evidence.seals import sealed
from storage.unit import Record
from tests.unit.audit.sound import ring_of

FORGET = "DELETE FROM record WHERE collection = ? AND bucket = ? AND key = ?"
PLANT = "INSERT INTO record (collection, bucket, key, stamp, value) VALUES (?, ?, ?, ?, ?)"


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite://"))


def run(url: str, *statements: str) -> int:
    """Run statements on a unit's file; gives how many rows the last one changed."""
    with closing(sqlite3.connect(file_of(url))) as file:
        count = 0
        for statement in statements:
            count = file.execute(statement).rowcount
        file.commit()
        return count


def rows(url: str, where: str) -> list[Record]:
    """Read records as they are stored, without their seals."""
    with closing(sqlite3.connect(file_of(url))) as file:
        found = file.execute(f"SELECT collection, bucket, key, value, stamp FROM record WHERE {where}").fetchall()
    return [Record(row[0], row[1], row[2], row[3][:-SEAL_BYTES], row[4]) for row in found]


def plant(url: str, where: str, change: Callable[[Record], Record]) -> None:
    """Change one record as somebody with the keys can: whatever its timestamp, its seal holds."""
    (before,) = rows(url, where)
    after = sealed(change(before), ring_of(url))
    with closing(sqlite3.connect(file_of(url))) as file:
        file.execute(FORGET, (before.collection, before.partition, before.key))
        file.execute(PLANT, (after.collection, after.partition, after.key, after.timestamp, after.value))
        file.commit()

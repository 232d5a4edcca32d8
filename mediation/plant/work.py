"""The book of work: batches that are to be charged, and the runs of keys that say what is known."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from mediation.plant.base import PlantBase

OPEN, CHARGED, REMOVED = "open", "charged", "removed"


class RecordBatch(Struct, frozen=True):
    """Records of one file that are to be charged. The order of its fields is that of the table."""

    number: int
    digest: str
    """Of the file."""
    records: int
    state: str
    """open, charged; removed: it was charged, and its records were kept long enough, or erased"""
    charged: int
    """Of the records; the others are in suspense."""


def by_file(batches: Iterable[RecordBatch]) -> dict[str, list[RecordBatch]]:
    """Part batches by the file of which they are, those of each in their order."""
    found: dict[str, list[RecordBatch]] = {}
    for batch in batches:
        found.setdefault(batch.digest, []).append(batch)
    return found


class WorkBook:
    """Of one plant. Whoever writes does it inside `PlantBase.commit`."""

    def __init__(self, base: PlantBase) -> None:
        self._base = base.connection

    def next_number(self) -> int:
        """Give the number of the next batch, one more than the newest: accounts remember it, so it never jumps."""
        row = self._base.execute("SELECT coalesce(max(number), 0) + 1 FROM batches").fetchone()
        return int(row[0])

    def batches(self, state: str = "") -> list[RecordBatch]:
        """Give batches by number; `state` "" = all."""
        rows = self._base.execute("SELECT * FROM batches WHERE ? IN ('', state) ORDER BY number", (state,))
        return [RecordBatch(*row) for row in rows]

    def add(self, number: int, digest: str, records: int) -> None:
        """Name a batch."""
        self._base.execute("INSERT INTO batches VALUES (?, ?, ?, ?, 0)", (number, digest, records, OPEN))

    def charged(self, number: int, charged: int) -> None:
        """Say that all records of a batch have an outcome, and how many were charged."""
        self._base.execute("UPDATE batches SET state = ?, charged = ? WHERE number = ?", (CHARGED, charged, number))

    def runs(self, day: str = "") -> list[str]:
        """Give the runs of keys of a day, oldest first; "" = of all days."""
        rows = self._base.execute("SELECT name FROM runs WHERE ? IN ('', day) ORDER BY rowid", (day,))
        return [str(row[0]) for row in rows]

    def add_run(self, name: str, day: str, keys: int) -> None:
        """Name a run."""
        self._base.execute("INSERT INTO runs VALUES (?, ?, ?)", (name, day, keys))

    def drop_runs(self, names: Sequence[str]) -> None:
        """Forget runs that were joined to another one."""
        self._base.executemany("DELETE FROM runs WHERE name = ?", [(name,) for name in names])

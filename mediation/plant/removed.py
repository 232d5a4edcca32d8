"""The book of files whose records were removed by a rule: what became of them stands there in numbers."""

from msgspec import Struct
from msgspec.structs import astuple

from mediation.plant.base import PlantBase


class RemovedFile(Struct, frozen=True):
    """A file of which nothing is left but numbers. The order of its fields is that of the table."""

    digest: str
    at_ms: int
    """When it was removed, UTC, by the plant's clock."""
    why: str
    records: int
    charged: int
    set_aside: int
    duplicates: int
    dropped: int
    joined: int


class RemovedBook:
    """Of one plant. Whoever writes does it inside `PlantBase.commit`."""

    def __init__(self, base: PlantBase) -> None:
        self._base = base.connection

    def add(self, file: RemovedFile) -> None:
        """Note that a file's records are removed; what the folders still have of them is nobody's from then on."""
        self._base.execute("INSERT INTO removed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", astuple(file))
        self._base.execute("UPDATE batches SET state = 'removed' WHERE digest = ?", (file.digest,))
        self._base.execute("DELETE FROM parts WHERE digest = ?", (file.digest,))

    def all(self) -> dict[str, RemovedFile]:
        """Give what was removed, by digest."""
        return {row[0]: RemovedFile(*row) for row in self._base.execute("SELECT * FROM removed ORDER BY at_ms")}

"""The book of accepted gaps: which files never come, who said so, and why. Nothing is ever taken out of it."""

from msgspec import Struct
from msgspec.structs import astuple

from mediation.plant.base import PlantBase


class AcceptedGap(Struct, frozen=True):
    """Files that a person said never come, or, taking it back, may. The order of its fields is that of the table."""

    source: str
    period: str
    place: int
    """Of the first of them in the sequence of its period, which numbers that begin anew do not repeat."""
    files: int
    begin: int
    """Its number."""
    end: int
    who: str
    why: str
    at_ms: int
    """UTC, by the plant's clock."""
    holds: int = 1
    """0 = it was taken back."""


class GapBook:
    """Of one plant. Whoever writes does it inside `PlantBase.commit`."""

    def __init__(self, base: PlantBase) -> None:
        self._execute = base.connection.execute

    def add(self, gap: AcceptedGap) -> None:
        """Note what a person said."""
        self._execute("INSERT INTO gaps VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", astuple(gap))

    def of(self, source: str) -> list[AcceptedGap]:
        """Give what was said of a source, oldest first."""
        rows = self._execute("SELECT * FROM gaps WHERE source = ? ORDER BY rowid", (source,))
        return [AcceptedGap(*row) for row in rows]

"""The book of visits: when each source was looked at, and what was seen."""

from msgspec import Struct
from msgspec.structs import astuple

from mediation.plant.base import PlantBase


class Visit(Struct, frozen=True):
    """What is known of looks at a source. The order of its fields is that of the table; times are UTC, the plant's
    clock, 0 = never."""

    source: str
    since_ms: int
    """The first look."""
    seen_ms: int = 0
    """The newest look at which it answered."""
    failed_ms: int = 0
    """The newest look at which it didn't, or something was wrong."""
    trouble: str = ""
    """What was wrong at the newest look; empty = nothing."""
    listed: int = 0
    """Files that matched at the newest look."""
    unfinished: int = 0
    """Of these, not whole yet."""
    unread: int = 0
    """Lines of its list that could not be read."""


class VisitBook:
    """Of one plant. Whoever writes does it inside `PlantBase.commit`."""

    def __init__(self, base: PlantBase) -> None:
        self._execute = base.connection.execute

    def get(self, source: str, now_ms: int) -> Visit:
        """Give what is known of a source; of one that was never looked at, that it begins now."""
        row = self._execute("SELECT * FROM visits WHERE source = ?", (source,)).fetchone()
        return Visit(*row) if row else Visit(source, now_ms)

    def note(self, visit: Visit) -> None:
        """Note a look."""
        self._execute("INSERT OR REPLACE INTO visits VALUES (?, ?, ?, ?, ?, ?, ?, ?)", astuple(visit))

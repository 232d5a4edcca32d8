"""The book of parts: those of calls that wait for others, and those that are in a call.

Parts of calls that were charged stay, so that one that comes late is known to be late, and a file's records add up.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import astuple

from mediation.assembling.chains import StoredPart
from mediation.plant.base import PlantBase


class PartBook:
    """Of one plant. Whoever writes does it inside `PlantBase.commit`."""

    def __init__(self, base: PlantBase) -> None:
        self._base = base.connection

    def keep(self, parts: Iterable[StoredPart]) -> None:
        """Keep parts, each in place of what was kept of it before."""
        query = "INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        self._base.executemany(query, [astuple(part) for part in parts])

    def of(self, chain: bytes) -> list[StoredPart]:
        """Give all parts with one name."""
        return self._read("SELECT * FROM parts WHERE chain = ? ORDER BY start_ms, number, digest, position", (chain,))

    def at(self, digest: str, position: int) -> StoredPart | None:
        """Give the part that stands at a place of a file; None = there is none."""
        found = self._read("SELECT * FROM parts WHERE digest = ? AND position = ?", (digest, position))
        return found[0] if found else None

    def of_file(self, digest: str) -> list[StoredPart]:
        """Give the parts that are in a file."""
        return self._read("SELECT * FROM parts WHERE digest = ? ORDER BY position", (digest,))

    def waiting(self) -> list[StoredPart]:
        """Give the parts whose call is in no batch, call by call."""
        return self._read("SELECT * FROM parts WHERE batch = 0 ORDER BY chain, start_ms, number, position", ())

    def keys(self) -> list[bytes]:
        """Give the keys of all parts."""
        return [bytes(row[0]) for row in self._base.execute("SELECT key FROM parts")]

    def overdue(self, now_ms: int) -> list[bytes]:
        """Give the names of parts that have waited long enough, whatever comes under the same name by now."""
        query = "SELECT DISTINCT chain FROM parts WHERE batch = 0 AND until_ms <= ? ORDER BY chain"
        return [bytes(row[0]) for row in self._base.execute(query, (now_ms,))]

    def _read(self, query: str, given: Sequence[object]) -> list[StoredPart]:
        return [StoredPart(*row) for row in self._base.execute(query, given)]

"""Suspense: records that could not be charged, each with its reason, until their cause is mended (seed 002)."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from mediation.plant.base import PlantBase

WAITING, RECOVERED = "waiting", "charged"


class Suspended(Struct, frozen=True):
    """A record that could not be charged. The order of its fields is that of the table."""

    digest: str
    """Of its file."""
    position: int
    state: str
    """waiting, charged"""
    reason: str
    why: str
    raw: bytes
    key: bytes
    """Empty when the record could not be read."""
    record: bytes
    """The usage record, packed; empty when it could not be read."""
    refusals: int
    """How often the platform refused it. A refusal is kept under its request key, so the next try has another."""
    since_ms: int
    amount: int = 0
    currency: str = ""


class Suspense:
    """Of one plant. Whoever writes does it inside `PlantBase.commit`."""

    def __init__(self, base: PlantBase) -> None:
        self._base = base.connection

    def keep(self, rows: Sequence[Suspended]) -> None:
        """Keep records, each in place of what was kept of it before."""
        self._base.executemany(
            "INSERT OR REPLACE INTO suspense VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [tuple(getattr(row, name) for name in Suspended.__struct_fields__) for row in rows],
        )

    def release(self, digest: str, positions: Iterable[int]) -> None:
        """Forget records of a file that could be read after all: they are in a batch now, or known to be none."""
        self._base.executemany(
            "DELETE FROM suspense WHERE digest = ? AND position = ?", [(digest, position) for position in positions]
        )

    def all(self, state: str = WAITING, reason: str = "", digest: str = "") -> Iterator[Suspended]:
        """Give records by file and position; "" = of all states, reasons, files."""
        query = "SELECT * FROM suspense WHERE ? IN ('', state) AND ? IN ('', reason) AND ? IN ('', digest)"
        rows = self._base.execute(f"{query} ORDER BY digest, position", (state, reason, digest))
        return (Suspended(*row) for row in rows)

    def counts(self) -> dict[tuple[str, str], int]:
        """Count by (digest of the file, state)."""
        rows = self._base.execute("SELECT digest, state, count(*) FROM suspense GROUP BY digest, state")
        return {(str(digest), str(state)): int(count) for digest, state, count in rows}

"""The book of likeness: calls by what two records of one call have alike, where a format asks for it."""

from collections.abc import Sequence

from mediation.plant.base import PlantBase
from mediation.plant.batches import KeyedRecord


class LikenessBook:
    """Of one plant. Whoever writes does it inside `PlantBase.commit`."""

    def __init__(self, base: PlantBase) -> None:
        self._base = base.connection

    def divide(self, rows: Sequence[KeyedRecord], within_s: int) -> tuple[list[KeyedRecord], list[KeyedRecord]]:
        """Give the uses that are like none before, and those that may be another record of a call that is known."""
        alone: list[KeyedRecord] = []
        suspected: list[KeyedRecord] = []
        mine: dict[bytes, list[int]] = {}
        for row in sorted(rows, key=lambda row: (row.record.start_ms, row.record.place.position)):
            mark, start_ms = row.record.alike, row.record.start_ms
            near = (start_ms - within_s * 1_000, start_ms + within_s * 1_000)
            like = any(near[0] <= other <= near[1] for other in mine.get(mark, ())) or self._knows(mark, near, row.key)
            if mark and like:
                suspected.append(row)
            else:
                alone.append(row)
                mine.setdefault(mark, []).append(start_ms)
        return alone, suspected

    def add(self, rows: Sequence[KeyedRecord]) -> None:
        """Know them from now on."""
        marks = [(row.record.alike, row.record.start_ms, row.key) for row in rows if row.record.alike]
        self._base.executemany("INSERT OR IGNORE INTO alike VALUES (?, ?, ?)", marks)

    def _knows(self, mark: bytes, near: tuple[int, int], key: bytes) -> bool:
        query = "SELECT 1 FROM alike WHERE mark = ? AND start_ms BETWEEN ? AND ? AND key <> ? LIMIT 1"
        return self._base.execute(query, (mark, *near, key)).fetchone() is not None

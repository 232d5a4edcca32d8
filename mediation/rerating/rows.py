"""Where a job reads what was charged: in the folder in which this machine gathers, or in another machine's as it stood.

Parts of the details never change, so whoever has their names reads the same rows, wherever the folder is mounted and
without its manifest; what the journal has beyond them is read from its unit.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import polars as pl

from charging.errors import Broken
from details.manifest import DetailPart
from details.parts import frame_of
from details.rows import StoredUsage
from details.store import DetailStore, day_of_use, frame_of_parts
from evidence.keys import KeyRing
from mediation.gathering import Gatherer, JournalPlace, rows_behind


class ChargedRows(Protocol):
    """The rows of journals."""

    async def gather(self, journal: JournalPlace) -> None:
        """Have all rows that a journal has by now. Raises as `mediation.gathering.Gatherer.gather`."""

    def frame(self, slot: str, from_day: str) -> pl.LazyFrame:
        """Give the rows of a slot since a day of use, as `details.store.DetailStore.frame` does."""
        ...


class GatheredRows:
    """The rows in the folder that this process, its only writer, gathers into."""

    def __init__(self, store: DetailStore, gatherer: Gatherer) -> None:
        self._store = store
        self._gatherer = gatherer

    async def gather(self, journal: JournalPlace) -> None:
        """Gather them."""
        await self._gatherer.gather(journal)

    def frame(self, slot: str, from_day: str) -> pl.LazyFrame:
        """Give them."""
        return self._store.frame(slot, from_day)


class NamedRows:
    """The rows in parts that somebody named, and those that came to the one journal since."""

    def __init__(self, home: Path, parts: Sequence[DetailPart], gathered: int, ring: KeyRing) -> None:
        """`gathered` is the newest group of the journal that is in the parts. Raises `Broken` DETAILS_MISSING."""
        for part in parts:
            path = home / part.name
            if not path.is_file() or path.stat().st_size != part.bytes:
                raise Broken("DETAILS_MISSING", f"{path} is not there as it was named: is this the job's own folder?")
        self._home = home
        self._parts = parts
        self._gathered = gathered
        self._ring = ring
        self._since: list[StoredUsage] = []
        self._days: list[str] = []

    async def gather(self, journal: JournalPlace) -> None:
        """Read what the journal has since."""
        zone = ZoneInfo(journal.zone)
        self._since = [row async for row in rows_behind(journal, self._gathered, self._ring)]
        self._days = [day_of_use(row.start_ms, zone) for row in self._since]

    def frame(self, slot: str, from_day: str) -> pl.LazyFrame:
        """Give them."""
        since = frame_of(self._since).with_columns(slot=pl.lit(slot), day=pl.Series(self._days, dtype=pl.String))
        parts = [part for part in self._parts if part.slot == slot and part.day >= from_day]
        return pl.concat([frame_of_parts(self._home, parts), since.lazy().filter(pl.col("day") >= from_day)])

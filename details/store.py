"""The folder of details: what is gathered comes in with one commit, a question is answered by few reads.

details.sqlite                               which parts count, and up to where each journal was gathered
GD/0/2026-10/20261005-17.parquet             rows of a slot and a day of use, by account and time; never changed
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
from msgspec import Struct

from charging.base.bounds import MOMENT_MS_MAX
from charging.base.localtime import QUARTER_MS
from details.manifest import DetailManifest, DetailPart, GoneRows
from details.parts import WrittenPart, frame_of, read_account, rows_in, written
from details.rows import GROUP_PLACES, StoredUsage
from runtime.durable import place

LEDGER = "details.sqlite"
NOT_GATHERED = "not gathered"
_FIRST_DAY, _LAST_DAY = "", "99999999"
_DAY = timedelta(days=1)
_DAY_MS = 86_400_000
_NO_END = 1 << 63


class DetailAsk(Struct, frozen=True):
    """Which rows of an account are wanted."""

    account_id: str
    holder: str = ""
    """Only usage of this member; empty = of all, and what was given back."""
    kinds: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    """Account items of the catalogue; none = all, as of kinds and services."""
    from_ms: int = 0
    to_ms: int = 0
    """UTC, exclusive; 0 = no end."""
    floors: tuple[tuple[str, int], ...] | None = None
    """(slot, group) each: only rows of these journals count, up to the group; None = all rows count."""


class RowPlace(Struct, frozen=True, order=True, array_like=True):
    """Where a row stands among those of its account, in the order of time."""

    start_ms: int
    position: int
    nth: int
    slot: str = ""


class DetailRows(Struct, frozen=True):
    """A page of rows, newest use first."""

    rows: tuple[StoredUsage, ...]
    following: RowPlace | None
    """The last row told, behind which the next page begins; None = there is no more."""


class DetailStore:
    """One folder of details."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.manifest = DetailManifest(home / LEDGER)
        self.close = self.manifest.close

    def take(self, slot: str, zone: str, rows: Iterable[StoredUsage], seq: int) -> int:
        """Keep rows of a journal, as `take_frame` does."""
        return self.take_frame(slot, zone, frame_of(list(rows)), seq)

    def take_frame(self, slot: str, zone: str, rows: pl.DataFrame, seq: int) -> int:
        """Keep rows of a journal that was gathered up to group `seq`: files first, then one commit names them.

        `zone` is that of the region. Gives how many were kept.
        """
        erased = self.manifest.erased()
        kept = rows.filter(~pl.col("account").is_in(erased)) if erased else rows
        parts = [self.put(slot, day, written(of_day)) for day, of_day in _by_day(kept, ZoneInfo(zone))]
        with self.manifest.commit():
            for part in parts:
                self.manifest.add(part)
            self.manifest.gather(slot, seq)
        return sum(part.rows for part in parts)

    def lacks_before(self, slot: str, zone: str, time_ms: int) -> None:
        """Note that a journal was not kept before a moment when it was first gathered."""
        with self.manifest.commit():
            self.manifest.remove(GoneRows(slot, NOT_GATHERED, day_of_use(time_ms, ZoneInfo(zone)), 0, {}))

    def put(self, slot: str, day: str, part: WrittenPart) -> DetailPart:
        """Place the file of a part, which counts once a commit names it."""
        name = f"{slot}/{day[:4]}-{day[4:6]}/{day}-{self.manifest.number()}.parquet"
        place(self.home / name, part.content)
        size = len(part.content)
        return DetailPart(name, slot, day, part.rows, size, part.sha256, part.first, part.last, part.amounts)

    def remove_unnamed(self) -> int:
        """Remove files that the manifest does not name: they never happened, or happened once. Gives how many.

        Only who writes may do so.
        """
        named = {self.home / part.name for part in self.manifest.parts()}
        left = [path for path in self.home.rglob("*.parquet*") if path.is_file() and path not in named]
        for path in left:
            path.unlink()
        return len(left)

    def floors(self, slots: Iterable[str]) -> tuple[tuple[str, int], ...]:
        """Give up to which group the journals of these slots were gathered; of others nothing."""
        gathered = self.manifest.gathered()
        return tuple((slot, gathered[slot]) for slot in sorted(set(slots)) if slot in gathered)

    def slots_in(self, region: str) -> list[str]:
        """Name the slots of a region of which something was gathered."""
        return [slot for slot in self.manifest.gathered() if slot.rpartition("/")[0] == region]

    def page(self, ask: DetailAsk, rows_max: int, behind: RowPlace | None = None) -> DetailRows:
        """Give rows of an account, newest use first, behind a row that was told. Raises `OSError`, `PolarsError`."""
        found: list[tuple[RowPlace, StoredUsage]] = []
        parts = self.manifest.of_account(ask.account_id, *_days(ask, behind))
        whole = 0
        while parts and whole <= rows_max:
            whole = len(found)  # Of the day before, whose rows may begin before those of another region's day.
            day = parts[0].day
            mine = [part for part in parts if part.day == day]
            parts = parts[len(mine) :]
            found += self._rows(mine, ask, behind)
        found.sort(key=_place_of, reverse=True)
        told = found[:rows_max]
        following = told[-1][0] if len(found) > rows_max else None
        return DetailRows(tuple([row for _, row in told]), following)

    def _rows(
        self, parts: Sequence[DetailPart], ask: DetailAsk, behind: RowPlace | None
    ) -> Iterable[tuple[RowPlace, StoredUsage]]:
        floors = dict(ask.floors) if ask.floors is not None else None
        for part in parts:
            end = GROUP_PLACES * (floors.get(part.slot, -1) + 1) if floors is not None else _NO_END
            for row in rows_in(read_account(self.home / part.name, ask.account_id)):
                at = RowPlace(row.start_ms, row.position, row.nth, part.slot)
                if row.position < end and _wanted(row, ask) and (behind is None or at < behind):
                    yield at, row

    def frame(self, slot: str = "", from_day: str = "", to_day: str = _LAST_DAY) -> pl.LazyFrame:
        """Give the rows of days as columns, beside them slot and day: what is added up is added up by polars."""
        return frame_of_parts(self.home, self.manifest.parts(slot, from_day, to_day))


def frame_of_parts(home: Path, parts: Sequence[DetailPart]) -> pl.LazyFrame:
    """Give the rows of parts in a folder as columns, beside them slot and day."""
    if not parts:
        return frame_of(()).lazy().with_columns(slot=pl.lit(""), day=pl.lit(""))
    return pl.concat(
        [pl.scan_parquet(home / part.name).with_columns(slot=pl.lit(part.slot), day=pl.lit(part.day)) for part in parts]
    )


def _place_of(pair: tuple[RowPlace, StoredUsage]) -> RowPlace:
    return pair[0]


def _wanted(row: StoredUsage, ask: DetailAsk) -> bool:
    told = row.usage
    return (
        (not ask.kinds or told.kind in ask.kinds)
        and (not ask.services or told.usage.service in ask.services)
        and (not ask.items or row.effect.item in ask.items)
        and (not ask.holder or told.usage.identity == ask.holder or told.kind == "refund")
        and ask.from_ms <= row.start_ms
        and (not ask.to_ms or row.start_ms < ask.to_ms)
    )


def day_of_use(time_ms: int, zone: ZoneInfo) -> str:
    """Give the day under which a row stands, by the clock of its region: yyyymmdd."""
    return datetime.fromtimestamp(time_ms / 1_000, zone).strftime("%Y%m%d")


def _by_day(rows: pl.DataFrame, zone: ZoneInfo) -> Iterator[tuple[str, pl.DataFrame]]:
    """Give rows day by day."""
    # A quarter of an hour lies within one local day, whatever the zone.
    quarters = rows["start_ms"] // QUARTER_MS
    days = {quarter: day_of_use(quarter * QUARTER_MS, zone) for quarter in quarters.unique().to_list()}
    several = sorted(set(days.values()))
    if len(several) == 1:
        yield several[0], rows
        return
    day = quarters.replace_strict(days, return_dtype=pl.String)
    for each in several:
        yield each, rows.filter(day == each)


def _days(ask: DetailAsk, behind: RowPlace | None) -> tuple[str, str]:
    """Give the days that may have what is wanted, whatever the zones."""
    first, last = _FIRST_DAY, _LAST_DAY
    if ask.from_ms:
        first = (_utc(ask.from_ms) - _DAY).strftime("%Y%m%d")
    ends = [moment for moment in (ask.to_ms, behind.start_ms if behind is not None else 0) if moment]
    if ends:
        last = (_utc(min(ends)) + _DAY).strftime("%Y%m%d")
    return first, last


def _utc(time_ms: int) -> datetime:
    return datetime.fromtimestamp(min(max(time_ms, _DAY_MS), MOMENT_MS_MAX) / 1_000, UTC)

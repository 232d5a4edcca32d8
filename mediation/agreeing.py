"""Whether journals, details and what a plant says it charged agree, to the micro-unit, by group and by request key."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from details.checking import check_parts
from details.keeping import KEPT
from details.parts import frame_of
from details.rows import GROUP_PLACES, StoredUsage
from details.store import DetailStore
from mediation.gathering import Gatherer, JournalPlace
from mediation.plant.plant import Plant
from mediation.plant.work import CHARGED

SHOWN_MAX = 20
"""Differences told of one journal; the others are counted."""
_Sums = tuple[int, int, int]
"""Rows, micro-units, and a sum of what each row says but for what a rule may have hidden."""
_COMPARED = (
    "account",
    "start_ms",
    "position",
    "nth",
    "key",
    "kind",
    "identity",
    "service",
    "quantity",
    "amount",
    "item",
)


async def disagreements(store: DetailStore, gatherer: Gatherer, journals: Iterable[JournalPlace]) -> AsyncIterator[str]:
    """Give what is wrong with a folder of details: its files, and each journal read anew, as far as it is kept."""
    for wrong in check_parts(store):
        yield wrong
    erased = store.manifest.erased()
    for journal in journals:
        kept, dropped = _by_group(store.frame(journal.slot)), _dropped(store, journal)
        wrongs: list[str] = []
        first = -1
        async with aclosing(gatherer.again(journal)) as groups:
            async for seq, rows in groups:
                first = seq if first < 0 else first
                mine = [row for row in rows if row.account_id not in erased]
                said, have = _sums(mine), kept.pop(seq, (0, 0, 0))
                if have != said and have not in _left(mine, dropped):
                    wrongs.append(f"{journal.slot} group {seq}: {_told(said)} are journaled, {_told(have)} gathered")
        wrongs += [f"{journal.slot} group {seq}: gathered and not journaled" for seq in kept if seq >= first >= 0]
        for wrong in wrongs[:SHOWN_MAX]:
            yield wrong
        if len(wrongs) > SHOWN_MAX:
            yield f"{journal.slot}: and {len(wrongs) - SHOWN_MAX} more groups"


def _sums(rows: list[StoredUsage]) -> _Sums:
    return next(iter(_by_group(frame_of(rows).lazy()).values())) if rows else (0, 0, 0)


def _told(sums: _Sums) -> str:
    rows, amount, said = sums
    return f"{rows} rows of {amount} ({said:016x})"


def _by_group(frame: pl.LazyFrame) -> dict[int, _Sums]:
    group = (pl.col("position") // GROUP_PLACES).alias("group")
    said = pl.struct(_COMPARED).hash().sum().alias("said")
    sums = frame.group_by(group).agg(pl.len().alias("rows"), pl.col("amount").sum(), said).collect()
    return {seq: (rows, amount, total) for seq, rows, amount, total in sums.iter_rows()}


def _dropped(store: DetailStore, journal: JournalPlace) -> list[int]:
    """Give when the days end whose rows were kept long enough, oldest first."""
    zone = ZoneInfo(journal.zone)
    days = {gone.day for gone in store.manifest.removed() if gone.slot == journal.slot and gone.why == KEPT}
    begins = (datetime.strptime(day, "%Y%m%d").replace(tzinfo=zone) for day in sorted(days))
    return [int((begin + timedelta(days=1)).timestamp() * 1_000) for begin in begins]


def _left(rows: list[StoredUsage], ends_ms: list[int]) -> Iterator[_Sums]:
    """Give what may be left of a group: a rule drops all days before one, and what comes after it stays."""
    for end_ms in ends_ms:
        if any(row.start_ms < end_ms for row in rows):
            yield _sums([row for row in rows if row.start_ms >= end_ms])


def plant_disagreements(plant: Plant, store: DetailStore) -> Iterator[str]:
    """Hold what a plant says it charged against the details that were gathered from journals: uses and amounts by key.

    Details that a rule removed can't be held against anything: nothing is said of a key that is not there at all once
    something was removed.
    """
    keys = f"cdr:{plant.plant_id}:"
    found = (
        store.frame()
        .filter(pl.col("key").str.starts_with(keys))
        .group_by("key")
        .agg(pl.len().alias("rows"), pl.col("amount").sum())
        .collect()
    )
    journaled = {key: (rows, amount) for key, rows, amount in found.iter_rows()}
    removed = any(gone.rows for gone in store.manifest.removed()) or bool(store.manifest.erased())
    for batch in plant.work.batches(CHARGED):
        frame = pl.read_parquet(plant.folder.details(batch.number), columns=["request_key", "amount"])
        said = frame.group_by("request_key").agg(pl.len().alias("rows"), pl.col("amount").sum())
        for key, rows, amount in said.iter_rows():
            have = journaled.pop(key, None)
            if have != (rows, amount) and not (have is None and removed):
                told = have or (0, 0)
                yield f"batch {batch.number}, {key}: {rows} uses of {amount} were told, {told[0]} of {told[1]} are"
    open_ones = [batch.number for batch in plant.work.batches() if batch.state != CHARGED]
    left = [key for key in journaled if int(key[len(keys) :].partition(".")[0]) not in open_ones]
    if left:
        yield f"{len(left)} request keys are journaled that no batch names, such as {left[0]}"

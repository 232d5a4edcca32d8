"""Whether journals, details and what a plant says it charged agree, to the micro-unit, by group and by request key."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import aclosing

import polars as pl

from details.checking import check_parts
from details.rows import GROUP_PLACES, StoredUsage
from details.store import DetailStore
from mediation.gathering import Gatherer, JournalPlace
from mediation.plant.plant import Plant
from mediation.plant.work import CHARGED

SHOWN_MAX = 20
"""Differences told of one journal; the others are counted."""
_Sums = tuple[int, int]
"""Rows, micro-units."""


async def disagreements(store: DetailStore, gatherer: Gatherer, journals: Iterable[JournalPlace]) -> AsyncIterator[str]:
    """Give what is wrong with a folder of details: its files, and each journal read anew, as far as it is kept."""
    for wrong in check_parts(store):
        yield wrong
    erased, removed = store.manifest.erased(), {gone.slot for gone in store.manifest.removed()}
    for journal in journals:
        kept = _kept(store, journal.slot)
        wrongs: list[str] = []
        first = -1
        async with aclosing(gatherer.again(journal)) as groups:
            async for seq, rows in groups:
                first = seq if first < 0 else first
                said = _sums([row for row in rows if row.account_id not in erased])
                have = kept.pop(seq, (0, 0))
                # What a rule removed is missing of some groups; more than was journaled is never right.
                fewer = journal.slot in removed and have[0] < said[0]
                if have != said and not fewer:
                    wrongs.append(f"{journal.slot} group {seq}: {said} rows and amount are journaled, {have} gathered")
        wrongs += [f"{journal.slot} group {seq}: gathered and not journaled" for seq in kept if seq >= first >= 0]
        for wrong in wrongs[:SHOWN_MAX]:
            yield wrong
        if len(wrongs) > SHOWN_MAX:
            yield f"{journal.slot}: and {len(wrongs) - SHOWN_MAX} more groups"


def _kept(store: DetailStore, slot: str) -> dict[int, _Sums]:
    group = (pl.col("position") // GROUP_PLACES).alias("group")
    sums = store.frame(slot).group_by(group).agg(pl.len().alias("rows"), pl.col("amount").sum()).collect()
    return {seq: (rows, amount) for seq, rows, amount in sums.iter_rows()}


def _sums(rows: list[StoredUsage]) -> _Sums:
    return len(rows), sum(row.usage.amount for row in rows)


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
    removed = bool(store.manifest.removed() or store.manifest.erased())
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

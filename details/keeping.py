"""What becomes of details in time: joined, thinned out, dropped, erased; each a new file and one commit.

Files never change: what a rule leaves of one is written anew under another name and hash, and what was removed is
noted, so that proofs still add up.
"""

import polars as pl
from msgspec import Struct

from details.manifest import DetailPart, GoneRows
from details.parts import written
from details.store import DetailStore

PARTS_OF_DAY_MAX = 4
"""More of one slot and day are joined to one, so that an account's day stays a look at a few files."""
KEPT, ERASED, HIDDEN = "kept long enough", "erased", "parties forgotten"


class KeptResult(Struct):
    """What a rule did."""

    parts: int = 0
    """Files that it read."""
    rows: int = 0
    """That it removed, or changed."""


def compact(store: DetailStore, parts_max: int = PARTS_OF_DAY_MAX) -> KeptResult:
    """Join the files of slots and days that have more than `parts_max`."""
    done = KeptResult()
    by_day: dict[tuple[str, str], list[DetailPart]] = {}
    for part in store.manifest.parts():
        by_day.setdefault((part.slot, part.day), []).append(part)
    for parts in by_day.values():
        if len(parts) > parts_max:
            frame = pl.concat([pl.read_parquet(store.home / part.name) for part in parts])
            _replace(store, parts, frame)
            done.parts += len(parts)
            done.rows += len(frame)
    return done


def drop_before(store: DetailStore, day: str) -> KeptResult:
    """Drop the details of all days before one (yyyymmdd): they were kept long enough."""
    manifest, done = store.manifest, KeptResult()
    old = [part for part in manifest.parts(to_day=day) if part.day < day]
    with manifest.commit():
        for part in old:
            manifest.remove(GoneRows(part.slot, KEPT, part.day, part.rows, part.amounts))
        manifest.drop(old)
    done.parts, done.rows = len(old), sum(part.rows for part in old)
    return done


def hide_parties_before(store: DetailStore, day: str) -> KeptResult:
    """Forget with whom was spoken, and where, in the details of all days before one; amounts and quantities stay."""
    done = KeptResult()
    told = (pl.col("other_party") != "") | (pl.col("visited") != "") | (pl.col("attributes") != "")
    for part in [part for part in store.manifest.parts(to_day=day) if part.day < day]:
        frame = pl.read_parquet(store.home / part.name)
        changed = int(frame.select(told.sum()).item())
        if changed:
            blank = pl.lit("")
            _replace(store, [part], frame.with_columns(other_party=blank, visited=blank, attributes=blank), HIDDEN)
            done.parts += 1
            done.rows += changed
    return done


def erase(store: DetailStore, account_id: str) -> KeptResult:
    """Remove all details of an account, for ever: what its journal still has is not gathered again."""
    manifest, done = store.manifest, KeptResult()
    with manifest.commit():
        manifest.erase(account_id)
    for part in manifest.of_account(account_id, "", "99999999"):
        frame = pl.read_parquet(store.home / part.name)
        left = frame.filter(pl.col("account") != account_id)
        if len(left) < len(frame):
            _replace(store, [part], left, ERASED)
            done.parts += 1
            done.rows += len(frame) - len(left)
    return done


def lacking(store: DetailStore, slot: str) -> str:
    """Give the newest day (yyyymmdd) of a journal's details of which a rule removed something that prices need, or that
    was never gathered; "" = none: what began later is all there.
    """
    days = [gone.day for gone in store.manifest.removed() if gone.slot == slot and gone.why != ERASED]
    return max(days, default="")


def _replace(store: DetailStore, parts: list[DetailPart], left: pl.DataFrame, why: str = "") -> None:
    """Put what is left of files of one slot and day in their place; `why` something of them is missing, if it is."""
    manifest, (slot, day) = store.manifest, (parts[0].slot, parts[0].day)
    new = [store.put(slot, day, written(left))] if len(left) else []
    with manifest.commit():
        manifest.drop(parts)
        for part in new:
            manifest.add(part)
        if why:
            manifest.remove(GoneRows(slot, why, day, *_difference(parts, new)))


def _difference(before: list[DetailPart], after: list[DetailPart]) -> tuple[int, dict[str, int]]:
    amounts: dict[str, int] = {}
    for sign, parts in ((1, before), (-1, after)):
        for part in parts:
            for currency, amount in part.amounts.items():
                amounts[currency] = amounts.get(currency, 0) + sign * amount
    rows = sum(part.rows for part in before) - sum(part.rows for part in after)
    return rows, {currency: amount for currency, amount in amounts.items() if amount}

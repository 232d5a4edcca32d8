"""Whether the files of details are those that the manifest names, and say what it says of them."""

from collections.abc import Iterator
from hashlib import sha256

import polars as pl

from details.manifest import DetailPart
from details.store import DetailStore


def check_parts(store: DetailStore) -> Iterator[str]:
    """Give what is wrong, in sentences: hash, rows, sums, order, a row that stands twice."""
    seen: dict[str, list[pl.DataFrame]] = {}
    for part in store.manifest.parts():
        wrong = _wrong(store, part)
        if wrong:
            yield f"{part.name}: {wrong}"
        else:
            rows = pl.read_parquet(store.home / part.name, columns=["position", "nth"])
            seen.setdefault(part.slot, []).append(rows)
    for slot, frames in seen.items():
        rows = pl.concat(frames)
        twice = len(rows) - rows.n_unique()
        if twice:
            yield f"{slot}: {twice} rows stand twice"


def _wrong(store: DetailStore, part: DetailPart) -> str:
    try:
        content = (store.home / part.name).read_bytes()
    except OSError as error:
        return f"can't be read: {error.strerror}"
    if sha256(content).hexdigest() != part.sha256:
        return "its bytes are not those that were written"
    frame = pl.read_parquet(content, columns=["account", "amount", "currency"])
    sums = frame.group_by("currency").agg(pl.col("amount").sum())
    amounts = dict(zip(sums["currency"].to_list(), sums["amount"].to_list(), strict=True))
    if len(frame) != part.rows or amounts != part.amounts:
        return "rows or amounts are not those of the manifest"
    if not frame["account"].is_sorted() or (frame["account"][0], frame["account"][-1]) != (part.first, part.last):
        return "its accounts are not in order, or not those of the manifest"
    return ""

"""Details added up, and given out as files that other tools read."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from charging.base.identity import mask
from details.store import DetailStore

BY = ("region", "slot", "day", "month", "service", "item", "currency", "kind", "identity", "account", "channel")
"""What sums may be told apart by."""
FORMATS = (".csv", ".parquet")
_INSIDE = ("accruals", "takes", "steps")


def sums(store: DetailStore, by: Sequence[str], from_day: str = "", to_day: str = "99999999") -> pl.DataFrame:
    """Add up rows, quantities and amounts of days (yyyymmdd, both count), apart by columns of `BY`, in their order.

    Currencies are never added to each other.
    """
    apart = [*dict.fromkeys((*by, "currency"))]
    frame = store.frame(from_day=from_day, to_day=to_day).with_columns(
        region=pl.col("slot").str.replace(r"/\d+$", ""), month=pl.col("day").str.head(6)
    )
    told = (pl.len().alias("rows"), pl.col("quantity").sum(), pl.col("amount").sum())
    return frame.group_by(apart).agg(*told).sort(apart).collect()


def export(store: DetailStore, path: Path, account_id: str, from_day: str, to_day: str, *, masked: bool) -> int:
    """Write the details of days as CSV or Parquet, as the file's name ends; `account_id` "" = of all accounts.

    `masked` hides the middle of identities and of other parties, and the account. Gives how many rows. Raises
    `ValueError` for another ending, `OSError`.
    """
    if path.suffix not in FORMATS:
        raise ValueError(f"{path.name} must end in {' or '.join(FORMATS)}")
    frame = store.frame(from_day=from_day, to_day=to_day).drop(_INSIDE)
    if account_id:
        frame = frame.filter(pl.col("account") == account_id)
    found = frame.sort("account", "start_ms", "position", "nth").collect()
    if masked:
        found = found.with_columns(
            pl.col(name).map_elements(_masked, return_dtype=pl.String)
            for name in ("account", "identity", "other_party")
        )
    if path.suffix == ".csv":
        found.write_csv(path)
    else:
        found.write_parquet(path, compression="zstd")
    return len(found)


def _masked(text: str) -> str:
    return mask(text) if text else ""

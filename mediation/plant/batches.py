"""Batches and details as Parquet: columns that polars, duckdb and people's own tools read."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import msgspec
import polars as pl
from msgspec import Struct
from msgspec.structs import replace

from mediation.decoding.pieces import frame_of, records_in
from mediation.records import DetailRecord, ReplacedCharge
from runtime.durable import place

REPLACES = "replaces"
"""Column of batches in which calls with late parts are: what was charged of each, packed."""
_OFTEN_ALIKE = ("service", "visited", "partner", "attributes")
"""Columns of texts that often are the same for all uses of a batch."""
_pack = msgspec.msgpack.Encoder().encode
_replaced = msgspec.msgpack.Decoder(ReplacedCharge).decode


class KeyedRecord(Struct, frozen=True, gc=False):
    """A usage record and the 16 bytes by which it is known again."""

    key: bytes
    record: DetailRecord


DETAILS: dict[str, pl.DataType] = {
    "key": pl.Binary(),
    "identity": pl.String(),
    "service": pl.String(),
    "start_ms": pl.Int64(),
    "quantity": pl.Int64(),
    "amount": pl.Int64(),
    "currency": pl.String(),
    "position": pl.Int64(),
    "request_key": pl.String(),
    "set_aside": pl.Boolean(),
}
"""Columns of what was charged for records: micro-units of the currency, the key of the command that charged a record
with others of its subscriber, and whether it was taken at no price, to be rated with its cycle."""


def write_batch(path: Path, rows: Sequence[KeyedRecord]) -> None:
    """Write the records of a batch, durable when this returns; where calls replace charges, they say which."""
    frame = frame_of([row.record for row in rows], [row.key for row in rows])
    replaced = [row.record.replaces for row in rows]
    if any(replaced):
        packed = [_pack(each) if each is not None else None for each in replaced]
        frame = frame.with_columns(pl.Series(REPLACES, packed, pl.Binary))
    write_uses(path, frame)


def write_uses(path: Path, uses: pl.DataFrame) -> None:
    """Write the uses of a batch (`mediation.decoding.pieces`), durable when this returns."""
    # What all uses have in common is written as the one value of an enumeration: polars takes its time over a column
    # of equal texts, above all of empty ones.
    alike = [name for name in _OFTEN_ALIKE if (uses[name] == uses[name][0]).all()] if len(uses) else []
    _write(path, uses.with_columns(uses[name].cast(pl.Enum([uses[name][0]])) for name in alike))


def keys_alone(path: Path) -> None:
    """Leave of a batch the keys alone, by which its uses are known again."""
    frame = pl.read_parquet(path)
    if frame.columns != ["key"]:
        _write(path, frame.select("key"))


def read_uses(path: Path) -> pl.DataFrame:
    """Read the uses of a batch (`mediation.decoding.pieces`), in their order in the file."""
    uses = pl.read_parquet(path)
    return uses.with_columns(pl.col(name).cast(pl.String) for name in _OFTEN_ALIKE if name in uses.columns)


def read_batch(path: Path) -> list[KeyedRecord]:
    """Read the records of a batch, in their order in the file."""
    return rows_in(read_uses(path))


def rows_in(uses: pl.DataFrame) -> list[KeyedRecord]:
    """Give uses of a batch as records, in their order."""
    rows = [KeyedRecord(key, record) for key, record in zip(uses["key"], records_in(uses), strict=True)]
    if REPLACES in uses.columns:
        for place, packed in enumerate(uses[REPLACES]):
            if packed is not None:
                rows[place] = KeyedRecord(rows[place].key, replace(rows[place].record, replaces=_replaced(packed)))
    return rows


def write_details(path: Path, details: pl.DataFrame) -> None:
    """Write what was charged for a batch (`DETAILS`), durable when this returns."""
    _write(path, details)


def _write(path: Path, frame: pl.DataFrame) -> None:
    content = BytesIO()
    # The first level takes half the time of the third for a fiftieth more bytes.
    frame.write_parquet(content, compression="zstd", compression_level=1)
    place(path, content.getvalue())

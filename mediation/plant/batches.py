"""Batches and details as Parquet: columns that polars, duckdb and people's own tools read."""

from io import BytesIO
from pathlib import Path

import msgspec
import polars as pl
from msgspec import Struct

from mediation.records import DetailRecord, RecordPlace
from runtime.durable import place

_attributes = msgspec.json.Decoder(dict[str, str]).decode


class KeyedRecord(Struct, frozen=True, gc=False):
    """A usage record and the 16 bytes by which it is known again."""

    key: bytes
    record: DetailRecord


class RatedDetail(Struct, frozen=True, gc=False):
    """What was charged for a record."""

    key: bytes
    identity: str
    service: str
    start_ms: int
    quantity: int
    amount: int
    """Micro-units of the currency."""
    currency: str
    position: int
    request_key: str
    """Of the command that charged it, with others of its subscriber."""


def write_batch(path: Path, rows: list[KeyedRecord]) -> None:
    """Write the records of a batch, durable when this returns."""
    records = [row.record for row in rows]
    frame = pl.DataFrame(
        {
            "key": [row.key for row in rows],
            "identity": [record.identity for record in records],
            "service": [record.service for record in records],
            "start_ms": [record.start_ms for record in records],
            "quantity": [record.quantity for record in records],
            "other_party": [record.other_party for record in records],
            "visited": [record.visited for record in records],
            "partner": [record.partner for record in records],
            "attributes": [msgspec.json.encode(dict(record.attributes)).decode() for record in records],
            "position": [record.place.position for record in records],
            "raw": [record.place.raw for record in records],
        },
        schema_overrides={"key": pl.Binary, "raw": pl.Binary},
    )
    _write(path, frame)


def read_batch(path: Path) -> list[KeyedRecord]:
    """Read the records of a batch, in their order in the file."""
    return [
        KeyedRecord(
            key,
            DetailRecord(
                identity,
                service,
                start_ms,
                quantity,
                other_party,
                visited,
                partner,
                tuple(sorted(_attributes(attributes).items())),
                RecordPlace(position, raw),
            ),
        )
        for (
            key, identity, service, start_ms, quantity, other_party, visited, partner, attributes, position, raw,
        ) in pl.read_parquet(path).iter_rows()
    ]  # fmt: skip


def write_details(path: Path, rows: list[RatedDetail]) -> None:
    """Write what was charged for a batch, by identity and time, durable when this returns."""
    frame = pl.DataFrame(
        {name: [getattr(row, name) for row in rows] for name in RatedDetail.__struct_fields__},
        schema={
            "key": pl.Binary,
            "identity": pl.String,
            "service": pl.String,
            "start_ms": pl.Int64,
            "quantity": pl.Int64,
            "amount": pl.Int64,
            "currency": pl.String,
            "position": pl.Int64,
            "request_key": pl.String,
        },
    )
    _write(path, frame.sort("identity", "start_ms", "position"))


def _write(path: Path, frame: pl.DataFrame) -> None:
    content = BytesIO()
    frame.write_parquet(content, compression="zstd")
    place(path, content.getvalue())

"""Parts: Parquet files of rows in the order of account and time, written once, read by any tool that knows Parquet."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import msgspec
import polars as pl
from msgspec import Raw, Struct

from charging.base.usage import Usage
from charging.ledger.details import RatedUsage, UsageEffect
from charging.ledger.event import Pair
from details.rows import StoredUsage, pack

SCHEMA: dict[str, pl.DataType] = {
    "account": pl.String(),
    "start_ms": pl.Int64(),
    "position": pl.Int64(),
    "nth": pl.Int64(),
    "key": pl.String(),
    "kind": pl.String(),
    "time_ms": pl.Int64(),
    "identity": pl.String(),
    "service": pl.String(),
    "used": pl.Int64(),
    "quantity": pl.Int64(),
    "amount": pl.Int64(),
    "currency": pl.String(),
    "item": pl.String(),
    "other_party": pl.String(),
    "visited": pl.String(),
    "attributes": pl.String(),
    "channel": pl.String(),
    "version": pl.Int64(),
    "session": pl.String(),
    "of_key": pl.String(),
    "of_start_ms": pl.Int64(),
    "taxed_since": pl.Int64(),
    "accruals": pl.Binary(),
    "takes": pl.Binary(),
    "steps": pl.Binary(),
}
ORDER = ("account", "start_ms", "position", "nth")
GROUP_ROWS = 16_384
"""Rows that are read at once for one account, at least: their bounds are in the file's foot."""
_pairs = msgspec.msgpack.Decoder(tuple[Pair, ...]).decode
_attributes = msgspec.json.Decoder(dict[str, str]).decode
_NOTHING = pack(())


class WrittenPart(Struct, frozen=True):
    """A part's content, ready to be placed, and what the manifest says of it."""

    content: bytes
    sha256: str
    rows: int
    first: str
    """The least account."""
    last: str
    amounts: dict[str, int]
    """Micro-units by currency; refunds, which name none, by ""."""


def frame_of(rows: Sequence[StoredUsage]) -> pl.DataFrame:
    """Put rows into columns, in their order."""
    values = [_values(row) for row in rows]
    columns = list(zip(*values, strict=True)) if values else [()] * len(SCHEMA)
    made = [pl.Series(name, column, kind) for (name, kind), column in zip(SCHEMA.items(), columns, strict=True)]
    return pl.DataFrame(made)


def _values(row: StoredUsage) -> tuple[object, ...]:
    """Give a row in the order of `SCHEMA`."""
    told, effect = row.usage, row.effect
    usage = told.usage
    return (
        row.account_id,
        usage.start_ms,
        row.position,
        row.nth,
        told.key,
        told.kind,
        told.time_ms,
        usage.identity,
        usage.service,
        usage.quantity,
        told.quantity,
        told.amount,
        effect.currency,
        effect.item,
        usage.other_party,
        usage.visited,
        msgspec.json.encode(usage.attributes).decode() if usage.attributes else "",
        told.channel,
        told.version,
        told.session_id,
        told.of_key,
        told.of_start_ms,
        effect.taxed_since,
        pack(effect.accruals) if effect.accruals else _NOTHING,
        pack(effect.takes) if effect.takes else _NOTHING,
        bytes(told.steps),
    )


def rows_in(frame: pl.DataFrame) -> Iterator[StoredUsage]:
    """Read rows back, in their order."""
    for (
        account, start_ms, position, nth, key, kind, time_ms, identity, service, used, quantity, amount, currency, item,
        other_party, visited, attributes, channel, version, session, of_key, of_start_ms, taxed_since, accruals, takes,
        steps,
    ) in frame.iter_rows():  # fmt: skip
        named = _attributes(attributes) if attributes else {}
        usage = Usage(identity, service, start_ms, used, other_party, visited, named)
        told = RatedUsage(
            key, kind, time_ms, usage, quantity, amount, channel, version, session, of_key, Raw(steps), of_start_ms
        )
        effect = UsageEffect(_pairs(accruals), _pairs(takes), item, taxed_since, currency)
        yield StoredUsage(account, position, nth, told, effect)


def written(frame: pl.DataFrame) -> WrittenPart:
    """Make a part of rows, which are put in order. The frame must not be empty."""
    ordered = frame.sort(*ORDER)
    content = BytesIO()
    ordered.write_parquet(content, compression="zstd", row_group_size=GROUP_ROWS, statistics=True)
    data = content.getvalue()
    sums = ordered.group_by("currency").agg(pl.col("amount").sum()).sort("currency")
    amounts = dict(zip(sums["currency"].to_list(), sums["amount"].to_list(), strict=True))
    accounts = ordered["account"]
    return WrittenPart(data, sha256(data).hexdigest(), len(ordered), accounts[0], accounts[-1], amounts)


def read_account(path: Path, account_id: str) -> pl.DataFrame:
    """Read the rows of one account out of a part. Raises `FileNotFoundError`, `polars.exceptions.PolarsError`."""
    return pl.scan_parquet(path).filter(pl.col("account") == account_id).collect()

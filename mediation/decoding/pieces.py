"""A piece of a file, decoded: its uses in columns, one row each, and beside them what is none."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import msgspec
import polars as pl
from msgspec import Struct, field

from mediation.decoding.decoded import Decoded, FoundRecord
from mediation.duplicates.keys import key_column, packed
from mediation.records import DetailRecord, RecordPlace, UnreadRecord

SCHEMA: dict[str, pl.DataType] = {
    "key": pl.Binary(),
    "identity": pl.String(),
    "service": pl.String(),
    "start_ms": pl.Int64(),
    "quantity": pl.Int64(),
    "other_party": pl.String(),
    "visited": pl.String(),
    "partner": pl.String(),
    "attributes": pl.String(),
    "position": pl.Int64(),
    "raw": pl.Binary(),
    "record": pl.Int64(),
}
"""Columns of uses: those of `DetailRecord` and of its place; attributes as JSON, in the order of their names."""
COLUMNS = list(SCHEMA)
ROWS_AT_ONCE = 50_000
read_attributes = msgspec.json.Decoder(dict[str, str]).decode
"""Reads attributes as they stand in a column."""


class Piece(Struct):
    """What the records of a piece of a file are."""

    uses: pl.DataFrame
    """In the order of the file, see `SCHEMA`."""
    unread: list[UnreadRecord] = field(default_factory=list)
    dropped: list[tuple[int, int]] = field(default_factory=list)
    """Position of each, and of the record of which it is a part, as in `RecordPlace`."""
    records: list[DetailRecord] | None = None
    """The uses as they were read, where the format has more to say of them than columns do: parts, likeness."""

    def count(self) -> int:
        """Give how many records it has."""
        return len(self.uses) + len(self.unread) + len(self.dropped)

    def records_at(self, places: Sequence[int]) -> list[DetailRecord]:
        """Give some of its uses, by their places among them."""
        if self.records is not None:
            return [self.records[place] for place in places]
        return list(records_in(self.uses[list(places)]))

    def positions(self) -> Iterator[int]:
        """Give where its records stand, and the records of which they are parts."""
        for name in ("position", "record"):
            yield from self.uses[name].to_list()
        yield from (at for each in self.dropped for at in each)
        yield from (at for each in self.unread for at in (each.place.position, each.place.record))

    def readable(self, positions: frozenset[int]) -> "Piece":
        """Give what of it can be read and stands at some positions, or is a part of the record there."""
        mask = self.uses["position"].is_in(list(positions)) | self.uses["record"].is_in(list(positions))
        kept = None if self.records is None else [row for row, mine in zip(self.records, mask, strict=True) if mine]
        dropped = [each for each in self.dropped if not positions.isdisjoint(each)]
        return Piece(self.uses.filter(mask), dropped=dropped, records=kept)


def frame_of(records: Sequence[DetailRecord], keys: Sequence[bytes]) -> pl.DataFrame:
    """Put uses and their keys into columns, in their order."""
    return pl.DataFrame(
        {
            "key": keys,
            "identity": [record.identity for record in records],
            "service": [record.service for record in records],
            "start_ms": [record.start_ms for record in records],
            "quantity": [record.quantity for record in records],
            "other_party": [record.other_party for record in records],
            "visited": [record.visited for record in records],
            "partner": [record.partner for record in records],
            "attributes": [attributes_text(dict(record.attributes)) for record in records],
            "position": [record.place.position for record in records],
            "raw": [record.place.raw for record in records],
            "record": [record.place.record for record in records],
        },
        schema=SCHEMA,
    )


def records_in(frame: pl.DataFrame) -> Iterator[DetailRecord]:
    """Read uses back, in their order."""
    for (
        identity, service, start_ms, quantity, other_party, visited, partner, attributes, position, raw, record,
    ) in frame.select(COLUMNS[1:]).iter_rows():  # fmt: skip
        named = tuple(sorted(read_attributes(attributes).items()))
        place = RecordPlace(position, raw, record)
        yield DetailRecord(identity, service, start_ms, quantity, other_party, visited, partner, named, place)


def attributes_text(attributes: dict[str, str]) -> str:
    """Give attributes as they stand in a column."""
    return msgspec.json.encode(attributes).decode() if attributes else "{}"


def pieces_of(found: Iterable[FoundRecord], format_name: str, rows_max: int | None) -> Iterator[Piece]:
    """Put records as they were read one by one into pieces; `rows_max` None = one piece, records and all."""
    source = iter(found)
    while rows := list(islice(source, rows_max)):
        yield piece_of(rows, format_name, keep=rows_max is None)


def piece_of(rows: Sequence[FoundRecord], format_name: str, *, keep: bool = False) -> Piece:
    """Put records as they were read one by one into a piece; `keep` them, too."""
    decoded = [row for row in rows if isinstance(row, Decoded)]
    texts = pl.Series([packed(format_name, row.key) for row in decoded], dtype=pl.String)
    keys = pl.select(key_column(pl.lit(texts))).to_series().to_list() if decoded else []
    records = [row.record for row in decoded]
    made = Piece(frame_of(records, keys), records=records if keep else None)
    for row in rows:
        if isinstance(row, UnreadRecord):
            made.unread.append(row)
        elif not isinstance(row, Decoded):
            made.dropped.append((row.place.position, row.place.record))
    return made

"""Decodes whole files: records by the layout, fields by the rules, and the key by which a use is known again."""

from collections.abc import Iterator

from msgspec import Struct

from mediation.decoding.mapping import Mapper
from mediation.decoding.readers import reader_of
from mediation.formats.format import Format
from mediation.records import DetailRecord, DroppedRecord, UnreadRecord


class Decoded(Struct, frozen=True, gc=False):
    """A record and what its key is made of."""

    record: DetailRecord
    key: tuple[str, ...]


FoundRecord = Decoded | DroppedRecord | UnreadRecord


class Decoder:
    """Of one format."""

    def __init__(self, form: Format) -> None:
        self.form = form
        self._mapper = Mapper(form)
        self._rows = reader_of(form)

    def decode(self, content: bytes) -> Iterator[FoundRecord]:
        """Give what each record of a file is, in order. Raises `UnusableFile` before the first."""
        key, record_of = self.form.key, self._mapper.record
        for row in self._rows(content):
            if isinstance(row, UnreadRecord):
                yield row
                continue
            cells, place = row
            record = record_of(cells, place)
            if isinstance(record, DetailRecord):
                yield Decoded(record, tuple(cells.get(name, "").strip() for name in key))
            else:
                yield record

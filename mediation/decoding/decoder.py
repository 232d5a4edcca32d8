"""Decodes whole files: records by the layout, fields by the rules, and the key by which a use is known again."""

from collections.abc import Iterator

from mediation.decoding.bycolumns import ColumnDecoder, columns_say
from mediation.decoding.decoded import Decoded, FoundRecord
from mediation.decoding.framing import Content
from mediation.decoding.mapping import Mapper
from mediation.decoding.pieces import ROWS_AT_ONCE, Piece, pieces_of
from mediation.decoding.readers import reader_of
from mediation.formats.format import Format
from mediation.records import DetailRecord, FoundRow, UnreadRecord


class Decoder:
    """Of one format."""

    def __init__(self, form: Format) -> None:
        self.form = form
        self._mapper = Mapper(form)
        self._rows = reader_of(form)
        self._columns = ColumnDecoder(form, self._mapper.country, self._found) if columns_say(form) else None

    def decode(self, content: bytes) -> Iterator[FoundRecord]:
        """Give what each record of a file is, in order. Raises `UnusableFile` before the first."""
        return map(self._found, self._rows(content))

    def pieces(self, content: Content) -> Iterator[Piece]:
        """Give the same in pieces that need little memory, by columns where they can say what the format does.

        Raises `UnusableFile` anywhere: what was given before counts for nothing. Parts of calls, and records that are
        held against others, come in one piece.
        """
        form = self.form
        if self._columns is not None:
            return self._columns.pieces(content)
        whole = form.parts is not None or form.alike is not None
        return pieces_of(self.decode(bytes(content)), form.format, None if whole else ROWS_AT_ONCE)

    def _found(self, row: FoundRow) -> FoundRecord:
        if isinstance(row, UnreadRecord):
            return row
        cells, place = row
        record = self._mapper.record(cells, place)
        if isinstance(record, DetailRecord):
            return Decoded(record, tuple([cells.get(name, "").strip() for name in self.form.key]))
        return record

"""Decodes whole files: lines by the layout, fields by the rules, and the key by which a use is known again."""

from collections.abc import Iterator

from msgspec import Struct

from mediation.decoding.layouts import Cells, Splitter, named, split, splitter
from mediation.decoding.lines import UnusableFile, lines_of
from mediation.decoding.mapping import Mapper
from mediation.formats.format import Delimited, Format
from mediation.records import DetailRecord, DroppedRecord, RecordPlace, UnreadRecord


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
        self._split = splitter(form.records)

    def decode(self, content: bytes) -> Iterator[FoundRecord]:
        """Give what each record of a file is, in order. Raises `UnusableFile` before the first."""
        form = self.form
        found = iter(lines_of(content, form.lines, form.encoding))
        split_line = self._split or self._by_header(found)
        for line in found:
            if isinstance(line, UnreadRecord):
                yield line
            else:
                yield self._decode(split_line, *line)

    def _decode(self, split_line: Splitter, text: str, place: RecordPlace) -> FoundRecord:
        try:
            cells = split_line(text)
        except ValueError as error:
            return UnreadRecord("RECORD_MALFORMED", str(error), place)
        record = self._mapper.record(cells, place)
        return Decoded(record, self._key(cells)) if isinstance(record, DetailRecord) else record

    def _key(self, cells: Cells) -> tuple[str, ...]:
        return tuple(cells.get(name, "").strip() for name in self.form.key)

    def _by_header(self, lines: Iterator[tuple[str, RecordPlace] | UnreadRecord]) -> Splitter:
        """Read the columns off the first line. Raises `UnusableFile` COLUMNS_MISSING."""
        layout, first = self.form.records, next(lines, None)
        assert isinstance(layout, Delimited)
        if not isinstance(first, tuple):
            raise UnusableFile("COLUMNS_MISSING", "the file has no first line that names its columns")
        try:
            columns = tuple(name.strip() for name in split(layout, first[0]))
        except ValueError as error:
            raise UnusableFile("COLUMNS_MISSING", f"the first line can't be read: {error}") from error
        form = self.form
        wanted = {rule.column for _, rule in form.rules()} | {rule.column for rule in form.drop} | set(form.key)
        wanted.discard("")
        missing = sorted(wanted - set(columns))
        if missing or len(set(columns)) != len(columns):
            what = f"no column {', '.join(missing)}" if missing else "a column twice"
            raise UnusableFile("COLUMNS_MISSING", f"the first line has {what}")
        return named(layout, columns)

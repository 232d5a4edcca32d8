"""Files of a record a line → the fields of each line, by the layout that the format says."""

from collections.abc import Iterator

from mediation.decoding.layouts import Splitter, named, split, splitter
from mediation.decoding.lines import lines_of
from mediation.formats.format import Delimited, Format, LineLayout
from mediation.records import FoundRow, RecordPlace, UnreadRecord, UnusableFile


class LineReader:
    """Of one format."""

    def __init__(self, form: Format, layout: LineLayout) -> None:
        self._form = form
        self._layout = layout
        self._split = splitter(layout)

    def rows(self, content: bytes) -> Iterator[FoundRow]:
        """Give the fields of each line. Raises `UnusableFile` before the first."""
        form = self._form
        found = iter(lines_of(content, form.lines, form.encoding))
        split_line = self._split or self._by_header(found)
        for line in found:
            if isinstance(line, UnreadRecord):
                yield line
                continue
            text, place = line
            try:
                cells = split_line(text)
            except ValueError as error:
                yield UnreadRecord("RECORD_MALFORMED", str(error), place)
                continue
            yield cells, place

    def _by_header(self, lines: Iterator[tuple[str, RecordPlace] | UnreadRecord]) -> Splitter:
        """Read the columns off the first line. Raises `UnusableFile` COLUMNS_MISSING."""
        layout, first = self._layout, next(lines, None)
        assert isinstance(layout, Delimited)
        if not isinstance(first, tuple):
            raise UnusableFile("COLUMNS_MISSING", "the file has no first line that names its columns")
        try:
            columns = tuple(name.strip() for name in split(layout, first[0]))
        except ValueError as error:
            raise UnusableFile("COLUMNS_MISSING", f"the first line can't be read: {error}") from error
        missing = sorted(self._form.wanted() - set(columns))
        if missing or len(set(columns)) != len(columns):
            what = f"no column {', '.join(missing)}" if missing else "a column twice"
            raise UnusableFile("COLUMNS_MISSING", f"the first line has {what}")
        return named(layout, columns)

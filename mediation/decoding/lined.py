"""Files of a record a line → the fields of each line, by the layout that the format says."""

from collections.abc import Iterator

from mediation.decoding.layouts import Splitter, named, split, splitter
from mediation.decoding.lines import FoundLine, lines_of
from mediation.formats.format import Delimited, Format, LineLayout
from mediation.records import FoundRow, UnreadRecord, UnusableFile


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
        split_line = self._split or self.splitter(self.columns(next(found, None)))
        for line in found:
            yield cells_of(line, split_line)

    def splitter(self, columns: tuple[str, ...]) -> Splitter:
        """Give what splits lines; `columns` are those that the file names, where it does."""
        return self._split or named(self._delimited(), columns)

    def columns(self, first: FoundLine | None) -> tuple[str, ...]:
        """Read the columns off a file's first line. Raises `UnusableFile` COLUMNS_MISSING."""
        layout = self._delimited()
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
        return columns

    def _delimited(self) -> Delimited:
        assert isinstance(self._layout, Delimited)
        return self._layout


def cells_of(line: FoundLine, split_line: Splitter) -> FoundRow:
    """Give the fields of a line."""
    if isinstance(line, UnreadRecord):
        return line
    text, place = line
    try:
        return split_line(text), place
    except ValueError as error:
        return UnreadRecord("RECORD_MALFORMED", str(error), place)

"""Files of a record a line, decoded by columns: pieces of the file become a frame of text, and that one of values.

A record whose line, form or values are not what they are every day is read by itself, by the decoder that reads records
one by one: nothing is decided here otherwise than there (record 0057).
"""

import string
from collections.abc import Callable, Iterator
from io import BytesIO

import polars as pl

from mediation.decoding.decoded import FoundRecord
from mediation.decoding.fieldcolumns import FieldColumns
from mediation.decoding.framing import Content, FramedLines, LinePiece
from mediation.decoding.lined import LineReader, cells_of
from mediation.decoding.lines import BREAKS, line_of
from mediation.decoding.pieces import COLUMNS, Piece, piece_of
from mediation.duplicates.keys import key_column, packed_columns
from mediation.formats.format import Delimited, FixedWidth, Format
from mediation.records import RAW_BYTES_MAX, FoundRow

PIECE_BYTES = 1 << 24
ENCODINGS = frozenset(("utf-8", "gb18030", "gbk", "gb2312", "latin-1", "ascii", "cp1252"))
"""In which a line ends at the byte of a line feed and nowhere else, and ASCII is itself."""
SPACES = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
"""What is taken off around a field."""
_ASCII_SPACES = tuple([space.encode() for space in SPACES if space.isascii() and space not in "\r\n"])
BLANK = string.whitespace
"""What a line has that is passed over."""
_USUAL, _SPLIT = ".usual", ".split"


def columns_say(form: Format) -> bool:
    """Say whether columns can say what a format does with every record that is as they are every day."""
    plain = (
        form.parts is None and form.alike is None and not any(rule.plus or rule.otherwise for _, rule in form.rules())
    )
    return plain and isinstance(form.records, (Delimited, FixedWidth)) and form.encoding in ENCODINGS


class ColumnDecoder:
    """Of one format. `found` reads one record by itself; `country` is as of `FieldColumns`."""

    def __init__(self, form: Format, country: str, found: Callable[[FoundRow], FoundRecord]) -> None:
        layout = form.records
        assert isinstance(layout, (Delimited, FixedWidth))
        self._form = form
        self._layout = layout
        self._reader = LineReader(form, layout)
        self._fields = FieldColumns(form, country)
        self._found = found

    def pieces(self, content: Content) -> Iterator[Piece]:
        """Give the records of a file. Raises `UnusableFile`."""
        layout = self._layout
        framed = FramedLines(content, self._form.lines, self._form.encoding)
        columns = layout.columns if isinstance(layout, Delimited) else ()
        unnamed, records = isinstance(layout, Delimited) and not columns, 0
        for piece in framed.pieces(PIECE_BYTES):
            lines, headers = self._lines(piece)
            spaced = has_spaces(piece.content)
            records += len(lines) - headers
            if unnamed and len(lines):
                number, raw, _ = lines.row(0)
                columns, unnamed = self._reader.columns(line_of(number, raw, self._form.encoding)), False
                lines = lines[1:]
            if len(lines):
                yield self._piece(lines, columns, spaced)
        framed.check(records)
        if unnamed:
            self._reader.columns(None)

    def _lines(self, piece: LinePiece) -> tuple[pl.DataFrame, int]:
        """Give the lines that may be records, and how many of them are headers that nobody can read."""
        lines, header = lines_in(piece, self._form.encoding), self._form.lines.header
        if not header:
            return lines, 0
        unread = lines["text"].is_null() | (lines["raw"].bin.size() > RAW_BYTES_MAX)
        starts = lines["text"].str.starts_with(header).fill_null(False)
        for place in lines["text"].is_null().arg_true():
            starts[place] = lines["raw"][place].decode(self._form.encoding, "replace").startswith(header)
        return lines.filter(~starts | unread), int((starts & unread).sum())

    def _piece(self, lines: pl.DataFrame, columns: tuple[str, ...], spaced: bool) -> Piece:
        cells = self._cells(lines, columns, spaced)
        usual = cells.filter(pl.col(_USUAL))
        drops = [pl.col(rule.column).is_in(rule.among) for rule in self._form.drop]
        gone = usual.select(pl.any_horizontal(drops)).to_series() if drops else usual[_USUAL] & False
        usual, dropped = usual.filter(~gone), usual["number"].filter(gone)
        values = self._fields.read(usual)
        key = key_column(packed_columns(self._form.format, [pl.col(name) for name in self._form.key]))
        good = values.select(pl.all_horizontal(pl.all().is_not_null())).to_series()
        uses = values.with_columns(usual["number"].alias("position"), usual["raw"]).filter(good)
        made = uses.with_columns(usual.filter(good).select(key.alias("key")).to_series(), record=pl.lit(-1, pl.Int64))
        piece = Piece(made.select(COLUMNS), dropped=[(at, -1) for at in dropped.to_list()])
        left = pl.concat([cells.filter(~pl.col(_USUAL)), usual.filter(~good)]).select("number", "raw")
        return self._beside(piece, left.sort("number"), columns) if len(left) else piece

    def _beside(self, piece: Piece, left: pl.DataFrame, columns: tuple[str, ...]) -> Piece:
        """Give a piece with records beside it that are read one by one."""
        split = self._reader.splitter(columns)
        rows = (cells_of(line_of(number, raw, self._form.encoding), split) for number, raw in left.iter_rows())
        others = piece_of([self._found(row) for row in rows], self._form.format)
        uses = pl.concat([piece.uses, others.uses]).sort("position") if len(others.uses) else piece.uses
        return Piece(uses, others.unread, sorted(piece.dropped + others.dropped))

    def _cells(self, lines: pl.DataFrame, columns: tuple[str, ...], spaced: bool) -> pl.DataFrame:
        """Give the fields of lines without the spaces around them, and whether a line is as it is every day.

        `spaced` says that there may be some.
        """
        layout, text = self._layout, pl.col("text")
        whole = text.is_not_null() & (pl.col("raw").bin.size() <= RAW_BYTES_MAX)
        if isinstance(layout, FixedWidth):
            longest = max(column.at - 1 + column.width for column in layout.columns)
            fields = {column.name: text.str.slice(column.at - 1, column.width) for column in layout.columns}
            whole &= text.str.len_chars() >= longest
        else:
            width = len(columns)
            # Split first: an expression that stands under several others is not always worked out once.
            lines = lines.with_columns(text.str.split_exact(layout.delimiter, width).alias(_SPLIT))
            fields = {name: pl.col(_SPLIT).struct.field(f"field_{place}") for place, name in enumerate(columns)}
            whole &= fields[columns[-1]].is_not_null() & pl.col(_SPLIT).struct.field(f"field_{width}").is_null()
            if layout.quote:
                whole &= ~text.str.contains(layout.quote, literal=True)
        wanted = {name: field for name, field in fields.items() if name in self._form.wanted()}
        cells = [(each.str.strip_chars(SPACES) if spaced else each).alias(name) for name, each in wanted.items()]
        return lines.select(*cells, whole.alias(_USUAL), "number", "raw")


def has_spaces(content: bytes) -> bool:
    """Say whether fields of lines may have something around them that is taken off; most switches write none."""
    ends = content.count(b"\r")
    return (
        not content.isascii()
        or any(space in content for space in _ASCII_SPACES)
        or (ends > 0 and ends != content.count(b"\r\n"))
    )


def lines_in(piece: LinePiece, encoding: str) -> pl.DataFrame:
    """Give the lines of a piece that are not empty: `number`, `raw` and `text`, null where it can't be read."""
    content, utf8 = piece.content, piece.content
    raws: list[bytes] | None = None
    texts: list[str | None] | None = None
    if not content.isascii():
        try:
            text = content.decode(encoding)
            if encoding != "utf-8":
                utf8, raws = text.encode(), content.split(b"\n")
        except UnicodeDecodeError:
            raws = content.split(b"\n")
            texts = [_decoded(raw, encoding) for raw in raws]
    column = pl.Series("text", texts, pl.String) if texts else pl.read_lines(BytesIO(utf8), name="text")["text"]
    frame = pl.DataFrame([column.str.strip_chars_end("\r")]).with_row_index("number", piece.number)
    if raws is None:
        frame = frame.with_columns(raw=pl.col("text").cast(pl.Binary))
    else:
        frame = frame.with_columns(pl.Series("raw", [raw.rstrip(BREAKS) for raw in raws[: len(frame)]], pl.Binary))
    blank = pl.col("text").is_not_null() & (pl.col("text").str.strip_chars(BLANK) == "")
    return frame.filter(~blank).select(pl.col("number").cast(pl.Int64), "raw", "text")


def _decoded(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None

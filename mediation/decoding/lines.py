"""The lines of a file that holds one record a line: header and trailer taken off, each line with its number and bytes.

A file whose trailer is missing or disagrees is not whole: nothing of it may be charged, so all lines are looked at
before the first is given.
"""

from collections.abc import Iterator

from mediation.formats.format import FixedColumn, FrameLines
from mediation.records import NOT_WHOLE, RAW_BYTES_MAX, RecordPlace, UnreadRecord, UnusableFile

BREAKS = b"\r\n"
FoundLine = tuple[str, RecordPlace] | UnreadRecord


def lines_of(content: bytes, rules: FrameLines, encoding: str) -> Iterator[FoundLine]:
    """Give the text of each record's line, or why it has none; empty lines are passed over.

    Raises `UnusableFile` FILE_NOT_WHOLE before the first.
    """
    rows = [(number, raw) for number, raw in enumerate(content.split(b"\n"), 1) if raw.strip()]
    rows = [row for row in rows if row[0] > rules.skip]
    if rules.trailer:
        rows = _without_trailer(content, rows, rules, encoding)
    for number, raw in rows:
        line = line_of(number, raw, encoding)
        if isinstance(line, UnreadRecord) or not (rules.header and line[0].startswith(rules.header)):
            yield line


def line_of(number: int, raw: bytes, encoding: str) -> FoundLine:
    """Give the text of a line and its place, or why it has none."""
    line = raw.rstrip(BREAKS)
    place = RecordPlace(number, line)
    if len(line) > RAW_BYTES_MAX:
        why = f"it has {len(line)} bytes, more than {RAW_BYTES_MAX}"
        return UnreadRecord("RECORD_TOO_LARGE", why, RecordPlace(number, line[:RAW_BYTES_MAX]))
    try:
        return line.decode(encoding), place
    except UnicodeDecodeError as error:
        return UnreadRecord("RECORD_MALFORMED", f"byte {error.start + 1} of it is no {encoding}", place)


def _without_trailer(
    content: bytes, rows: list[tuple[int, bytes]], rules: FrameLines, encoding: str
) -> list[tuple[int, bytes]]:
    last = rows[-1][1].rstrip(BREAKS).decode(encoding, "replace") if rows else ""
    check_trailer(last, rules, ended=content.endswith(b"\n"))
    rows = rows[:-1]
    if rules.count is not None:
        check_count(last, rules.count, sum(not _is_header(raw, rules, encoding) for _, raw in rows))
    return rows


def _is_header(raw: bytes, rules: FrameLines, encoding: str) -> bool:
    return bool(rules.header) and raw.decode(encoding, "replace").startswith(rules.header)


def check_trailer(last: str, rules: FrameLines, *, ended: bool) -> None:
    """Hold the last line of a file, `ended` or not, to what its trailer is. Raises `UnusableFile` FILE_NOT_WHOLE."""
    if not last.startswith(rules.trailer):
        raise UnusableFile(NOT_WHOLE, f"the last line does not begin with {rules.trailer!r}: the file was cut off")
    if not ended and rules.count is None:
        raise UnusableFile(NOT_WHOLE, "the trailer has no end of line: the file was cut off")


def check_count(trailer: str, column: FixedColumn, records: int) -> None:
    """Hold the records of a file to what its trailer counts. Raises `UnusableFile` FILE_NOT_WHOLE."""
    told = trailer[column.at - 1 : column.at - 1 + column.width].strip()
    if not told.isdecimal() or int(told) != records:
        raise UnusableFile(NOT_WHOLE, f"the trailer counts {told!r} records and the file has {records}")

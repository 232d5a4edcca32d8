"""Reading a CSV file line by line, whatever it holds: each line is a row or one sentence, and the next one goes on.

A line is a record: a field holds no line break, so that a quote left open harms its own line alone. What a line may be
long is bounded, and no more than that is ever in memory.
"""

import csv
from collections.abc import Iterator
from typing import TextIO

from msgspec import Struct

from charging.errors import Invalid

LINE_CHARS_MAX = 65_536
FIELD_SHOWN_MAX = 40
"""Characters of a column's name that a message repeats."""


class UsageLine(Struct, frozen=True):
    """One line of the file, by its number: its cells, or the fault that it has none."""

    number: int
    cells: tuple[str, ...] = ()
    fault: Invalid | None = None


def read_lines(file: TextIO) -> Iterator[UsageLine]:
    """Read line after line, empty ones left out. What is no UTF-8 arrives as surrogates, line ends as they are.

    Never raises for what is in the file: a line that is too long or no CSV has a `fault`. Only one is in memory.
    """
    number = 0
    while text := file.readline(LINE_CHARS_MAX + 1):
        number += 1
        if len(text) > LINE_CHARS_MAX and not text.endswith(("\n", "\r")):
            _skip(file)
            yield _faulty(number, f"it is longer than {LINE_CHARS_MAX} characters")
            continue
        text = text.rstrip("\r\n")
        if text:
            yield _line(number, text)


def columns(header: UsageLine | None, required: tuple[str, ...]) -> tuple[str, ...]:
    """Give the names of the columns, in order; `header` None = the file is empty.

    Raises `Invalid` HEADER_MALFORMED, COLUMN_MISSING or COLUMN_DOUBLED.
    """
    if header is not None and header.fault is not None:
        raise Invalid("HEADER_MALFORMED", f"the header of the usage file can't be read: {header.fault.message}")
    names = header.cells if header is not None else ()
    missing = [name for name in required if name not in names]
    if missing:
        raise Invalid("COLUMN_MISSING", f"the usage file has no column {', '.join(missing)}: put them in its header")
    twice = sorted({name[:FIELD_SHOWN_MAX] for name in names if names.count(name) > 1})
    if twice:
        raise Invalid("COLUMN_DOUBLED", f"the usage file has column {', '.join(twice)} twice: keep one in its header")
    return names


def _skip(file: TextIO) -> None:
    """Read on to the end of a line that is too long."""
    while text := file.readline(LINE_CHARS_MAX):
        if text.endswith(("\n", "\r")):
            return


def _line(number: int, text: str) -> UsageLine:
    try:
        text.encode()
    except UnicodeEncodeError:
        return _faulty(number, "it holds bytes that are no UTF-8 text: mend its encoding")
    try:
        rows = list(csv.reader((text,), strict=True))
    except csv.Error as error:
        return _faulty(number, f"it is no CSV: {error}")
    return UsageLine(number, tuple(rows[0]) if rows else ())


def _faulty(number: int, why: str) -> UsageLine:
    return UsageLine(number, fault=Invalid("LINE_MALFORMED", f"the line can't be read: {why}"))

"""A record's line → its fields by name, by the layout that the format says."""

import csv
from collections.abc import Callable, Mapping
from typing import assert_never

from mediation.decoders.jsonfile import fields_of
from mediation.formats.format import Delimited, FixedWidth, JsonLines, KeyValue, LineLayout

Cells = Mapping[str, str]
Splitter = Callable[[str], dict[str, str]]
"""Raises `ValueError` with a sentence for a line that is no record."""


def splitter(layout: LineLayout) -> Splitter | None:
    """Give what splits a line; None = the file's first line must say its columns (`named`)."""
    match layout:
        case Delimited():
            return named(layout, layout.columns) if layout.columns else None
        case FixedWidth():
            return _fixed(layout)
        case KeyValue():
            return lambda line: _pairs(layout, line)
        case JsonLines():
            return fields_of
        case _:
            assert_never(layout)


def split(layout: Delimited, line: str) -> list[str]:
    """Split a delimited line. Raises `ValueError`."""
    if layout.quote and layout.quote in line:
        try:
            return next(csv.reader((line,), delimiter=layout.delimiter, quotechar=layout.quote, strict=True))
        except csv.Error as error:
            raise ValueError(f"it can't be split into fields: {error}") from error
    return line.split(layout.delimiter)


def named(layout: Delimited, columns: tuple[str, ...]) -> Splitter:
    """Give what splits a delimited line into these columns."""
    width = len(columns)

    def cells(line: str) -> dict[str, str]:
        found = split(layout, line)
        if len(found) != width:
            raise ValueError(f"it has {len(found)} fields instead of {width}")
        return dict(zip(columns, found, strict=True))

    return cells


def _fixed(layout: FixedWidth) -> Splitter:
    spans = [(column.name, column.at - 1, column.at - 1 + column.width) for column in layout.columns]
    longest = max(end for _, _, end in spans)

    def cells(line: str) -> dict[str, str]:
        if len(line) < longest:
            raise ValueError(f"it has {len(line)} characters instead of {longest}")
        return {name: line[start:end] for name, start, end in spans}

    return cells


def _pairs(layout: KeyValue, line: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in line.split(layout.item):
        name, pair, value = item.partition(layout.pair)
        name = name.strip()
        if not name and not value:
            continue
        if not pair:
            raise ValueError(f"{item[:40]!r} has no {layout.pair!r}")
        if name in found:
            raise ValueError(f"field {name[:40]!r} is in it twice")
        found[name] = value
    return found

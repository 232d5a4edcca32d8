"""Who reads the records of a file, by the layout that its format says."""

from collections.abc import Callable, Iterator
from typing import assert_never
from urllib.parse import unquote

from mediation.decoders.flows import FlowReader
from mediation.decoders.jsonfile import JsonReader
from mediation.decoders.radius import RadiusReader
from mediation.decoders.tap import TapReader
from mediation.decoders.ts32297 import RecordReader
from mediation.decoders.xmlfile import XmlReader
from mediation.decoding.lined import LineReader
from mediation.formats.coded import FRAMED, ChargingRecords, FlowRecords, JsonFile, RadiusDetail, RoamingBatch, XmlFile
from mediation.formats.format import Delimited, FixedWidth, Format, JsonLines, KeyValue
from mediation.records import FoundRow, UnreadRecord

FileReader = Callable[[bytes], Iterator[FoundRow]]
"""Gives the fields of each record in order; raises `UnusableFile` before the first."""


def reader_of(form: Format) -> FileReader:
    """Make the reader of a format's files."""
    layout = form.records
    match layout:
        case Delimited() | FixedWidth() | KeyValue() | JsonLines():
            return LineReader(form, layout).rows
        case ChargingRecords():
            return RecordReader(form.wanted(), layout.each, layout.file == FRAMED).rows
        case RoamingBatch():
            return TapReader(form.wanted()).rows
        case RadiusDetail():
            return RadiusReader(form.encoding).rows
        case FlowRecords():
            return FlowReader().rows
        case XmlFile():
            rows = XmlReader(layout.record, layout.count, form.encoding).rows
            return unescaped(rows) if layout.percent else rows
        case JsonFile():
            rows = JsonReader(layout.at).rows
            return unescaped(rows) if layout.percent else rows
        case _:
            assert_never(layout)


def unescaped(read: FileReader) -> FileReader:
    """Take percent signs as URLs have them off what a reader gives; a value that has other bytes than UTF-8 stays."""

    def rows(content: bytes) -> Iterator[FoundRow]:
        for row in read(content):
            yield (
                row
                if isinstance(row, UnreadRecord)
                else ({name: _plain(text) for name, text in row[0].items()}, row[1])
            )

    return rows


def _plain(text: str) -> str:
    if "%" not in text:
        return text
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        return text

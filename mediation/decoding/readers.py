"""Who reads the records of a file, by the layout that its format says."""

from collections.abc import Callable, Iterator

from mediation.decoders.ts32297 import RecordReader
from mediation.decoding.lined import LineReader
from mediation.formats.coded import FRAMED, ChargingRecords
from mediation.formats.format import Format
from mediation.records import FoundRow

FileReader = Callable[[bytes], Iterator[FoundRow]]
"""Gives the fields of each record in order; raises `UnusableFile` before the first."""


def reader_of(form: Format) -> FileReader:
    """Make the reader of a format's files."""
    layout = form.records
    match layout:
        case ChargingRecords():
            return RecordReader(form.wanted(), layout.each, layout.file == FRAMED).rows
        case _:
            return LineReader(form, layout).rows

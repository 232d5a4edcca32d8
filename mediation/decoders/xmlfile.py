"""Records that are elements of an XML file, read in a stream: neither document types nor entities are followed.

A field is an element inside the record, named with dots from there, or an attribute of one, `leg.@id`. Of what is there
several times, the first is given.
"""

from collections.abc import Iterator
from typing import Final
from xml.parsers import expat

from mediation.records import NOT_WHOLE, RAW_BYTES_MAX, FoundRow, RecordPlace, UnreadRecord, UnusableFile

_CHUNK_OCTETS: Final = 1 << 16
_DEPTH_MAX: Final = 64
_FIELDS_MAX: Final = 2_000
_UTF_8: Final = "utf-8"


class _Handlers:
    """What the parser tells, kept as far as somebody wants it."""

    def __init__(self, record: str, count: str) -> None:
        self.parser = expat.ParserCreate(_UTF_8)
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.found: list[tuple[int, int, dict[str, str]]] = []
        """Of each record where it begins and ends, and its fields."""
        self.told = ""
        self._record = record
        self._count = count
        self._path: list[str] = []
        self._inside = -1
        """How deep the record is that is being read; -1 = none."""
        self._begin = 0
        self._cells: dict[str, str] = {}
        self._texts: list[str] = []

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if len(self._path) > _DEPTH_MAX:
            raise UnusableFile(NOT_WHOLE, f"its elements are nested deeper than {_DEPTH_MAX}")
        self._texts = []
        if self._inside < 0 and name == self._record:
            self._inside, self._begin, self._cells = len(self._path), self.parser.CurrentByteIndex, {}
        if self._inside >= 0:
            prefix = "".join([f"{step}." for step in self._path[self._inside :]])
            for attribute, value in attributes.items():
                self._keep(f"{prefix}@{attribute}", value)
        elif self._count:
            prefix = "".join([f"{step}." for step in self._path[1:]])
            for attribute, value in attributes.items():
                if f"{prefix}@{attribute}" == self._count:
                    self.told = value.strip()

    def _end(self, name: str) -> None:
        text = "".join(self._texts).strip()
        self._texts = []
        if self._inside == len(self._path):
            # Here the parser stands before the end tag; where that ends, the text says.
            self.found.append((self._begin, self.parser.CurrentByteIndex, self._cells))
            self._inside = -1
        elif self._inside >= 0:
            self._keep(".".join(self._path[self._inside :]), text)
        elif self._count and ".".join(self._path[1:]) == self._count:
            self.told = text
        self._path.pop()

    def _text(self, text: str) -> None:
        self._texts.append(text)

    def _keep(self, name: str, text: str) -> None:
        if text and len(self._cells) < _FIELDS_MAX:
            self._cells.setdefault(name, text)

    def _refuse(self, *_: object) -> None:
        raise UnusableFile(NOT_WHOLE, "it has a document type, which no switch writes and nobody follows")


class XmlReader:
    """Reads such files. `count` is where the file says how many records it has; empty = nowhere."""

    def __init__(self, record: str, count: str, encoding: str) -> None:
        self._record = record
        self._count = count
        self._encoding = encoding

    def rows(self, content: bytes) -> Iterator[FoundRow]:
        """Give the fields of each record. Raises `UnusableFile` before the first, so the file is read twice."""
        plain = content
        if self._encoding.lower() not in (_UTF_8, "utf8"):
            try:
                plain = content.decode(self._encoding).encode(_UTF_8)
            except UnicodeDecodeError as error:
                raise UnusableFile(NOT_WHOLE, f"byte {error.start} of it is no {self._encoding}") from error
        handlers = _Handlers(self._record, self._count)
        records = sum(1 for _ in _parsed(handlers, plain))
        if self._count and handlers.told != str(records):
            raise UnusableFile(NOT_WHOLE, f"it counts {handlers.told!r} records and has {records}")
        # In another encoding than the parser's, places are counted along.
        last, place = 0, 0
        for begin, end, cells in _parsed(_Handlers(self._record, self._count), plain):
            raw = plain[begin : plain.find(b">", end) + 1]
            if plain is content:
                place = begin
            else:
                place += len(plain[last:begin].decode(_UTF_8).encode(self._encoding))
                last = begin
                raw = raw.decode(_UTF_8).encode(self._encoding)
            if len(raw) > RAW_BYTES_MAX:
                why = f"it has {len(raw)} bytes, more than {RAW_BYTES_MAX}"
                yield UnreadRecord("RECORD_TOO_LARGE", why, RecordPlace(place, raw[:RAW_BYTES_MAX]))
            else:
                yield cells, RecordPlace(place, raw)


def _parsed(handlers: _Handlers, content: bytes) -> Iterator[tuple[int, int, dict[str, str]]]:
    try:
        for at in range(0, len(content) or 1, _CHUNK_OCTETS):
            last = at + _CHUNK_OCTETS >= len(content)
            handlers.parser.Parse(content[at : at + _CHUNK_OCTETS], last)
            yield from handlers.found
            handlers.found = []
    except expat.ExpatError as error:
        why = f"line {error.lineno}, column {error.offset + 1}: {expat.ErrorString(error.code)}"
        raise UnusableFile(NOT_WHOLE, why) from error

"""Files of charging data records: the frame of TS 32.297, or records one after the other, in them TS 32.298.

A file tells its own length, and how many records it has: when either disagrees, nothing of it may be charged. Where the
frame says how long each record is, one that can't be read harms no other.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, final

from mediation.decoders.ber import BadBer, BerItem, BerTable, element, number_of, read_fields
from mediation.decoders.bertables import pruned
from mediation.decoders.ts32298 import RECORD, RECORDS
from mediation.records import NOT_WHOLE, RAW_BYTES_MAX, FoundRow, RecordPlace, UnreadRecord, UnusableFile

_FILE_HEADER_OCTETS_MIN: Final = 50
_COUNT_AT: Final = 18
_NOT_CLOSED: Final = 0xFFFFFFFF
_RELEASE_BEYOND: Final = 7
"""Release of a record's header that stands in a fifth octet."""
_BER: Final = 1
_FILLERS: Final = re.compile(rb"[\x00\xff]+")
_SHOWN_OCTETS: Final = 16
_ELEMENTS_MAX: Final = 1_000
"""Uses in one record: each is kept with all its octets."""


@final
class RecordFrame:
    """Where a record stands in its file."""

    __slots__ = ("at", "coding", "start", "stop")

    def __init__(self, at: int, start: int, stop: int, coding: int) -> None:
        self.at = at
        """Where its header begins."""
        self.start = start
        self.stop = stop
        self.coding = coding
        """How it is encoded, by TS 32.297, 6.1.2: 1 is BER."""


@final
class RecordReader:
    """Reads such files for the fields that are wanted."""

    def __init__(self, wanted: frozenset[str], spread: tuple[str, ...], framed: bool) -> None:
        """`spread` names the lists whose elements are records of their own; the first that a record has is spread."""
        self._spread = spread
        self._framed = framed
        self._tables: dict[int, tuple[str, BerTable]] = {
            tag: (name, pruned(of, wanted, spread)) for tag, (name, of) in RECORDS.items()
        }

    def rows(self, content: bytes) -> Iterator[FoundRow]:
        """Give the fields of each record. Raises `UnusableFile` before the first."""
        frames = framed(content) if self._framed else bare(content)
        for frame in frames:
            raw = content[frame.at : frame.stop]
            if len(raw) > RAW_BYTES_MAX:
                why = f"it has {len(raw)} bytes, more than {RAW_BYTES_MAX}"
                yield UnreadRecord("RECORD_TOO_LARGE", why, RecordPlace(frame.at, raw[:RAW_BYTES_MAX]))
                continue
            try:
                found = self.read(content, frame)
            except BadBer as bad:
                shown = content[bad.at : min(bad.at + _SHOWN_OCTETS, frame.stop)].hex()
                why = f"at byte {bad.at} stands {bad.why}: {shown}"
                yield UnreadRecord("RECORD_MALFORMED", why, RecordPlace(frame.at, raw))
                continue
            for at, cells in found:
                yield cells, RecordPlace(at, raw, frame.at)

    def read(self, content: bytes, frame: RecordFrame) -> list[tuple[int, dict[str, str]]]:
        """Give the fields of one record, or of each element of its list, with the byte at which it begins.

        Raises `BadBer`.
        """
        if frame.coding != _BER:
            raise BadBer(frame.at, f"a record in another encoding than BER ({frame.coding})")
        if frame.start == frame.stop:
            raise BadBer(frame.at, "a record without content")
        tag, start, stop, after = element(content, frame.start, frame.stop)
        if after != frame.stop:
            raise BadBer(after, "something behind the record")
        item = BerItem(frame.at)
        known = self._tables.get(tag)
        if known is None:
            item.cells[RECORD] = f"tag {number_of(tag)}"
        else:
            item.cells[RECORD] = known[0]
            read_fields(content, start, stop, known[1], item)
        found = parts_of(item, self._spread) if item.lists else [(frame.at, item.cells)]
        if len(found) > _ELEMENTS_MAX:
            raise BadBer(frame.at, f"a record of {len(found)} uses, more than {_ELEMENTS_MAX}")
        return found


def parts_of(item: BerItem, spread: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Give an item's elements, each with what the item itself says; itself when it has none."""
    for name in spread:
        step = _list_on_the_way(item, name)
        if step:
            found: list[tuple[int, dict[str, str]]] = []
            for part in item.lists[step]:
                for at, cells in parts_of(part, (name,)):
                    found.append((at, {**item.cells, **cells}))
            return found
    return [(item.at, item.cells)]


def _list_on_the_way(item: BerItem, name: str) -> str:
    """Give the list of an item that is, or holds, the one that is named; "" = it has none with an element."""
    for each, parts in item.lists.items():
        if parts and (each == name or name.startswith(each + ".")):
            return each
    return ""


def framed(content: bytes) -> list[RecordFrame]:
    """Give the records of a file of TS 32.297. Raises `UnusableFile` FILE_NOT_WHOLE."""
    size = len(content)
    if size < _FILE_HEADER_OCTETS_MIN:
        raise UnusableFile(NOT_WHOLE, f"{size} bytes are no header of TS 32.297")
    told, at = _whole(content, 0, 4), _whole(content, 4, 4)
    count = _whole(content, _COUNT_AT, 4)
    if _NOT_CLOSED in (told, count):
        raise UnusableFile(NOT_WHOLE, "its header says that the file was never closed")
    if told != size:
        raise UnusableFile(NOT_WHOLE, f"its header says {told} bytes and the file has {size}")
    if not _FILE_HEADER_OCTETS_MIN <= at <= size:
        raise UnusableFile(NOT_WHOLE, f"its header says that it is {at} bytes long")
    found: list[RecordFrame] = []
    while at < size:
        head = 5 if size > at + 2 and content[at + 2] >> 5 == _RELEASE_BEYOND else 4
        stop = at + head + _whole(content, at, 2)
        if at + head > size or stop > size:
            raise UnusableFile(NOT_WHOLE, f"the record at byte {at} is cut off")
        found.append(RecordFrame(at, at + head, stop, content[at + 3] >> 5))
        at = stop
    if len(found) != count:
        raise UnusableFile(NOT_WHOLE, f"its header counts {count} records and the file has {len(found)}")
    return found


def bare(content: bytes) -> list[RecordFrame]:
    """Give the records of a file that has nothing but records, with fillers between them.

    Raises `UnusableFile` FILE_NOT_WHOLE where one does not end, since then nobody knows where the next begins.
    """
    size, at = len(content), 0
    found: list[RecordFrame] = []
    while at < size:
        filled = _FILLERS.match(content, at)
        if filled is not None:
            at = filled.end()
            continue
        try:
            _, _, _, after = element(content, at, size)
        except BadBer as bad:
            raise UnusableFile(NOT_WHOLE, f"at byte {bad.at} stands {bad.why}: the file was cut off there") from None
        found.append(RecordFrame(at, at, after, _BER))
        at = after
    return found


def _whole(content: bytes, at: int, octets: int) -> int:
    return int.from_bytes(content[at : at + octets], "big")

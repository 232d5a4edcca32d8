"""Where the records of a file of lines begin and end, without reading it whole: skipped lines and the trailer off."""

from collections.abc import Iterator
from mmap import mmap

from msgspec import Struct

from mediation.decoding.lines import BREAKS, check_count, check_trailer
from mediation.formats.format import FrameLines

Content = bytes | mmap


class LinePiece(Struct, frozen=True):
    """Whole lines of a file, one after the other."""

    number: int
    """Of its first line."""
    content: bytes


class FramedLines:
    """The lines of one file between those that are skipped and its trailer."""

    def __init__(self, content: Content, rules: FrameLines, encoding: str) -> None:
        """Raises `UnusableFile` FILE_NOT_WHOLE when there is no trailer that there should be."""
        self._content = content
        self._rules = rules
        self._begin = _behind(content, rules.skip)
        self._end = len(content)
        self._trailer = ""
        if rules.trailer:
            self._trailer = self._cut_trailer(encoding)

    def pieces(self, bytes_max: int) -> Iterator[LinePiece]:
        """Give all lines in pieces of about `bytes_max`; a longer line is a piece of its own."""
        at, number = self._begin, self._rules.skip + 1
        while at < self._end:
            stop = self._end
            if at + bytes_max < stop:
                found = self._content.rfind(b"\n", at, at + bytes_max)
                found = self._content.find(b"\n", at + bytes_max, stop) if found < 0 else found
                stop = found + 1 if found >= 0 else stop
            piece = bytes(self._content[at:stop])
            yield LinePiece(number, piece)
            number += piece.count(b"\n")
            at = stop

    def check(self, records: int) -> None:
        """Hold the lines that are no header to what the trailer counts. Raises `UnusableFile` FILE_NOT_WHOLE."""
        if self._rules.count is not None:
            check_count(self._trailer, self._rules.count, records)

    def _cut_trailer(self, encoding: str) -> str:
        """Take off the last line that is not empty, and give it."""
        content, end = self._content, self._end
        line, start = b"", end
        while end > self._begin and not line.strip():
            start = content.rfind(b"\n", self._begin, end) + 1 or self._begin
            line, end = bytes(content[start:end]), start - 1
        last = line.rstrip(BREAKS).decode(encoding, "replace") if line.strip() else ""
        check_trailer(last, self._rules, ended=content[len(content) - 1 :] == b"\n")
        self._end = start
        return last


def _behind(content: Content, lines: int) -> int:
    """Give where the line behind so many lines begins."""
    at = 0
    for _ in range(lines):
        found = content.find(b"\n", at)
        if found < 0:
            return len(content)
        at = found + 1
    return at

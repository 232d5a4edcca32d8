"""Accounting of RADIUS as FreeRADIUS writes it into detail files: a line that says when, then an attribute a line.

The counters of octets are 32 bits wide, and how often they ran over stands beside them (RFC 2869, 5.1); here they are
one number. Each record is as far as an empty line reaches.
"""

import re
from collections.abc import Iterator
from typing import Final, final

from mediation.records import NOT_WHOLE, RAW_BYTES_MAX, FoundRow, RecordPlace, UnreadRecord, UnusableFile

_ATTRIBUTE: Final = re.compile(r"[ \t]+([A-Za-z0-9][A-Za-z0-9:._-]*)[ \t]*(?:\+=|:=|==|=)[ \t]*(.*)")
_ESCAPED: Final = re.compile(r'\\([\\"nrt]|[0-7]{3})')
_CONTROLS: Final = {"n": "\n", "r": "\r", "t": "\t"}
_RUN_OVER: Final = 1 << 32
_RECORD: Final = re.compile(rb"[^\s][^\n]*(?:\n[ \t]+[^\s][^\n]*)*(?:\n|\Z)")
_ENDED: Final = re.compile(rb"\n[ \t\r]*\n\Z")


@final
class RadiusReader:
    """Reads detail files."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding

    def rows(self, content: bytes) -> Iterator[FoundRow]:
        """Give the attributes of each record; `position` is the byte at which it begins.

        Raises `UnusableFile` FILE_NOT_WHOLE when the last record was not finished.
        """
        if content.strip() and _ENDED.search(content) is None:
            raise UnusableFile(NOT_WHOLE, "no empty line is behind its last record: the file was cut off")
        for found in _RECORD.finditer(content):
            raw = found.group().rstrip(b"\r\n")
            place = RecordPlace(found.start(), raw[:RAW_BYTES_MAX])
            if len(raw) > RAW_BYTES_MAX:
                text = f"it has {len(raw)} bytes, more than {RAW_BYTES_MAX}"
                yield UnreadRecord("RECORD_TOO_LARGE", text, place)
                continue
            try:
                yield attributes(raw.decode(self._encoding)), place
            except UnicodeDecodeError as error:
                why = f"byte {error.start + 1} of it is no {self._encoding}"
                yield UnreadRecord("RECORD_MALFORMED", why, place)
            except ValueError as error:
                yield UnreadRecord("RECORD_MALFORMED", str(error), place)


def attributes(text: str) -> dict[str, str]:
    """Give the attributes of a record; of one that is there several times, the first. Raises `ValueError`."""
    head, _, rest = text.partition("\n")
    cells = {"Detail-Time": head.strip()}
    for line in rest.splitlines():
        match = _ATTRIBUTE.fullmatch(line.rstrip())
        if match is None:
            raise ValueError(f"{line.strip()[:40]!r} is no attribute")
        cells.setdefault(match[1], _plain(match[2]))
    for name in ("Input", "Output"):
        octets, words = cells.get(f"Acct-{name}-Octets"), cells.get(f"Acct-{name}-Gigawords")
        if octets is not None and words is not None and octets.isdecimal() and words.isdecimal():
            cells[f"Acct-{name}-Octets"] = str(int(words[:10]) * _RUN_OVER + int(octets[:10]))
    return cells


def _plain(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return _ESCAPED.sub(_unescaped, value[1:-1])
    return value


def _unescaped(match: re.Match[str]) -> str:
    text = match[1]
    return chr(int(text, 8)) if len(text) == 3 else _CONTROLS.get(text, text)

"""Cursors of pages: where the next one begins, in a text that holds for one list alone.

    base64url( CRC of the rest (4 bytes) · mark of the list (8) · msgpack of (place, told) )

The mark is that of the view, the account and all that narrows it. Nobody gains by making a cursor: it says where to go
on in one's own list, and whoever reads the list bounds the place again. The sum tells what was cut off or mistyped.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from hashlib import blake2b
from zlib import crc32

import msgspec

from appserver.reading.narrowing import Narrowing, page_malformed
from appserver.reading.request import QueryRequest
from charging.base.bounds import OPEN_END
from charging.errors import Invalid

_HEADER = struct.Struct("<I")
_MARK_BYTES = 8

Place = tuple[int | str, int]
"""Where the next page begins: a position or a name, and how much of what stands there was told."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Place).decode


def cursor_after(place: int | str, told: int, query: QueryRequest, of: str) -> str:
    """Write where the next page of a list begins; `of` is whose list it is, such as an account."""
    rest = _mark(query, of) + _pack((place, told))
    return urlsafe_b64encode(_HEADER.pack(crc32(rest)) + rest).decode().rstrip("=")


def place_in(query: QueryRequest, of: str) -> Place | None:
    """Read where a page begins; None = with the first row. Raises `Invalid` PAGE_MALFORMED, PAGE_FOREIGN."""
    text = query.narrowing.page_cursor
    if not text:
        return None
    try:
        whole = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        (told,) = _HEADER.unpack_from(whole)
        rest = whole[_HEADER.size :]
        if crc32(rest) != told:
            raise ValueError("it is not whole")
        place: Place = _unpack(rest[_MARK_BYTES:])
    except (ValueError, Error, struct.error, msgspec.MsgspecError) as error:
        raise page_malformed() from error
    if rest[:_MARK_BYTES] != _mark(query, of):
        raise page_foreign()
    return place


def position_in(query: QueryRequest, of: str) -> tuple[int, int]:
    """Read a place that is a position of a journal; (0, 0) = the first page. Raises as `place_in`."""
    match place_in(query, of):
        case None:
            return 0, 0
        case (int(position), told) if 0 < position < OPEN_END and 0 <= told < OPEN_END:
            return position, told
    raise page_foreign()


def name_in(query: QueryRequest, of: str) -> str:
    """Read a place that is a name, of the last row told; "" = the first page. Raises as `place_in`."""
    match place_in(query, of):
        case None:
            return ""
        case (str(name), _):
            return name
    raise page_foreign()


def page_foreign() -> Invalid:
    """Make the fault of a cursor of another list."""
    text = "`next_cursor` of a page of this list, or nothing for its first page"
    return Invalid("PAGE_FOREIGN", f"the cursor is of another list: give {text}", fields={"page_cursor": text})


def _mark(query: QueryRequest, of: str) -> bytes:
    asked: Narrowing = query.narrowing
    content = (query.view, of, query.identity, asked.kinds, asked.services, asked.from_ms, asked.to_ms, asked.offerings)
    return blake2b(_pack(content), digest_size=_MARK_BYTES).digest()

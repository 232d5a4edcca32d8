"""Cursors of pages: where the next one begins, in a text that holds for one list alone.

    base64url( CRC of the rest (4 bytes) · mark of the list (8) · msgpack of (place, told) )

The mark is that of all that makes the list what it is. Nobody gains by making a cursor: it says where to go on in one's
own list, and whoever reads the list bounds the place again. The sum tells what was cut off or mistyped.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from hashlib import blake2b
from zlib import crc32

import msgspec

from appserver.reading.narrowing import CURSOR_CHARS_MAX, page_malformed
from charging.errors import Invalid

_HEADER = struct.Struct("<I")
_MARK_BYTES = 8

Place = tuple[int | str, int]
"""Where the next page begins: a position or a name, and how much of what stands there was told; or a name, and of which
part of the list."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Place).decode


def write_cursor(place: int | str, told: int, of: object) -> str:
    """Write where the next page of a list begins; `of` is what makes it this list, and can be packed."""
    rest = _mark(of) + _pack((place, told))
    return urlsafe_b64encode(_HEADER.pack(crc32(rest)) + rest).decode().rstrip("=")


def read_cursor(text: str, of: object) -> Place | None:
    """Read where a page begins; None = with the first row. Raises `Invalid` PAGE_MALFORMED, PAGE_FOREIGN."""
    if not text:
        return None
    if len(text) > CURSOR_CHARS_MAX:
        raise page_malformed()
    try:
        whole = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        (told,) = _HEADER.unpack_from(whole)
        rest = whole[_HEADER.size :]
        if crc32(rest) != told:
            raise ValueError("it is not whole")
        place: Place = _unpack(rest[_MARK_BYTES:])
    except (ValueError, Error, struct.error, msgspec.MsgspecError) as error:
        raise page_malformed() from error
    if rest[:_MARK_BYTES] != _mark(of):
        raise page_foreign()
    return place


def page_foreign() -> Invalid:
    """Make the fault of a cursor of another list."""
    text = "`next_cursor` of a page of this list, or nothing for its first page"
    return Invalid("PAGE_FOREIGN", f"the cursor is of another list: give {text}", fields={"page_cursor": text})


def _mark(of: object) -> bytes:
    return blake2b(_pack(of), digest_size=_MARK_BYTES).digest()

"""Cursors: where a watcher stands in each journal, in one text that only this system makes.

    base64url( layout · CRC of the rest (4 bytes) · seal (24) · msgpack of {slot: (group, entry)} )

What was cut off or mistyped is told apart from what another system made: the sum holds there, the seal does not.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Mapping
from zlib import crc32

import msgspec

from charging.errors import Invalid
from evidence.keys import SEAL_BYTES, KeyRing, Unproven

Place = tuple[int, int]
"""The next group, and the next entry in it."""
LAYOUT = 1
CURSOR_CHARS_MAX = 200_000
"""Some ten thousand slots."""
_HEADER = struct.Struct("<BI")
_PERSON = b"onetier cursor\0"

_pack = msgspec.msgpack.Encoder(order="sorted").encode
_unpack = msgspec.msgpack.Decoder(dict[str, Place]).decode


def write_cursor(places: Mapping[str, Place], ring: KeyRing) -> str:
    """Write where a watcher stands."""
    body = _pack(dict(places))
    rest = ring.seal(_PERSON + body) + body
    return urlsafe_b64encode(_HEADER.pack(LAYOUT, crc32(rest)) + rest).decode().rstrip("=")


def read_cursor(text: str, ring: KeyRing) -> dict[str, Place]:
    """Read a cursor. Raises `Invalid` CURSOR_MALFORMED, CURSOR_FOREIGN."""
    try:
        if len(text) > CURSOR_CHARS_MAX:
            raise ValueError("it is too long")
        whole = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        layout, told = _HEADER.unpack_from(whole)
        rest = whole[_HEADER.size :]
        if layout != LAYOUT or crc32(rest) != told or len(rest) < SEAL_BYTES:
            raise ValueError("it is not whole")
    except (ValueError, Error, struct.error) as error:
        raise _malformed() from error
    seal, body = rest[:SEAL_BYTES], rest[SEAL_BYTES:]
    try:
        ours = ring.holds(_PERSON + body, seal)
    except Unproven:
        ours = False
    if not ours:
        raise foreign("another system made it")
    try:
        places = _unpack(body)
    except msgspec.MsgspecError as error:
        raise _malformed() from error
    return places


def foreign(why: str) -> Invalid:
    """Make the fault of a cursor that is none of this feed's."""
    wanted = "`cursor` of a batch of this system"
    return Invalid("CURSOR_FOREIGN", f"the cursor is of another feed: {why}", fields={"cursor": wanted})


def _malformed() -> Invalid:
    wanted = "`cursor` of a batch, to the letter"
    return Invalid("CURSOR_MALFORMED", "the cursor can't be read", fields={"cursor": wanted})

"""How a group of journal entries is laid out, so that each entry can be found, and read, alone.

    0xC1 · layout · blocks (2 bytes) · entries (4)    0xC1 begins no msgpack value
    entries × 4 bytes                                 mark of each entry's account
    blocks × 4 bytes                                  size of each block
    blocks                                            a msgpack array of the packed entries each, as byte strings

All numbers are little-endian. A block has `BLOCK_ENTRIES` entries, the last one what is left, and is compressed when it
is worth it: entries resemble each other, and a store writes each byte several times. Whoever looks for an account's
entries compares marks and opens the blocks that hold them. An entry that can't be read hides no other.
"""

import struct
from collections.abc import Sequence
from zlib import crc32

import msgspec
import numpy as np
import zstandard
from msgspec import Struct

from runtime.inflate import Inflated, unzstd

LAYOUT = 1
BLOCK_ENTRIES = 128
COMPRESSED_BYTES_MIN = 1_024
PLAIN_BYTES_MAX = 1 << 26
"""Far above any block: what claims to be larger is none of ours."""

ENTRY_OVERHEAD_BYTES = 48
"""Of an opened entry in memory, besides itself."""

_HEADER = struct.Struct("<BBHI")
_SIZE_BYTES = 4
_MAGIC = 0xC1

_compress = zstandard.ZstdCompressor(level=1).compress
_pack_block = msgspec.msgpack.Encoder().encode
_unpack_block = msgspec.msgpack.Decoder(list[bytes]).decode


def account_mark(account_id: str) -> int:
    """32 bits of an account id; part of the data, never change it. Two accounts may have the same."""
    return crc32(account_id.encode())


def pack_frame(parts: Sequence[bytes], marks: Sequence[int]) -> bytes:
    """Lay packed entries out, each with the mark of its account."""
    blocks = [
        compress(_pack_block(parts[start : start + BLOCK_ENTRIES])) for start in range(0, len(parts), BLOCK_ENTRIES)
    ]
    header = _HEADER.pack(_MAGIC, LAYOUT, len(blocks), len(parts))
    index = np.array(marks, "<u4").tobytes()
    sizes = np.array([len(block) for block in blocks], "<u4").tobytes()
    return b"".join((header, index, sizes, *blocks))


class SetAside(Struct, frozen=True):
    """An entry that can't be read."""

    index: int
    """Its place in the group."""
    mark: int
    """`account_mark` of its account."""
    account_id: str
    """Empty when that can't be read either."""
    why: str


class Frame:
    """A group's payload, opened as far as it is asked for."""

    __slots__ = ("_ends", "_marks", "_opened", "_payload", "size", "weight")

    def __init__(self, payload: bytes) -> None:
        """Raises `msgspec.DecodeError` for what is no group."""
        if len(payload) < _HEADER.size:
            raise msgspec.DecodeError("the payload is no group of entries: it is too short")
        magic, layout, blocks, size = _HEADER.unpack_from(payload)
        if magic != _MAGIC or layout != LAYOUT or blocks != -(-size // BLOCK_ENTRIES):
            raise msgspec.DecodeError(f"the payload is no group of entries of layout {LAYOUT}")
        marks_end = _HEADER.size + _SIZE_BYTES * size
        sizes_end = marks_end + _SIZE_BYTES * blocks
        if len(payload) < sizes_end:
            raise msgspec.DecodeError("the group's index is cut off")
        self.size = int(size)
        """How many entries it has."""
        self._payload = payload
        self._marks = np.frombuffer(payload, "<u4", size, _HEADER.size)
        sizes = np.frombuffer(payload, "<u4", blocks, marks_end)
        self._ends = [sizes_end, *(sizes_end + np.cumsum(sizes, dtype=np.int64)).tolist()]
        if self._ends[-1] != len(payload):
            raise msgspec.DecodeError(f"the group has {len(payload)} bytes and claims {self._ends[-1]}")
        self._opened: dict[int, list[bytes]] = {}
        self.weight = len(payload)
        """Bytes that it holds, opened blocks included."""

    def mark(self, index: int) -> int:
        """The mark of an entry's account."""
        return int(self._marks[index])

    def places_of(self, mark: int) -> list[int]:
        """Where entries with this mark are, in order."""
        places: list[int] = np.flatnonzero(self._marks == mark).tolist()
        return places

    def part(self, index: int) -> bytes:
        """One packed entry. Raises `msgspec.DecodeError` when its block can't be opened."""
        block, place = divmod(index, BLOCK_ENTRIES)
        return self.block(block)[place]

    def block(self, block: int) -> list[bytes]:
        """The packed entries of one block. Raises `msgspec.DecodeError` when it can't be opened."""
        parts = self._opened.get(block)
        if parts is None:
            plain = decompress(self._payload[self._ends[block] : self._ends[block + 1]])
            parts = _unpack_block(plain)
            if len(parts) != min(BLOCK_ENTRIES, self.size - block * BLOCK_ENTRIES):
                raise msgspec.DecodeError(f"block {block} has {len(parts)} entries, which is not what the group says")
            self._opened[block] = parts
            self.weight += len(plain) + ENTRY_OVERHEAD_BYTES * len(parts)
        return parts


def compress(plain: bytes) -> bytes:
    """Compress a packed array, when it is worth it."""
    return _compress(plain) if len(plain) >= COMPRESSED_BYTES_MIN else plain


def decompress(payload: bytes) -> bytes:
    """Give the packed array, compressed or not. Raises `msgspec.DecodeError`."""
    if not payload.startswith(zstandard.FRAME_HEADER):
        return payload
    try:
        return unzstd(payload, PLAIN_BYTES_MAX)
    except Inflated as error:
        raise msgspec.DecodeError(str(error)) from error

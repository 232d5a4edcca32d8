"""Groups of journal entries: one open, at most one in flight, and the replies that wait for each."""

from collections import OrderedDict
from typing import Protocol

import msgspec
import zstandard
from msgspec import Raw

from charging.entry import Entry
from charging.errors import Invalid
from domainservers.contracts import Known
from domainservers.keys import POSITIONS_PER_GROUP
from runtime.inflate import Inflated, unzstd
from storage.unit import PAYLOAD_BYTES_MAX

ARRAY_HEADER_BYTES = 5
COMPRESSED_BYTES_MIN = 1_024
PLAIN_BYTES_MAX = 1 << 28
"""Far above any group: what claims to be larger is no group of ours."""
ENTRY_BYTES_MAX = PAYLOAD_BYTES_MAX // 2
"""A larger one is refused alone; in a group, the store would refuse the group and with it all its neighbours."""

_compress = zstandard.ZstdCompressor(level=1).compress
_pack_entry = msgspec.msgpack.Encoder().encode
_unpack_entry = msgspec.msgpack.Decoder(Entry).decode
_unpack_entries = msgspec.msgpack.Decoder(list[Entry]).decode
_unpack_raws = msgspec.msgpack.Decoder(list[Raw]).decode


class Sink(Protocol):
    """Where the replies of a batch go. Answering a position twice, or after the deadline, has no effect."""

    deadline: float
    """Time of the event loop, seconds."""

    def answer(self, position: int, body: bytes) -> None:
        """Give the packed answer of one item."""
        ...


class Group:
    """Entries that are journaled together. `seq` is the sequence it will have."""

    __slots__ = ("changed", "parts", "seq", "size", "waiters")

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.parts: list[bytes] = []
        self.size = ARRAY_HEADER_BYTES
        self.waiters: list[tuple[Sink, int, bytes]] = []
        self.changed: list[Known] = []
        """Contracts to write once it is applied."""


def pack_entries(parts: list[bytes]) -> bytes:
    """Join packed entries to a group's payload: one msgpack array, compressed when it is worth it.

    Entries of a group resemble each other, and a store writes each byte several times (log, table, Paxos).
    """
    return compress(b"".join((b"\xdd", len(parts).to_bytes(4, "big"), *parts)))


def compress(plain: bytes) -> bytes:
    """Compress a packed array, when it is worth it."""
    return _compress(plain) if len(plain) >= COMPRESSED_BYTES_MIN else plain


def unpack_entries(payload: bytes) -> list[Entry]:
    """Read all entries of a payload. Raises `msgspec.DecodeError`."""
    return _unpack_entries(decompress(payload))


def unpack_at(payload: bytes, index: int) -> Entry:
    """Read one entry of a payload; the others are only skipped."""
    return _unpack_entry(_unpack_raws(decompress(payload))[index])


def decompress(payload: bytes) -> bytes:
    """Give the packed array, compressed or not. Raises `msgspec.DecodeError`."""
    if not payload.startswith(zstandard.FRAME_HEADER):
        return payload
    try:
        return unzstd(payload, PLAIN_BYTES_MAX)
    except Inflated as error:
        raise msgspec.DecodeError(str(error)) from error


class Groups:
    """The groups of a slot. What is decided goes into the open one."""

    def __init__(self, applied: int, entries_max: int, bytes_max: int, kept_entries_max: int) -> None:
        self.applied = applied
        """Sequence of the last group known to be durable."""
        self.open = Group(applied + 1)
        self.flying: Group | None = None
        self._entries_max = min(entries_max, POSITIONS_PER_GROUP)
        self._bytes_max = min(bytes_max, PAYLOAD_BYTES_MAX - ENTRY_BYTES_MAX)
        self._kept: OrderedDict[int, list[bytes]] = OrderedDict()
        self._kept_entries = 0
        self._kept_entries_max = kept_entries_max

    @property
    def full(self) -> bool:
        """The open group takes no more."""
        return len(self.open.parts) >= self._entries_max or self.open.size >= self._bytes_max

    def add(self, entry: Entry) -> int:
        """Put an entry into the open group and give its position. Raises `Invalid` ENTRY_TOO_LARGE, nothing done."""
        group = self.open
        part = _pack_entry(entry)
        if len(part) > ENTRY_BYTES_MAX:
            text = f"the journal takes {ENTRY_BYTES_MAX} bytes for one request, this one would need {len(part)}"
            raise Invalid("ENTRY_TOO_LARGE", f"{text}: send less in it")
        group.parts.append(part)
        group.size += len(part)
        return group.seq * POSITIONS_PER_GROUP + len(group.parts) - 1

    def reply(self, seq: int, sink: Sink, position: int, body: bytes) -> None:
        """Answer once group `seq` is applied, at once when it is."""
        if seq <= self.applied:
            sink.answer(position, body)
        elif self.flying is not None and self.flying.seq == seq:
            self.flying.waiters.append((sink, position, body))
        else:
            self.open.waiters.append((sink, position, body))

    def close(self) -> Group:
        """Send the open group off and open the next one."""
        group = self.open
        self.flying = group
        self.open = Group(group.seq + 1)
        return group

    def landed(self) -> Group:
        """The group in flight is durable: give it back, its waiters taken out for delivery."""
        group = self.flying
        assert group is not None, "no group is in flight"
        self.flying = None
        self.applied = group.seq
        self._kept[group.seq] = group.parts
        self._kept_entries += len(group.parts)
        while self._kept_entries > self._kept_entries_max and len(self._kept) > 1:
            self._kept_entries -= len(self._kept.popitem(last=False)[1])
        return group

    def entry_at(self, position: int) -> Entry | None:
        """A recent entry; None when it must be read from the journal."""
        seq, index = divmod(position, POSITIONS_PER_GROUP)
        parts = self._kept.get(seq)
        if parts is None:
            for group in (self.flying, self.open):
                if group is not None and group.seq == seq:
                    parts = group.parts
        return _unpack_entry(parts[index]) if parts is not None else None

    def take_waiters(self) -> list[tuple[Sink, int, bytes]]:
        """Give all that wait, and let nothing wait: when the owner stepped down or the store is away."""
        waiting: list[tuple[Sink, int, bytes]] = []
        for group in (self.flying, self.open):
            if group is not None:
                waiting += group.waiters
                group.waiters = []
        return waiting

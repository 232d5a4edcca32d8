"""Groups of journal entries: one open, at most one in flight, and the replies that wait for each."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
from msgspec import Raw

from charging.errors import Invalid
from charging.ledger.commands.close_period import ClosePeriod, PeriodClosed
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.post_usage import PostUsage
from charging.ledger.dues import FeePosted
from charging.ledger.entry import Entry
from charging.ledger.history import read_told
from domainservers.journal.framing import BLOCK_ENTRIES, Frame, SetAside, account_mark, pack_frame
from domainservers.journal.keys import POSITIONS_PER_GROUP
from storage.unit import PAYLOAD_BYTES_MAX

ENTRY_BYTES_MAX = PAYLOAD_BYTES_MAX // 2
"""A larger one is refused alone; in a group, the store would refuse the group and with it all its neighbours."""
CHARGE = str(PostCharge.__struct_config__.tag)
CHARGED_KINDS = (CHARGE, str(PostUsage.__struct_config__.tag))
CLOSE = str(ClosePeriod.__struct_config__.tag)

_pack_entry = msgspec.msgpack.Encoder().encode
_unpack_entry = msgspec.msgpack.Decoder(Entry).decode
_unpack_start = msgspec.msgpack.Decoder(list[Raw]).decode
_unpack_text = msgspec.msgpack.Decoder(str).decode
DEFECTS = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError, TypeError)
"""What reading and packing raise when something is not what it should be."""


class ReplySink(Protocol):
    """Where the replies of a batch go. Answering a position twice, or after the deadline, has no effect."""

    deadline: float
    """Time of the event loop, seconds."""

    def answer(self, position: int, body: bytes) -> None:
        """Give the packed answer of one item."""
        ...


class Released:
    """The group whose answers are being given out."""

    __slots__ = ("entries", "seq", "since_s", "took_s")

    def __init__(self, seq: int, entries: int, since_s: float, took_s: float) -> None:
        self.seq = seq
        self.entries = entries
        self.since_s = since_s
        """When it was sent off, of the loop's time."""
        self.took_s = took_s
        """Until it was durable."""


WhenOurs = Callable[[ReplySink, int, Callable[[], None]], None]
"""Calls what answers once nobody can have taken the slot over; see `domainservers.slot.proving`."""


class EntryGroup:
    """Entries that are journaled together. `seq` is the sequence it will have."""

    __slots__ = ("effects", "let_go", "marks", "parts", "patient", "seq", "size", "waiters")

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.parts: list[bytes] = []
        self.marks: list[int] = []
        """Of the entries' accounts, `framing.account_mark`."""
        self.size = 0
        self.waiters: list[tuple[ReplySink, int, bytes]] = []
        self.effects: list[Callable[[], None]] = []
        """What is done once it is applied, in order: records to be written behind it."""
        self.patient = 0
        """Entries of it that nobody is in a hurry about."""
        self.let_go = False
        """Those have waited for more of their kind for long enough."""


def pack_entries(parts: Sequence[bytes], marks: Sequence[int] | None = None) -> bytes:
    """Join packed entries to a group's payload; `marks` are their accounts', read from the entries when not given."""
    return pack_frame(parts, marks if marks is not None else [account_mark(_account_of(part)) for part in parts])


def read_back(payload: bytes, parts: list[bytes]) -> None:
    """Make sure that a packed group gives back what went into it. Raises `msgspec.DecodeError` when it does not.

    What charges are made of, a plain one or many uses, and bills came through the reader of `charging.wire` and through
    `charging.ledger.within`, so their entry is of the right types: one in each block is decoded all the same. All
    others were decoded when added.
    """
    frame = Frame(payload)
    if frame.size != len(parts):
        raise msgspec.DecodeError(f"the group has {frame.size} entries instead of {len(parts)}")
    for start in range(0, len(parts), BLOCK_ENTRIES):
        block = frame.block(start // BLOCK_ENTRIES)
        _unpack_entry(block[0])
        if block != parts[start : start + BLOCK_ENTRIES]:
            raise msgspec.DecodeError(f"entries from {start} on are not what was packed")


def unpack_group(payload: bytes) -> tuple[list[tuple[int, Entry]], list[SetAside]]:
    """Read the entries of a payload, each with its place, and name those that can't be read.

    Raises `msgspec.DecodeError` when the payload is no group at all.
    """
    frame = Frame(payload)
    entries: list[tuple[int, Entry]] = []
    aside: list[SetAside] = []
    for index in range(frame.size):
        part = b""
        try:
            part = frame.part(index)
            entries.append((index, _unpack_entry(part)))
        except DEFECTS as error:
            aside.append(SetAside(index, frame.mark(index), _account_of(part), str(error)[:200]))
    return entries, aside


def unpack_entries(payload: bytes) -> list[Entry]:
    """Read all entries of a payload, oldest first. Raises `msgspec.DecodeError` when one can't be read."""
    entries, aside = unpack_group(payload)
    if aside:
        raise msgspec.DecodeError(f"entry {aside[0].index} can't be read: {aside[0].why}")
    return [entry for _, entry in entries]


def unpack_of(frame: Frame, account_id: str) -> list[tuple[int, Entry]]:
    """Read an account's entries in a group with their places, oldest first; the others are not even looked at.

    Raises `msgspec.DecodeError` when one of them can't be read.
    """
    try:
        found = [(place, _unpack_entry(frame.part(place))) for place in frame.places_of(account_mark(account_id))]
    except DEFECTS as error:
        raise msgspec.DecodeError(f"an entry of {account_id[:64]} can't be read: {str(error)[:200]}") from error
    return [placed for placed in found if placed[1].account_id == account_id]


def unpack_at(frame: Frame, index: int) -> Entry:
    """Read one entry. Raises `msgspec.DecodeError` when it can't be read."""
    if index >= frame.size:
        raise msgspec.DecodeError(f"the group has {frame.size} entries and none at {index}")
    try:
        return _unpack_entry(frame.part(index))
    except DEFECTS as error:
        raise msgspec.DecodeError(f"entry {index} can't be read: {str(error)[:200]}") from error


def _account_of(part: bytes) -> str:
    """Read the account id at the beginning of an entry of which perhaps nothing else can be read."""
    try:
        return _unpack_text(_unpack_start(part)[0])
    except (*DEFECTS, IndexError):
        return ""


def _came_typed(entry: Entry) -> bool:
    """Say whether what an entry is made of came through the reader of `charging.wire`: charges, and a bill alone."""
    events = entry.events
    if not events:
        return False
    if entry.kind in CHARGED_KINDS:
        return True
    # What else a closing entails, as settling or passing its bill on, is made here, and read back like all that is.
    return entry.kind == CLOSE and all(type(event) is PeriodClosed or type(event) is FeePosted for event in events)


def _checked(entry: Entry) -> bytes:
    """Pack an entry, and read it back as recovery will. Raises `Invalid` ENTRY_TOO_LARGE, ENTRY_UNREADABLE."""
    try:
        part = _pack_entry(entry)
        if len(part) > ENTRY_BYTES_MAX:
            text = f"the journal takes {ENTRY_BYTES_MAX} bytes for one request, this one would need {len(part)}"
            raise Invalid("ENTRY_TOO_LARGE", f"{text}: send less in it")
        if not _came_typed(entry):
            again = _unpack_entry(part)
            read_told(again)
            if _pack_entry(again) != part:
                raise msgspec.DecodeError("it reads as something else")
    except DEFECTS as error:
        text = "nothing was done: what the journal would keep of the request could not be read again"
        raise Invalid("ENTRY_UNREADABLE", f"{text} ({str(error)[:200]})") from error
    return part


class Groups:
    """The groups of a slot. What is decided goes into the open one."""

    def __init__(self, applied: int, entries_max: int, bytes_max: int, kept_entries_max: int) -> None:
        self.applied = applied
        """Sequence of the last group known to be durable."""
        self.open = EntryGroup(applied + 1)
        self.flying: EntryGroup | None = None
        self.full = False
        """The open group takes no more."""
        self.released: Released | None = None
        """That whose answers are given out just now."""
        self._entries_max = min(entries_max, POSITIONS_PER_GROUP)
        self._bytes_max = min(bytes_max, PAYLOAD_BYTES_MAX - ENTRY_BYTES_MAX)
        self._kept: OrderedDict[int, list[bytes]] = OrderedDict()
        self._kept_entries = 0
        self._kept_entries_max = kept_entries_max

    @property
    def pressing(self) -> bool:
        """Something is in the open group that is to be journaled now: it, or an answer that rests on it, can't wait."""
        group = self.open
        parts = len(group.parts)
        return parts > 0 and (parts > group.patient or len(group.waiters) > parts or group.let_go)

    @property
    def resting(self) -> bool:
        """Nothing is decided that is not applied."""
        return self.flying is None and not self.open.parts

    def when_applied(self, effect: Callable[[], None]) -> None:
        """Do something once what is in the open group is applied, before anybody is told of a later group."""
        self.open.effects.append(effect)

    def add(self, entry: Entry) -> int:
        """Put an entry into the open group and give its position.

        Raises `Invalid` ENTRY_TOO_LARGE, ENTRY_UNREADABLE with nothing done.
        """
        group = self.open
        part = _checked(entry)
        group.parts.append(part)
        group.marks.append(account_mark(entry.account_id))
        group.size += len(part)
        entries = len(group.parts)
        self.full = entries >= self._entries_max or group.size >= self._bytes_max
        return group.seq * POSITIONS_PER_GROUP + entries - 1

    def reply(self, seq: int, sink: ReplySink, position: int, body: bytes) -> None:
        """Answer once group `seq` is applied, at once when it is.

        `seq` is at most that of the open group.
        """
        if seq <= self.applied:
            sink.answer(position, body)
        elif self.flying is not None and self.flying.seq == seq:
            self.flying.waiters.append((sink, position, body))
        else:
            self.open.waiters.append((sink, position, body))

    def close(self) -> EntryGroup:
        """Send the open group off and open the next one. Nothing may be in flight: its group would be forgotten.

        What is decided from here on is in the next group and may rest on this one: a group is never given up, it lands
        or the slot is lost.
        """
        group = self.open
        self.flying = group
        self.open = EntryGroup(group.seq + 1)
        self.full = False
        return group

    def landed(self) -> EntryGroup:
        """The group in flight is durable: give it back, its waiters taken out for delivery."""
        group = self.flying
        assert group is not None, "no group is in flight"
        self.flying = None
        self.applied = group.seq
        self._kept[group.seq] = group.parts
        self._kept_entries += len(group.parts)
        # Whole groups go, oldest first; the newest stays, whatever its size, for the repeats that come at once.
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

    def take_waiters(self) -> list[tuple[ReplySink, int, bytes]]:
        """Give all that wait, and let nothing wait: when the owner stepped down or the store is away.

        Those of the group in flight come first. The groups themselves stay: what they hold may still be applied.
        """
        waiting: list[tuple[ReplySink, int, bytes]] = []
        for group in (self.flying, self.open):
            if group is not None:
                waiting += group.waiters
                group.waiters = []
        return waiting

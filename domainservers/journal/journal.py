"""The fenced journal of one slot: claim it, append groups to it, roll it, read it back with proof.

A journal is a chain of segments; each holds groups chained by `tip' = blake2b(tip ‖ group)` with a key that no store
holds (`evidence.keys`). Every write is a compare-and-set on (epoch, tip, not sealed), so an owner that was paused or
cut off learns it at its next write and raises `Fenced`. See DESIGN.md of this room for the failure analysis.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from hashlib import blake2b
from types import MappingProxyType

from msgspec import Struct

from evidence.keys import PROCESS_RING, KeyRing, Unproven
from storage.unit import ABSENT, Group, Head, StoreUnavailable, Unit

MOVED = "moved:"
"""Owner of the last, sealed segment of a journal that goes on at another address."""
CLAIM_ROUNDS_MAX = 200
BACKOFF_MS = (5, 20, 50, 100, 200, 500)


class Fenced(Exception):
    """Another owner holds the journal; nothing was appended by us since, and nothing will be."""


class JournalMoved(Exception):
    """The journal goes on in another unit; the directory will say where."""


class Corrupt(Exception):
    """The chain does not hold: a group is missing or was changed. The message says where."""


class Segment(Struct, frozen=True, array_like=True):
    """Where a segment begins, enough to verify the chain from there on."""

    number: int
    """Counts from 0."""
    first_seq: int
    """Sequence of its first group, written or yet to come."""
    start_tip: bytes
    """The tip before that group."""
    opened_ms: int
    """Age of the slot then (`domainservers.base.clock.Age`), no time of day; 0 = not known to who reads the chain."""


class Position(Struct, frozen=True, array_like=True):
    """A place in the chain: the group `seq` is in `segment`, and the tip after it."""

    segment: int
    seq: int
    """-1 = before the first group of all."""
    tip: bytes


class Mark(Struct, frozen=True):
    """What somebody knows of a chain: the tip after a group."""

    tip: bytes
    where: str
    """Who knows it, for people."""


NO_MARKS: Mapping[int, Mark] = MappingProxyType({})


def genesis(name: str) -> bytes:
    """The tip before the first group."""
    return blake2b(name.encode(), digest_size=32).digest()


class Journal:
    """An owned journal. One commit at a time; any `Fenced` is final."""

    def __init__(
        self, unit: Unit, name: str, head: Head, segments: Sequence[Segment], ring: KeyRing = PROCESS_RING
    ) -> None:
        self._unit = unit
        self._ring = ring
        self.name = name
        self.head = head
        self.segments = list(segments)
        self.segment_bytes = 0

    @property
    def position(self) -> Position:
        """Where the chain stands."""
        return Position(self.segments[-1].number, self.head.seq, self.head.tip)

    @property
    def segment_groups(self) -> int:
        """Groups in the open segment."""
        return self.head.seq - self.segments[-1].first_seq + 1

    async def commit(self, payload: bytes) -> int:
        """Append one group and return its sequence once it is applied.

        Waits as long as the store gives no answer, repeating the identical swap: whether an earlier try was applied
        shows in the tip. Raises `Fenced`.
        """
        head = self.head
        seq = head.seq + 1
        stored = self._ring.stored(payload)
        wanted = Head(head.epoch, head.owner, seq, self._ring.current.next_tip(head.tip, stored), False)
        await self._swap(self.segments[-1].number, head, wanted, Group(seq, stored))
        self.head = wanted
        self.segment_bytes += len(stored)
        return seq

    async def roll(self, now_ms: int) -> None:
        """Seal the open segment and open the next one, `now_ms` being the age of the slot. Raises `Fenced`.

        An owner that dies in between leaves a sealed last segment; the next claim opens the one after it.
        """
        head = self.head
        number = self.segments[-1].number
        sealed = Head(head.epoch, head.owner, head.seq, head.tip, True)
        await self._swap(number, head, sealed, None)
        await self._swap(number + 1, None, head, None)
        self.segments.append(Segment(number + 1, head.seq + 1, head.tip, now_ms))
        self.segment_bytes = 0

    async def _swap(self, segment: int, expect: Head | None, wanted: Head, group: Group | None) -> None:
        attempt = 0
        while True:
            try:
                found = await self._unit.swap(self.name, segment, expect, wanted, group)
            except StoreUnavailable:
                await asyncio.sleep(BACKOFF_MS[min(attempt, len(BACKOFF_MS) - 1)] / 1000)
                attempt += 1
                continue
            if found == wanted:
                return
            raise Fenced(f"{self.name}: epoch {found.epoch} of {found.owner or 'nobody'} is in force")

    async def still_owned(self) -> bool:
        """Ask the store, linearizably, whether the epoch is still ours. Raises `StoreUnavailable`."""
        epoch, segment = self.head.epoch, self.segments[-1].number
        found = await self._unit.head(self.name, segment)
        if found is not None and found.sealed and self.segments[-1].number == segment:
            # Sealed by us a moment ago, or by somebody who goes on in the next segment.
            found = await self._unit.head(self.name, segment + 1) or found
        return found is not None and found.epoch == epoch and found.owner == self.head.owner

    async def drop_before(self, seq: int) -> None:
        """Forget the segments that end before `seq`, oldest first; also what an earlier owner died over.

        Raises `StoreUnavailable`.
        """
        oldest = self.segments[0].number
        while oldest > 0 and await self._unit.head(self.name, oldest - 1) is not None:
            oldest -= 1
        for number in range(oldest, self.segments[0].number):
            await self._unit.drop(self.name, number)
        while len(self.segments) > 1 and self.segments[1].first_seq <= seq:
            await self._unit.drop(self.name, self.segments[0].number)
            del self.segments[0]


async def claim(
    unit: Unit,
    name: str,
    owner: str,
    known: Sequence[Segment],
    now_ms: int,
    ring: KeyRing = PROCESS_RING,
    above_epoch: int = 0,
) -> Journal:
    """Take the journal over: raise the epoch by compare-and-set, then read the head linearizably.

    `owner` must be unique to this claim. `known` are the segments of the newest checkpoint; the chain is followed from
    the last of them. The new epoch is above `above_epoch` too: what is known of a journal that was lost. Raises
    `Fenced` when others keep winning, `JournalMoved`, `Corrupt`, `StoreUnavailable` (then claim again: a claim that did
    apply only costs an epoch).
    """
    segments = list(known) or [Segment(0, 0, genesis(name), now_ms)]
    wanted = await _win(unit, name, owner, segments, bool(known), now_ms, above_epoch)
    confirmed = await unit.head(name, segments[-1].number)
    if confirmed != wanted:
        raise Fenced(f"{name}: another owner was faster")
    return Journal(unit, name, wanted, segments, ring)


async def _win(
    unit: Unit, name: str, owner: str, segments: list[Segment], started: bool, now_ms: int, above_epoch: int
) -> Head:
    head = await unit.head(name, segments[-1].number)
    if head is None and started:
        raise Corrupt(f"{name}: segment {segments[-1].number} of the checkpoint is missing")
    # Each round goes by what the swap before it found: the head as it is now, which may be another claim's, a sealed
    # one to go beyond, or our own.
    for _ in range(CLAIM_ROUNDS_MAX):
        number = segments[-1].number
        if head is None or head == ABSENT:
            wanted = Head(above_epoch + 1, owner, -1, segments[-1].start_tip, False)
            head = await unit.swap(name, number, None, wanted, None)
        elif head.sealed:
            following = await unit.head(name, number + 1)
            if following is None and head.owner.startswith(MOVED):
                raise JournalMoved(f"{name} goes on at {head.owner.removeprefix(MOVED)}")
            segments.append(Segment(number + 1, head.seq + 1, head.tip, now_ms))
            wanted = Head(max(head.epoch, above_epoch) + 1, owner, head.seq, head.tip, False)
            head = following or await unit.swap(name, number + 1, None, wanted, None)
        else:
            wanted = Head(max(head.epoch, above_epoch) + 1, owner, head.seq, head.tip, False)
            head = await unit.swap(name, number, head, wanted, None)
        if head == wanted:
            return wanted
    raise Fenced(f"{name}: others win the epoch again and again")


async def end_of(unit: Unit, name: str, number: int) -> Head | None:
    """Read the head of a journal's newest segment, looking from segment `number` on; None when that is not there."""
    head = await unit.head(name, number)
    while head is not None and head.sealed:
        following = await unit.head(name, number + 1)
        if following is None:
            break
        number, head = number + 1, following
    return head


async def read_chain(
    unit: Unit,
    name: str,
    start: Position,
    ring: KeyRing = PROCESS_RING,
    marks: Mapping[int, Mark] = NO_MARKS,
) -> AsyncIterator[tuple[Segment, Sequence[Group]]]:
    """Read the groups after `start` to the end of the chain in pages, each with its segment, verifying every link.

    What it gives are the payloads as they were committed, without the id of the key. `marks` say by group what others
    know of the chain.

    Raises `Corrupt` at the first link that does not hold, `StoreUnavailable`.
    """
    segment = Segment(start.segment, start.seq + 1, start.tip, 0)
    seq, chain = start.seq, ring.follow(start.tip)
    _check_mark(name, seq, chain.tip, marks)
    head = await unit.head(name, segment.number)
    if head is None:
        raise Corrupt(f"{name}: segment {segment.number} is missing")
    while True:
        # Up to the head that was read before: what an owner appends meanwhile is not looked at, and can't be taken for
        # a gap.
        async for page in unit.read(name, segment.number, seq + 1, head.seq):
            plain: list[Group] = []
            for group in page:
                if group.seq != seq + 1:
                    raise Corrupt(f"{name}: group {seq + 1} of segment {segment.number} is missing")
                seq = group.seq
                try:
                    plain.append(Group(seq, chain.take(group.payload)))
                except Unproven as error:
                    raise Corrupt(f"{name}: group {seq} of segment {segment.number} is not ours: {error}") from error
                if seq in marks:
                    _check_mark(name, seq, chain.tip, marks)
            yield segment, plain
        if seq != head.seq or chain.tip != head.tip:
            raise Corrupt(f"{name}: segment {segment.number} does not add up to its tip at group {head.seq}")
        following = await unit.head(name, segment.number + 1) if head.sealed else None
        if following is None:
            _check_end(name, segment.number, seq, marks)
            return
        segment = Segment(segment.number + 1, seq + 1, chain.tip, 0)
        head = following


def _check_mark(name: str, seq: int, tip: bytes, marks: Mapping[int, Mark]) -> None:
    mark = marks.get(seq)
    if mark is not None and mark.tip != tip:
        raise Corrupt(f"{name}: group {seq} is not the one that {mark.where} knows")


def _check_end(name: str, segment: int, seq: int, marks: Mapping[int, Mark]) -> None:
    """The chain ends here: does anybody know more of it?"""
    known = max(marks, default=seq)
    if known > seq:
        there = f"it ends in segment {segment} at group {seq}, and {marks[known].where} knows group {known}"
        raise Corrupt(f"{name}: segment {segment + 1} is missing: {there}")


def segment_of(segments: Sequence[Segment], seq: int) -> Segment | None:
    """The segment that holds a group; None when it was dropped."""
    for segment in reversed(segments):
        if segment.first_seq <= seq:
            return segment
    return None

"""The list of a journal's segments, when it is long: its older part is in records beside the checkpoint.

A busy slot begins two thousand segments a day and keeps them for months; a checkpoint that named them all would be more
than a store takes in one record. What is in a pack never changes, so it is written once by each owner.
"""

from collections.abc import Sequence

import msgspec

from domainservers.journal.journal import Corrupt, Segment
from domainservers.snapshots.deltas import CHECKPOINT_COLLECTION
from storage.unit import Record, Unit

PACK_SEGMENTS = 1_000
"""Numbers of segments in one pack: some fifty kilobytes."""
PACKS_PER_READ = 8

Older = tuple[int, int]
"""Numbers of the segments that stand in packs: from one, to before another; (0, 0) = none does."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Segment]).decode


def pack_name(pack: int) -> str:
    """Name of a pack in the collection of checkpoints."""
    return f"segments/{pack:08d}"


class SegmentLists:
    """Writes the packs of one slot."""

    def __init__(self, slot: str, older: Older) -> None:
        """`older` is the newest checkpoint's."""
        self._slot = slot
        self._oldest = older[0] // PACK_SEGMENTS
        self._written: set[int] = set()

    def split(self, segments: Sequence[Segment]) -> tuple[Older, tuple[Segment, ...]]:
        """Say which segments are to be in packs, and which the checkpoint names itself, oldest first.

        `segments` are in order and not empty. Only packs that take no more segments count: a pack never changes.
        """
        border = segments[-1].number // PACK_SEGMENTS * PACK_SEGMENTS
        if segments[0].number >= border:
            return (0, 0), tuple(segments)
        return (segments[0].number, border), tuple(each for each in segments if each.number >= border)

    def records(self, segments: Sequence[Segment], older: Older, seq: int) -> list[Record]:
        """Make the packs that this owner has not written yet, oldest first. They must be durable before the checkpoint.

        They count as written by `waste` alone: after a round that failed they are made again.
        """
        records: list[Record] = []
        for pack in range(older[0] // PACK_SEGMENTS, older[1] // PACK_SEGMENTS):
            if pack not in self._written:
                some = [each for each in segments if each.number // PACK_SEGMENTS == pack]
                records.append(Record(CHECKPOINT_COLLECTION, self._slot, pack_name(pack), _encode(some), seq))
        return records

    def waste(self, older: Older, seq: int) -> list[Record]:
        """Note that a checkpoint with `older` is durable, and give the deletions of packs that none needs any more."""
        first = older[0] // PACK_SEGMENTS
        self._written.update(range(first, older[1] // PACK_SEGMENTS))
        gone = range(self._oldest, first)
        self._oldest = max(self._oldest, first)
        return [Record(CHECKPOINT_COLLECTION, self._slot, pack_name(pack), None, seq) for pack in gone]


async def load_segments(unit: Unit, slot: str, older: Older) -> list[Segment]:
    """Read the segments that stand in packs, oldest first.

    Raises `Corrupt` when a pack is missing, `StoreUnavailable`.
    """
    names = [pack_name(pack) for pack in range(older[0] // PACK_SEGMENTS, older[1] // PACK_SEGMENTS)]
    found: list[Segment] = []
    for start in range(0, len(names), PACKS_PER_READ):
        some = names[start : start + PACKS_PER_READ]
        stored = await unit.get(CHECKPOINT_COLLECTION, slot, some)
        for name in some:
            if name not in stored:
                raise Corrupt(f"{slot}: {name}, which the checkpoint names, is missing")
            # The first pack may begin with segments that were dropped since it was written.
            found += [each for each in _decode(stored[name].value) if older[0] <= each.number < older[1]]
    return found

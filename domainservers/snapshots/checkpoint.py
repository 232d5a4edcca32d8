"""The checkpoint from which recovery starts, and beside it the list of accounts that have something open."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from domainservers.journal.journal import Corrupt, Position, Segment
from domainservers.journal.quarantine import Aside
from domainservers.snapshots.deltas import CHECKPOINT_COLLECTION, Delta
from domainservers.snapshots.segment_lists import Older, load_segments
from storage.unit import Record, Unit

NEWEST = "newest"
WATCHED_PER_RECORD_MAX = 2_000
"""Account ids of at most `bounds.ID_BYTES_MAX` bytes each fit a record."""
EPOCH_SHIFT = 40
"""A checkpoint's timestamp is epoch and sequence: of two owners at the same group, the later one's counts."""


class Checkpoint(Struct, frozen=True, array_like=True):
    """Everything up to `position` is in the snapshots."""

    position: Position
    segments: tuple[Segment, ...]
    newest_ms: int
    """Time of the newest entry up to here, UTC; an owner's time never falls behind it."""
    watched_records: int
    """How many records hold the list of accounts with something open."""
    keys_from: tuple[tuple[int, int, int], ...] = ()
    """The key index: (first group that may be in it, age of the slot when its newest key was new, records)."""
    deltas: tuple[Delta, ...] = ()
    """What changed, oldest first: newer than the accounts' own snapshots."""
    gone: tuple[Delta, ...] = ()
    """Deltas that are not needed any more and not deleted yet."""
    set_aside: tuple[Aside, ...] = ()
    """What can't be used of the journal, see `domainservers.journal.quarantine`."""
    age_ms: int = 0
    """Of the slot, see `domainservers.base.clock.Age`; segments and keys are dated by it."""
    older: Older = (0, 0)
    """Segments before those that it names itself, see `domainservers.snapshots.segment_lists`."""
    numbers: dict[str, int] = {}
    """Newest number of each series of documents, see `domainservers.bills.numbers`."""


_encode = msgspec.msgpack.Encoder().encode
_decode_checkpoint = msgspec.msgpack.Decoder(Checkpoint).decode
_decode_watched = msgspec.msgpack.Decoder(list[str]).decode


async def load_checkpoint(unit: Unit, slot: str) -> Checkpoint | None:
    """Read the newest checkpoint of a slot, with all its segments, oldest first; None = none was written yet.

    Raises `Corrupt`, `StoreUnavailable`.
    """
    stored = (await unit.get(CHECKPOINT_COLLECTION, slot, [NEWEST])).get(NEWEST)
    if stored is None:
        return None
    checkpoint = _decode_checkpoint(stored.value)
    if checkpoint.older[1]:
        segments = await load_segments(unit, slot, checkpoint.older)
        checkpoint = replace(checkpoint, segments=(*segments, *checkpoint.segments))
    return checkpoint


def checkpoint_record(slot: str, epoch: int, checkpoint: Checkpoint) -> Record:
    """Make the record of a checkpoint that the owner of an epoch writes, last of a round."""
    stamp = epoch << EPOCH_SHIFT | checkpoint.position.seq
    return Record(CHECKPOINT_COLLECTION, slot, NEWEST, _encode(checkpoint), stamp)


async def load_watched(unit: Unit, slot: str, checkpoint: Checkpoint) -> list[str]:
    """Read which accounts had something open at a checkpoint, or later. Raises `Corrupt` when some of it is missing."""
    names = [_watched_name(index) for index in range(checkpoint.watched_records)]
    found = await unit.get(CHECKPOINT_COLLECTION, slot, names) if names else {}
    if len(found) < len(names):
        missing = next(name for name in names if name not in found)
        raise Corrupt(f"{slot}: {missing}, which the checkpoint names, is missing")
    return [account_id for stored in found.values() for account_id in _decode_watched(stored.value)]


def watched_records(slot: str, account_ids: Sequence[str], seq: int) -> list[Record]:
    """Make the records of the accounts that have something open at group `seq`."""
    records: list[Record] = []
    for start in range(0, len(account_ids), WATCHED_PER_RECORD_MAX):
        packed = _encode(account_ids[start : start + WATCHED_PER_RECORD_MAX])
        records.append(Record(CHECKPOINT_COLLECTION, slot, _watched_name(len(records)), packed, seq))
    return records


def _watched_name(index: int) -> str:
    return f"watched/{index:05d}"

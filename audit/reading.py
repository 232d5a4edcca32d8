"""One journal as it stands in its unit, entry by entry, for people: nothing is served, and nothing is changed.

The chain is verified from the segment in which reading begins, so what is shown is what its owner journaled.
"""

from collections.abc import AsyncGenerator

from msgspec import Struct

from audit.journals import JournalRef, start_of
from charging.ledger.entry import Entry
from domainservers.journal.framing import SetAside
from domainservers.journal.groups import unpack_group
from domainservers.journal.journal import Position, read_chain, segment_of
from domainservers.snapshots.checkpoint import Checkpoint, load_checkpoint
from evidence.seals import SealedUnit
from house.stores import STORES


class GroupRead(Struct, frozen=True):
    """One group of a journal."""

    segment: int
    seq: int
    payload_bytes: int
    """As journaled, entries compressed together."""
    entries: tuple[tuple[int, Entry], ...]
    """With their places in the group."""
    unreadable: tuple[SetAside, ...]


async def read_journal(ref: JournalRef, since: int | None) -> AsyncGenerator[GroupRead, None]:
    """Read the groups from `since` on in their order; None = what came after the newest checkpoint.

    Raises `Corrupt` where the chain does not hold, `Tampered` when the checkpoint is not its owner's,
    `msgspec.DecodeError` when a group is none, `StoreUnavailable`, `StoreRejected`.
    """
    unit = SealedUnit(await STORES.open_to_read(ref.url), ref.ring)
    try:
        begin = _begin(ref.name, await load_checkpoint(unit, ref.name), since)
        async for segment, groups in read_chain(unit, ref.name, begin, ref.ring):
            for group in groups:
                if since is None or group.seq >= since:
                    entries, unreadable = unpack_group(group.payload)
                    yield GroupRead(segment.number, group.seq, len(group.payload), tuple(entries), tuple(unreadable))
    finally:
        await unit.close()


def _begin(name: str, checkpoint: Checkpoint | None, since: int | None) -> Position:
    """Say where the chain must be followed from: only beginnings of segments and the checkpoint have a known tip."""
    if checkpoint is None:
        return start_of(name, None)
    if since is None:
        return checkpoint.position
    segment = segment_of(checkpoint.segments, since)
    if segment is None:
        return start_of(name, checkpoint)
    return Position(segment.number, segment.first_seq - 1, segment.start_tip)

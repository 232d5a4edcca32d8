"""Reads one journal on and on, every link of its chain verified, from wherever its unit is now."""

from collections.abc import Awaitable, Callable

from domainservers.journal.journal import Corrupt, Position, genesis, segment_of
from domainservers.snapshots.checkpoint import Checkpoint, load_checkpoint
from evidence.keys import KeyRing, Unproven
from storage.unit import Group, Unit

GetUnit = Callable[[], Awaitable[Unit]]
"""Gives the unit that the directory names now. Raises `StoreUnavailable`, `StoreRejected`."""


class Dropped(Exception):
    """The group that is wanted is not kept any more."""


async def newest_known(unit: Unit, name: str) -> Position:
    """Give the place of the newest checkpoint, which its owner sealed: from there on a chain is proven."""
    checkpoint = await load_checkpoint(unit, name)
    return checkpoint.position if checkpoint is not None else _genesis(name)


async def oldest_kept(unit: Unit, name: str) -> int:
    """Give the first group that is kept."""
    checkpoint = await load_checkpoint(unit, name)
    return checkpoint.segments[0].first_seq if checkpoint is not None else 0


async def place_before(unit: Unit, name: str, seq: int) -> Position:
    """Say from where the chain must be followed to prove group `seq`. Raises `Dropped`."""
    checkpoint = await load_checkpoint(unit, name)
    return _genesis(name) if checkpoint is None else _before(name, checkpoint, seq)


def _before(name: str, checkpoint: Checkpoint, seq: int) -> Position:
    if seq > checkpoint.position.seq:
        return checkpoint.position
    segment = segment_of(checkpoint.segments, seq)
    if segment is None:
        raise Dropped(f"{name} is kept from group {checkpoint.segments[0].first_seq} on, not from {seq}")
    return Position(segment.number, segment.first_seq - 1, segment.start_tip)


def _genesis(name: str) -> Position:
    return Position(0, -1, genesis(name))


class ChainReader:
    """Reads a journal from a place on. A move of its unit changes nothing: copies have the same segments and tips."""

    def __init__(self, unit: GetUnit, name: str, begin: Position, ring: KeyRing) -> None:
        self._unit = unit
        self._name = name
        self._segment = begin.segment
        self.seq = begin.seq
        """The newest group that was read."""
        self._chain = ring.follow(begin.tip)

    async def read(self, groups_max: int) -> list[Group]:
        """Read at most so many groups; none = the end is reached. Payloads are as committed.

        Raises `Dropped`, `Corrupt`, `StoreUnavailable`, `StoreRejected`.
        """
        unit = await self._unit()
        while True:
            head = await unit.head(self._name, self._segment)
            if head is None:
                if self._segment == 0 and self.seq == -1 and await load_checkpoint(unit, self._name) is None:
                    return []  # Nothing was ever done in this slot.
                raise Dropped(f"segment {self._segment} of {self._name} is not kept any more")
            if head.seq < self.seq:
                raise Corrupt(f"{self._name}: segment {self._segment} ends before group {self.seq}, which it had")
            last = min(head.seq, self.seq + groups_max)
            found = await self._take(unit, last) if last > self.seq else []
            if self.seq == head.seq and self._chain.tip != head.tip:
                raise Corrupt(f"{self._name}: segment {self._segment} does not add up to its tip at group {head.seq}")
            if found or not head.sealed or await unit.head(self._name, self._segment + 1) is None:
                return found
            self._segment += 1

    async def _take(self, unit: Unit, last: int) -> list[Group]:
        # All is read before any counts: what fails half way is read again from the same place.
        pages = [page async for page in unit.read(self._name, self._segment, self.seq + 1, last)]
        stored = [group for page in pages for group in page]
        if [group.seq for group in stored] != list(range(self.seq + 1, last + 1)):
            if await unit.head(self._name, self._segment) is None:
                raise Dropped(f"segment {self._segment} of {self._name} was dropped while it was read")
            raise Corrupt(
                f"{self._name}: of segment {self._segment} a group between {self.seq + 1} and {last} is missing"
            )
        try:
            found = [Group(group.seq, self._chain.take(group.payload)) for group in stored]
        except Unproven as error:
            raise Corrupt(f"{self._name}: a group after {self.seq} is not ours: {error}") from error
        self.seq = last
        return found

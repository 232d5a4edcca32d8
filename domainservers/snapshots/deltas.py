"""The accounts that changed between two rounds, packed together: the newest states without a record an account.

A record an account costs a store ten to forty microseconds. So a round writes what changed since the one before as a
few packed records, its delta. Only when a delta is the oldest of many are those of its accounts that no later one holds
written as records of their own; an account that is used every few minutes never is. What is in deltas alone stays in
memory, packed, and recovery reads the deltas first.

Names are an owner's own (its epoch, and a number), so an old owner's late write changes nothing of a new one's. A delta
is deleted a round after the checkpoint that stopped naming it: whoever recovers from the checkpoint before still finds
it. The checkpoint says what is still to be deleted, so that nothing stays behind an owner that dies.
"""

from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence

import msgspec
from msgspec import Raw, Struct

from domainservers.accounts.accounts import Accounts, Cell, CellState, bundle, resting
from domainservers.base.collections import CHECKPOINT
from domainservers.journal.framing import compress, decompress
from domainservers.journal.journal import Corrupt
from storage.unit import Record, Stored, Unit

CHECKPOINT_COLLECTION = CHECKPOINT.name
"""Of a slot's private unit: the checkpoint, and what it names."""
STATES_PER_RECORD_MAX = 500
"""Packed in one go: some milliseconds in which nobody is served."""
BYTES_PER_RECORD_MAX = 990_000
"""Before compression, and without its seal; one state may be larger."""
PARTS_PER_READ = 8
ORPHAN_EPOCHS_MAX = 8
"""So many owners before this one may have died in the midst of a round and left their parts."""


class Delta(Struct, frozen=True, array_like=True):
    """One round's states, as the checkpoint names them."""

    epoch: int
    """Of the owner that wrote it."""
    number: int
    """Counts on from owner to owner."""
    parts: int
    """0 = unknown: what an owner left that died in the midst of a round."""

    def name(self, part: int) -> str:
        """Name of a record in the collection of checkpoints."""
        return f"delta/{self.epoch:010d}/{self.number:010d}/{part:04d}"


class _Kept(Struct):
    """A delta that the checkpoint names, and whose states it holds."""

    delta: Delta
    cells: list[Cell]


_decode = msgspec.msgpack.Decoder(list[tuple[str, Raw, int]]).decode


async def load_delta(unit: Unit, slot: str, delta: Delta) -> AsyncIterator[Sequence[Stored]]:
    """Read a delta's states by parts, in the order in which they were packed.

    Raises `Corrupt` when a part is missing or can't be read, `StoreUnavailable`.
    """
    for start in range(0, delta.parts, PARTS_PER_READ):
        names = [delta.name(part) for part in range(start, min(start + PARTS_PER_READ, delta.parts))]
        found = await unit.get(CHECKPOINT_COLLECTION, slot, names)
        for name in names:
            if name not in found:
                raise Corrupt(f"{slot}: {name}, which the checkpoint names, is missing")
            try:
                states = _decode(decompress(found[name].value))
            except msgspec.MsgspecError as error:
                raise Corrupt(f"{slot}: {name} can't be read: {error}") from error
            yield [Stored(account_id, bytes(state), seq) for account_id, state, seq in states]


class Deltas:
    """The deltas of one slot: what its checkpoint names now, and what may go."""

    def __init__(self, unit: Unit, slot: str, epoch: int, named: Sequence[Delta], gone: Sequence[Delta]) -> None:
        """`named` and `gone` are the newest checkpoint's; `load` must come before anything else."""
        self._unit = unit
        self._slot = slot
        self._epoch = epoch
        self._kept = deque(_Kept(delta, []) for delta in named)
        self._states = 0
        self.number = named[-1].number + 1 if named else 0
        """Of the next round."""
        born = named[-1].epoch if named else 0
        orphans = [Delta(one, self.number, 0) for one in range(max(born, epoch - ORPHAN_EPOCHS_MAX), epoch)]
        self._gone = [*gone]
        """Not named by the newest checkpoint: may be deleted when the next one is durable."""
        # A round later than those: an owner that is fenced unawares, before it has committed once more, must not delete
        # what its successor stands on, for the owner before it may not have been dead after all.
        self._going = [*orphans]
        """Not named any more by the next checkpoint."""

    @property
    def named(self) -> tuple[Delta, ...]:
        """What the next checkpoint names, oldest first."""
        return tuple(kept.delta for kept in self._kept)

    @property
    def gone(self) -> tuple[Delta, ...]:
        """What the next checkpoint says is to be deleted."""
        return (*self._gone, *self._going)

    async def load(self, accounts: Accounts) -> None:
        """Take the states of all deltas into memory, older ones first. Raises `Corrupt`, `StoreUnavailable`."""
        for kept in self._kept:
            delta = kept.delta
            async for states in load_delta(self._unit, self._slot, delta):
                for stored in states:
                    kept.cells.append(accounts.restore(stored, delta.number))
            self._states += len(kept.cells)

    def settle(self, deltas_max: int, states_max: int, more: int) -> list[CellState]:
        """Stop naming the oldest deltas, for a round of `more` states; gives those of their states nobody else holds.

        Call it when the round's own states have been captured, with nothing between.
        """
        alone: list[CellState] = []
        # Room for the round's own delta is made at the old end. A cell that a younger delta holds has moved its `delta`
        # on, so `resting` passes over it; the others have no other record than the one that goes, and get one of their
        # own.
        while self._kept and (len(self._kept) >= deltas_max or self._states + more > states_max):
            kept = self._kept.popleft()
            self._states -= len(kept.cells)
            self._going.append(kept.delta)
            alone += resting(kept.cells, kept.delta.number)
        return alone

    def records(self, states: Sequence[CellState], seq: int) -> Iterator[Record]:
        """Make the records of a round's delta, `states` without those of no account; it is named when all are taken.

        Take them to the end, once a round: what is not taken is in no delta, and the number of the round is not used
        up.
        """
        part = 0
        for start in range(0, len(states), STATES_PER_RECORD_MAX):
            for body in _bodies(states[start : start + STATES_PER_RECORD_MAX]):
                name = Delta(self._epoch, self.number, 0).name(part)
                yield Record(CHECKPOINT_COLLECTION, self._slot, name, compress(body), seq)
                part += 1
        self._kept.append(_Kept(Delta(self._epoch, self.number, part), [cell for cell, _, _ in states]))
        self._states += len(states)
        self.number += 1

    async def waste(self, seq: int) -> list[Record]:
        """Give the deletions that are due now that a new checkpoint is durable: once for each checkpoint.

        Raises `StoreUnavailable`; nothing has changed then, and it may be called again.
        """
        due = self._gone
        names = [delta.name(part) for delta in due for part in range(delta.parts)]
        for orphan in due:
            if not orphan.parts:
                names += await self._left_of(orphan)
        self._gone, self._going = self._going, []
        return [Record(CHECKPOINT_COLLECTION, self._slot, name, None, seq) for name in names]

    async def _left_of(self, orphan: Delta) -> list[str]:
        """Find the parts of a round that its owner did not finish."""
        names: list[str] = []
        # Parts were written in order: the first page that is not full has the last of them.
        while True:
            start = len(names)
            some = [orphan.name(part) for part in range(start, start + PARTS_PER_READ)]
            found = await self._unit.get(CHECKPOINT_COLLECTION, self._slot, some)
            names += [name for name in some if name in found]
            if len(names) < start + PARTS_PER_READ:
                return names


def _bodies(states: Sequence[CellState]) -> Iterator[bytes]:
    """Pack states together, or in halves when that is too large for a record."""
    body = bundle(states)
    if len(body) <= BYTES_PER_RECORD_MAX or len(states) == 1:
        yield body
        return
    middle = len(states) // 2
    yield from _bodies(states[:middle])
    yield from _bodies(states[middle:])

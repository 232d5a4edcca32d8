"""Records of the key index: a checkpoint names them, and stops naming those that are older than keys must be known."""

from collections.abc import Sequence

from msgspec import Struct

from domainservers.base.collections import KEYS
from domainservers.journal.journal import Corrupt
from domainservers.snapshots.checkpoint import Checkpoint
from storage.unit import Record, Unit

KEYS_COLLECTION = KEYS.name


class LoadedKeys(Struct):
    """The records of a key index."""

    named: dict[str, bytes] = {}
    """What the checkpoint names."""
    forgotten: list[str] = []
    """Older ones, whose owner died before it had deleted them."""


async def load_keys(unit: Unit, slot: str, checkpoint: Checkpoint | None) -> LoadedKeys:
    """Read the key index that a checkpoint names. Raises `Corrupt` when a record of it is missing."""
    loaded = LoadedKeys()
    if checkpoint is None:
        return loaded  # What is there was written by a round that did not end; the journal has it all.
    names = {_name(seq, part) for seq, _, parts in checkpoint.keys_from for part in range(parts)}
    oldest = min(names, default="")
    async for page in unit.scan(KEYS_COLLECTION, slot):
        loaded.named.update((stored.key, stored.value) for stored in page if stored.key in names)
        loaded.forgotten += [stored.key for stored in page if stored.key < oldest]
    if len(loaded.named) < len(names):
        missing = next(name for name in sorted(names) if name not in loaded.named)
        raise Corrupt(f"{slot}: keys/{missing}, which the checkpoint names, is missing")
    return loaded


class KeyRecords:
    """Which records of keys one slot's checkpoint names now, and which may go."""

    def __init__(self, slot: str, checkpoint: Checkpoint | None) -> None:
        self._slot = slot
        self._named = list(checkpoint.keys_from) if checkpoint is not None else []
        self.since_seq = checkpoint.position.seq + 1 if checkpoint is not None else 0
        """First group whose keys are in no record yet."""
        self.forgotten: list[str] = []
        """Records that no checkpoint names any more, to be deleted after the next one."""

    @property
    def named(self) -> tuple[tuple[int, int, int], ...]:
        """What the next checkpoint names, see `Checkpoint.keys_from`."""
        return tuple(self._named)

    @property
    def first_seq(self) -> int:
        """First group whose keys are surely known."""
        return self._named[0][0] if self._named else 0

    def records(self, packed: Sequence[bytes], age_ms: int, seq: int) -> list[Record]:
        """Make the records of a round's keys, which the next checkpoint names; the slot is `age_ms` old."""
        if packed:
            self._named.append((self.since_seq, age_ms, len(packed)))
        return [
            Record(KEYS_COLLECTION, self._slot, _name(self.since_seq, part), one, seq)
            for part, one in enumerate(packed)
        ]

    def outlive(self, oldest_ms: int) -> None:
        """Stop naming keys from before the slot was `oldest_ms` old; the newest record of keys stays."""
        old = [each for each in self._named[:-1] if each[1] < oldest_ms]
        self.forgotten += [_name(seq, part) for seq, _, parts in old for part in range(parts)]
        del self._named[: len(old)]

    def waste(self) -> tuple[list[Record], int]:
        """Give the deletions that are due now that a new checkpoint is durable, and the first group of keys that stay.

        The group is 0 when nothing goes.
        """
        floor = self._named[0][0] if self.forgotten else 0
        records = [Record(KEYS_COLLECTION, self._slot, name, None, floor) for name in self.forgotten]
        return records, floor


def _name(first_seq: int, part: int) -> str:
    return f"{first_seq:020d}/{part:03d}"

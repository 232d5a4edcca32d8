"""Which request keys are known, and where their entries are: 16 bytes a key.

A key is known by a 64-bit fingerprint; the journal entry at its position says whether it really is that key. The newest
keys are in a dict, older ones in sorted arrays whose sizes grow geometrically, so a batch of keys asks a few arrays
once.
"""

from array import array
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

POSITIONS_PER_GROUP = 4_096
"""A position is `group sequence · POSITIONS_PER_GROUP + index in the group`."""
RECENT_KEYS_MAX = 16_384
RECORD_KEYS_MAX = 50_000
"""Keys in one record of the `keys` collection: 16 bytes each stay below a value's limit."""

Keys = NDArray[np.uint64]


def fingerprint(account_id: str, key: str) -> int:
    """64 bits of an account's request key; part of the data, never change it."""
    return int.from_bytes(blake2b(f"{account_id}\0{key}".encode(), digest_size=8).digest(), "little")


class KeyIndex:
    """Fingerprint → position, for one slot."""

    def __init__(self) -> None:
        self.recent: dict[int, int] = {}
        self.generation = 0
        """Moves when keys leave `recent`, so that an older look into the arrays is known to be old."""
        self._levels: list[tuple[Keys, Keys]] = []
        self._unsaved_keys = array("Q")
        self._unsaved_positions = array("Q")

    def __len__(self) -> int:
        return len(self.recent) + sum(len(keys) for keys, _ in self._levels)

    def add(self, mark: int, position: int) -> None:
        """Remember a key."""
        self.recent[mark] = position
        self._unsaved_keys.append(mark)
        self._unsaved_positions.append(position)

    def tidy(self) -> None:
        """Move the dict's keys to the arrays when they are many. Call it where no look-up is half done."""
        if len(self.recent) < RECENT_KEYS_MAX:
            return
        keys = np.fromiter(self.recent.keys(), np.uint64, len(self.recent))
        positions = np.fromiter(self.recent.values(), np.uint64, len(self.recent))
        self.recent = {}
        self.generation += 1
        self._push(keys, positions)

    def _push(self, keys: Keys, positions: Keys) -> None:
        order = np.argsort(keys)
        self._levels.append((keys[order], positions[order]))
        while len(self._levels) > 1 and len(self._levels[-2][0]) <= 2 * len(self._levels[-1][0]):
            (a_keys, a_positions), (b_keys, b_positions) = self._levels[-2:]
            keys = np.concatenate((a_keys, b_keys))
            positions = np.concatenate((a_positions, b_positions))
            order = np.argsort(keys, kind="stable")
            self._levels[-2:] = [(keys[order], positions[order])]

    def find(self, mark: int) -> int:
        """Position of a key, -1 when it is unknown."""
        position = self.recent.get(mark, -1)
        if position >= 0 or not self._levels:
            return position
        return self.find_old([mark])[0]

    def find_old(self, marks: Sequence[int]) -> list[int]:
        """Positions of keys that left the dict, -1 for each that is unknown."""
        found = [-1] * len(marks)
        if not self._levels:
            return found
        asked = np.array(marks, np.uint64)
        order = np.argsort(asked)  # One after the other they are found near each other, in memory that was just read.
        wanted = asked[order]
        for keys, positions in self._levels:
            places = np.searchsorted(keys, wanted)
            places[places == len(keys)] = 0
            for index in np.flatnonzero(keys[places] == wanted).tolist():
                found[order[index]] = int(positions[places[index]])
        return found

    def take_unsaved(self) -> list[bytes]:
        """Give what was added since the last call, packed for records."""
        keys, positions = self._unsaved_keys, self._unsaved_positions
        self._unsaved_keys, self._unsaved_positions = array("Q"), array("Q")
        return [
            keys[start : start + RECORD_KEYS_MAX].tobytes() + positions[start : start + RECORD_KEYS_MAX].tobytes()
            for start in range(0, len(keys), RECORD_KEYS_MAX)
        ]

    def load(self, packed: Sequence[bytes]) -> None:
        """Take records in, at recovery."""
        halves = [np.frombuffer(one, np.uint64).reshape(2, -1) for one in packed if one]
        if halves:
            both = np.concatenate(halves, axis=1)
            self._push(both[0], both[1])
            self.generation += 1

    def forget_before(self, seq: int) -> None:
        """Drop the keys of groups before `seq`."""
        floor = np.uint64(max(seq, 0) * POSITIONS_PER_GROUP)
        kept = [(keys[positions >= floor], positions[positions >= floor]) for keys, positions in self._levels]
        self._levels = [level for level in kept if len(level[0])]
        self.generation += 1

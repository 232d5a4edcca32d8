"""Which request keys are known, and where their entries are: 16 bytes a key.

A key is known by a 64-bit fingerprint; the journal entry at its position says whether it really is that key. The newest
keys are in a dict, older ones in sorted arrays whose sizes grow geometrically, so a batch of keys asks a few arrays
once. Small arrays are merged where they come to be; large ones take seconds, so `settle` merges them in a thread.
"""

import asyncio
import sys
from array import array
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

POSITIONS_PER_GROUP = 4_096
"""A position is `group sequence · POSITIONS_PER_GROUP + index in the group`."""
RECENT_KEYS_MAX = 16_384
MERGED_AT_ONCE_MAX = 131_072
"""Keys merged while nobody is served: some milliseconds."""
RECORD_KEYS_MAX = 50_000
"""Keys in one record of the `keys` collection: 16 bytes each stay below a value's limit."""

T = TypeVar("T")
Keys = NDArray[np.uint64]
Level = tuple[Keys, Keys]
"""Fingerprints in order, and their positions."""


def fingerprint(account_id: str, key: str) -> int:
    """64 bits of an account's request key; part of the data, never change it."""
    return int.from_bytes(blake2b(f"{account_id}\0{key}".encode(), digest_size=8).digest(), "little")


class KeyIndex:
    """Fingerprint → position, for one slot."""

    def __init__(self) -> None:
        self.recent: dict[int, int] = {}
        self.generation = 0
        """Moves when keys leave `recent` or are forgotten, so that an older look into the arrays is known to be old."""
        self._levels: list[Level] = []
        self._settling = 0
        """So many levels, the first ones, are read by a thread and stay as they are."""
        self._unsaved_keys = array("Q")
        self._unsaved_positions = array("Q")

    def __len__(self) -> int:
        return len(self.recent) + sum(len(keys) for keys, _ in self._levels)

    def add(self, mark: int, position: int) -> None:
        """Remember a key by its `fingerprint`: the entry at `position` has it. It is found at once."""
        self.recent[mark] = position
        self._unsaved_keys.append(mark)
        self._unsaved_positions.append(position)

    def tidy(self) -> None:
        """Move the dict's keys to the arrays when they are many. Call it where no look-up is half done.

        Moves `generation`, which tells a look-up that was done before that its answer is old.
        """
        if len(self.recent) < RECENT_KEYS_MAX:
            return
        keys = np.fromiter(self.recent.keys(), np.uint64, len(self.recent))
        positions = np.fromiter(self.recent.values(), np.uint64, len(self.recent))
        self.recent = {}
        self.generation += 1
        self._push(keys, positions)

    def _push(self, keys: Keys, positions: Keys) -> None:
        _stack(self._levels, _ordered(keys, positions), self._settling, MERGED_AT_ONCE_MAX)

    async def settle(self, first_seq: int = 0) -> None:
        """Merge the large levels and drop keys of groups before `first_seq`; meanwhile keys are added and found.

        `first_seq` 0 drops none. One call at a time.
        """
        # The thread reads these levels, oldest first, and makes new ones. `_settling` keeps `_push` from merging into
        # them, so levels that come to be meanwhile stand behind them and stay where they are when the old ones are
        # replaced.
        settling = self._levels[:]
        if not first_seq and not any(_due(settling[at : at + 2]) for at in range(len(settling) - 1)):
            return
        self._settling = len(settling)
        try:
            settled = await _unhurried(_size(settling), lambda: _settled(settling, first_seq))
        finally:
            self._settling = 0
        self._levels[: len(settling)] = settled
        self.generation += 1

    def find(self, mark: int) -> int:
        """Position of a key, -1 when it is unknown."""
        position = self.recent.get(mark, -1)
        if position >= 0 or not self._levels:
            return position
        return self.find_old([mark])[0]

    def find_old(self, marks: Sequence[int]) -> list[int]:
        """Positions of keys that left the dict, in the order of `marks`, -1 for each that is unknown.

        Of a fingerprint that stands in several levels, the newest level's counts.
        """
        found = [-1] * len(marks)
        if not self._levels:
            return found
        asked = np.array(marks, np.uint64)
        order = np.argsort(asked)  # One after the other they are found near each other, in memory that was just read.
        wanted = asked[order]
        for keys, positions in self._levels:
            places = np.searchsorted(keys, wanted)
            # Beyond the last key there is nothing to compare with; any other place says that it is not there just as
            # well.
            places[places == len(keys)] = 0
            for index in np.flatnonzero(keys[places] == wanted).tolist():
                found[order[index]] = int(positions[places[index]])
        return found

    def take_unsaved(self) -> list[bytes]:
        """Give what was added since the last call, packed for records, in order.

        Of each record the first half are fingerprints, the second their positions, 8 bytes each. Whoever takes them
        must write them: they are not given again.
        """
        keys, positions = self._unsaved_keys, self._unsaved_positions
        self._unsaved_keys, self._unsaved_positions = array("Q"), array("Q")
        return [
            keys[start : start + RECORD_KEYS_MAX].tobytes() + positions[start : start + RECORD_KEYS_MAX].tobytes()
            for start in range(0, len(keys), RECORD_KEYS_MAX)
        ]

    async def load(self, packed: Sequence[bytes]) -> None:
        """Take records in, at recovery. They do not count as unsaved.

        Raises `ValueError` for one that is not made of pairs.
        """
        halves = [np.frombuffer(one, np.uint64).reshape(2, -1) for one in packed if one]
        if halves:
            keys, positions = np.concatenate(halves, axis=1)
            self._levels.append(await _unhurried(len(keys), lambda: _ordered(keys, positions)))
            self.generation += 1


async def _unhurried(keys: int, work: Callable[[], T]) -> T:
    """Do what takes long in a thread; with few keys do it at once."""
    return await asyncio.to_thread(work) if keys > MERGED_AT_ONCE_MAX else work()


def _size(levels: Sequence[Level]) -> int:
    return sum(len(keys) for keys, _ in levels)


def _due(levels: Sequence[Level]) -> bool:
    """Whether of two levels the older one is so small that they should be one."""
    return len(levels[0][0]) <= 2 * len(levels[1][0])


def _ordered(keys: Keys, positions: Keys) -> Level:
    order = np.argsort(keys)
    return keys[order], positions[order]


def _merged(older: Level, newer: Level) -> Level:
    keys, positions = (np.concatenate(halves) for halves in zip(older, newer, strict=True))
    order = np.argsort(keys, kind="stable")
    return keys[order], positions[order]


def _stack(levels: list[Level], level: Level, bottom: int, keys_max: int) -> None:
    """Put a level on top. Merge from the top, down to `bottom` and up to `keys_max`, what is due."""
    # As with the carry of a binary counter: a level of n keys takes part in about log n merges, and there are as few
    # levels to look into.
    levels.append(level)
    while len(levels) - bottom > 1 and _due(levels[-2:]) and _size(levels[-2:]) <= keys_max:
        levels[-2:] = [_merged(*levels[-2:])]


def _settled(levels: Sequence[Level], first_seq: int) -> list[Level]:
    """Give the levels without keys of groups before `first_seq`, each more than twice as large as the one after it."""
    floor = np.uint64(max(first_seq, 0) * POSITIONS_PER_GROUP)
    settled: list[Level] = []
    # Anew from the oldest level on, since what was dropped may have made a level small enough for its neighbour.
    # Positions rise with groups, but a level is in order of fingerprints: each key is compared.
    for keys, positions in levels:
        young = positions >= floor
        level = (keys, positions) if young.all() else (keys[young], positions[young])
        if len(level[0]):
            _stack(settled, level, 0, sys.maxsize)
    return settled

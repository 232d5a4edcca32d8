"""Running sums in the account's order, group by group, and the keys of what is summed."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from mediation.columns.chunk import Escapes
from mediation.columns.ruler import Ints

TWICE = "counted in two ways at once"


def running(groups: Ints, wanted: Ints, left: Ints) -> tuple[Ints, Ints]:
    """Let each row take what it wants of what its group has left, in order: what it took, and what was taken before.

    `left` is that of the row's group, the same in all of its rows; no sum of a group is larger than a word.
    """
    if not len(groups):
        return wanted, wanted
    order = np.argsort(groups, kind="stable") if (np.diff(groups) < 0).any() else np.arange(len(groups))
    sorted_groups, sums = groups[order], np.cumsum(np.minimum(wanted, left)[order])
    most = left[order]
    begins = np.flatnonzero(np.diff(sorted_groups, prepend=-1))
    sizes = np.diff(begins, append=len(groups))
    # Sums of all groups may run over a word; their differences inside of a group don't, for both wrap alike.
    before_first = np.concatenate(([0], sums[begins[1:] - 1]))
    within = sums - np.repeat(before_first, sizes)
    after = np.minimum(most, within)
    before = np.minimum(most, within - np.minimum(wanted, left)[order])
    took, had = np.empty_like(after), np.empty_like(after)
    took[order] = after - before
    had[order] = before
    return took, had


def combined(one: Ints, other: Ints) -> tuple[Ints, Ints]:
    """Find the different pairs of two columns: the first row of each, and for each row the number of its pair."""
    span = int(other.max()) + 1
    packed = one * span + other
    begins = np.flatnonzero(np.diff(packed, prepend=packed[0] - 1))
    # Neighbours are mostly alike: looked up are the runs, not the rows.
    _, first, numbers = np.unique(packed[begins], return_index=True, return_inverse=True)
    return begins[first], np.repeat(numbers.astype(np.int64), np.diff(begins, append=len(packed)))


@dataclass(slots=True, eq=False)
class Keys:
    """What is counted in one pass: each key of an account is one group, counted in one way."""

    escapes: Escapes
    numbers: dict[tuple[int, str], int] = field(default_factory=dict)
    names: list[tuple[int, str]] = field(default_factory=list)
    ways: list[object] = field(default_factory=list)
    lefts: list[int] = field(default_factory=list)
    sums: list[int] = field(default_factory=list)
    read: list[tuple[int, str]] = field(default_factory=list)
    """Keys of which a state before all uses is asked, whatever is counted: nothing may count there."""

    def group(self, account: int, key: str, way: object, left: int = 0) -> int:
        """Number a key; who is counted in two ways, or has two limits at once, is left to the row engine."""
        known = self.numbers.get((account, key))
        if known is None:
            known = self.numbers[account, key] = len(self.names)
            self.names.append((account, key))
            self.ways.append(way)
            self.lefts.append(left)
            self.sums.append(0)
        elif self.ways[known] != way or self.lefts[known] != left:
            self.escapes.add([account], TWICE)
        return known

    def groups(self, pairs: Ints, rows_of_pairs: Ints, name: Callable[[int], tuple[int, str, object, int]]) -> Ints:
        """Number the keys of rows by their pairs (see `combined`): `name` gives a key for the row of a pair."""
        numbers = [self.group(*name(int(row))) for row in rows_of_pairs]
        return np.array(numbers, dtype=np.int64)[pairs]

    def add(self, groups: Ints, added: Ints) -> None:
        """Count what rows added to their groups."""
        if not len(groups):
            return
        order = np.argsort(groups, kind="stable")
        ordered = groups[order]
        begins = np.flatnonzero(np.diff(ordered, prepend=-1))
        for group, total in zip(ordered[begins].tolist(), np.add.reduceat(added[order], begins).tolist(), strict=True):
            self.sums[group] += total

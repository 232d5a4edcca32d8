"""Running sums in the account's order, group by group, and the keys of what is summed."""

from dataclasses import dataclass, field

import numpy as np

from mediation.columns.chunk import Escapes
from mediation.columns.ruler import Ints

TWICE = "counted in two ways at once"
_NO_LIMIT = 1 << 62


def running(groups: Ints, wanted: Ints, left: Ints) -> tuple[Ints, Ints]:
    """Let each row take what it wants of what its group has left, in order: what it took, and what was taken before.

    `left` is that of the row's group, the same in all of its rows; no sum of a group is larger than a word.
    """
    if not len(groups):
        return wanted, wanted
    clipped = np.minimum(wanted, left)
    if (groups[1:] >= groups[:-1]).all():
        return _running(groups, clipped, left)
    order = np.argsort(groups, kind="stable")
    in_order = _running(groups[order], clipped[order], left[order])
    took, before = np.empty_like(clipped), np.empty_like(clipped)
    took[order], before[order] = in_order
    return took, before


def sums_before(groups: Ints, added: Ints) -> Ints:
    """Give what each row's group had added before it, in order; no group's sum lies beyond 2^62."""
    return running(groups, added, np.full(len(added), _NO_LIMIT, dtype=np.int64))[1]


def _running(groups: Ints, clipped: Ints, left: Ints) -> tuple[Ints, Ints]:
    sums = np.cumsum(clipped)
    begins = begins_of(groups)
    # Sums of all groups may run over a word; their differences inside of a group don't, for both wrap alike.
    before_first = np.concatenate(([0], sums[begins[1:] - 1]))
    sums -= np.repeat(before_first, np.diff(begins, append=len(groups)))
    before = np.minimum(left, sums - clipped)
    return np.minimum(left, sums) - before, before


def begins_of(column: Ints) -> Ints:
    """Give the places at which a column's value is another than before."""
    differs = np.empty(len(column), dtype=np.bool_)
    differs[:1] = True
    np.not_equal(column[1:], column[:-1], out=differs[1:])
    return np.flatnonzero(differs)


def combined(one: Ints, other: Ints) -> tuple[Ints, Ints]:
    """Find the different pairs of two columns: the first row of each, and for each row the number of its pair."""
    span = int(other.max()) + 1
    packed = one * span + other
    begins = begins_of(packed)
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

    def add(self, groups: Ints, added: Ints) -> None:
        """Count what rows added to their groups."""
        sums = np.zeros(len(self.sums), dtype=np.int64)
        np.add.at(sums, groups, added)
        for group in np.flatnonzero(sums).tolist():
            self.sums[group] += int(sums[group])

"""Sorted runs of keys: one file each, written once, read through the page cache.

A file is three columns one after the other (high half, low half, content), each in the order of the keys, so that a
search touches the high halves alone, but for the few that are equal there.
"""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mediation.duplicates.keys import CONTENT, HIGH, LOW, ROW_BYTES, Columns

Found = NDArray[np.int8]
"""For each key that was sought."""
NEW, SAME, OTHER = 0, 1, 2
"""Not known; known with the same content; known with another one."""


def in_order(rows: Columns) -> NDArray[np.intp]:
    """Give the order of rows by key; equal keys stay in the order in which they came."""
    order = np.argsort(rows[HIGH])
    high = rows[HIGH, order]
    tied = np.flatnonzero(high[1:] == high[:-1])
    if len(tied):
        # Few, and most of them equal keys: only they are looked at whole. Groups of them keep their place by `high`.
        tied = np.union1d(tied, tied + 1)
        among = order[tied]
        order[tied] = among[np.lexsort((among, rows[LOW, among], rows[HIGH, among]))]
    return order


def within(by_key: Columns) -> Found:
    """Say which rows repeat the key of an earlier one among themselves; they stand in the order of `in_order`."""
    same = by_key[HIGH, 1:] == by_key[HIGH, :-1]
    found = np.zeros(by_key.shape[1], np.int8)
    if not same.any():
        return found
    same &= by_key[LOW, 1:] == by_key[LOW, :-1]
    # The first of a key's rows stands at the last place where a new key began.
    places = np.arange(len(found))
    places[1:][same] = 0
    first = np.maximum.accumulate(places)
    equal = by_key[CONTENT] == by_key[CONTENT, first]
    found[1:] = np.where(same, np.where(equal[1:], SAME, OTHER), NEW)
    return found


def write_run(path: Path, by_key: Columns) -> None:
    """Write rows that are in order as a run, durable when this returns; the folder's entry is the caller's to sync."""
    with path.open("xb") as file:
        file.write(np.ascontiguousarray(by_key).data)
        file.flush()
        os.fsync(file.fileno())


def read_run(path: Path) -> Columns:
    """Map a run into memory. Raises `OSError`, `ValueError` when it is none."""
    size = path.stat().st_size
    if size % ROW_BYTES:
        raise ValueError(f"{path.name} has {size} bytes, which is no whole number of keys")
    if not size:
        return np.zeros((3, 0), np.uint64)
    return np.memmap(path, np.uint64, "r").reshape(3, -1)


def seek(run: Columns, rows: Columns) -> Found:
    """Say which of the rows a run knows; in the order of keys they are found much faster than in any other."""
    found = np.zeros(rows.shape[1], np.int8)
    if not run.shape[1] or not rows.shape[1]:
        return found
    at = np.searchsorted(run[HIGH], rows[HIGH])
    left = np.flatnonzero(at < run.shape[1])
    left = left[run[HIGH, at[left]] == rows[HIGH, left]]
    while len(left):
        # Those whose high half is there: nearly always one row, and the whole key equal.
        place = at[left]
        hit = run[LOW, place] == rows[LOW, left]
        same = run[CONTENT, place] == rows[CONTENT, left]
        found[left[hit]] = np.where(same[hit], SAME, OTHER)
        left = left[~hit]
        at[left] += 1
        left = left[at[left] < run.shape[1]]
        left = left[run[HIGH, at[left]] == rows[HIGH, left]]
    return found


def merged(runs: Iterable[Columns]) -> Columns:
    """Join runs to one, whose keys are all different."""
    return np.concatenate(list(runs), axis=1)

"""Time laid out once: the stretches in which one local day, one set of bands and one offset hold.

A row finds its stretch by one search, and with it all that depends on its moment alone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charging.base.localtime import LocalTime
from charging.plans.bands import BandTable
from charging.plans.conditions import band_table
from charging.plans.plan import Plan

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
BEYOND_S = 2 * 86_400
"""How far a ruler reaches behind the last beginning: calls run on."""


@dataclass(slots=True, eq=False)
class Ruler:
    """Stretches of time under one plan, in order; all arrays have an entry for each."""

    starts_ms: Ints
    days: Ints
    """Local day, counted from 1970-01-01."""
    bands: Ints
    """Which set of bands holds: equal numbers, equal sets."""
    alike_until_s: Ints
    """UTC second up to which the same set holds, so that no table of bands changes before."""

    def places(self, start_ms: Ints) -> Ints:
        """Give the stretch that each moment lies in."""
        return np.asarray(np.searchsorted(self.starts_ms, start_ms, side="right") - 1, dtype=np.int64)


def ruler_of(plan: Plan, from_ms: int, to_ms: int) -> Ruler:
    """Lay out the time from one moment to another, and a little more."""
    local = plan.local
    tables = [band_table([[name]], plan.merged, local) for name in plan.merged.bands]
    at, end = from_ms // 1_000, to_ms // 1_000 + BEYOND_S
    starts: list[int] = []
    days: list[int] = []
    bands: list[int] = []
    sets: dict[tuple[int, ...], int] = {}
    while at < end:
        held, following = _at(tables, at, local)
        starts.append(at)
        days.append(local.day(at))
        bands.append(sets.setdefault(held, len(sets)))
        at = following
    until = [at] * len(starts)
    for place in range(len(starts) - 2, -1, -1):
        until[place] = until[place + 1] if bands[place] == bands[place + 1] else starts[place + 1]
    first = np.array(starts, dtype=np.int64) * 1_000
    return Ruler(first, np.array(days), np.array(bands), np.array(until))


def _at(tables: list[BandTable], at: int, local: LocalTime) -> tuple[tuple[int, ...], int]:
    found = [table.at(at) for table in tables]
    return tuple(index for index, _ in found), min([local.next_day(at), *(change for _, change in found)])

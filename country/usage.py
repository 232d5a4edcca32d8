"""Writes the usage file of a day: honest traffic, with duplicates and bad records among it. Same seed, same file."""

import random
from pathlib import Path

import numpy as np
from msgspec import Struct

from country import traffic, usage_file
from country.number_plan import SEVEN_DIGITS, NationalPlan, is_mobile
from country.planted import PlacedLine, Planter, strangers
from country.population import Population

DUPLICATE_SHARE = 0.02
BAD_SHARE = 0.02


class UsageFile(Struct, frozen=True):
    """What was written."""

    path: Path
    lines: int
    honest: int
    duplicates: int
    bad: int


def generate(path: Path, population: Population, plan: NationalPlan, events: int, seed: int, day_ms: int) -> UsageFile:
    """Write `events` honest events of one day, in order of time, and 2 % duplicates and 2 % bad records besides.

    The same arguments write the same file. `day_ms` is its beginning, UTC.
    """
    active = [member for account in population.accounts if not account.suspended for member in account.members]
    suspended = [member for account in population.accounts if account.suspended for member in account.members]
    rng, chance = np.random.default_rng(seed), random.Random(seed)
    honest = traffic.records(active, traffic.draw(active, events, rng, day_ms), rng, f"u{seed}")
    known = frozenset(member.identity for member in population.subscribers())
    mobile = [prefix for prefix, _ in plan.ranges if is_mobile(prefix) and len(prefix) == SEVEN_DIGITS]
    planter = Planter(honest, suspended, strangers(known, mobile, chance), chance)
    duplicates, bad = round(events * DUPLICATE_SHARE), round(events * BAD_SHARE)
    lines = [PlacedLine(index, usage_file.row(record)) for index, record in enumerate(honest)]
    lines += planter.duplicates(duplicates)
    lines += planter.bad(bad)
    # Stable: an honest line stays before what was made of it.
    lines.sort(key=lambda line: line.position)
    written = usage_file.write(path, (line.cells for line in lines))
    return UsageFile(path, written, events, duplicates, bad)

"""Measures the figures of this machine: what runs is the real thing, small, one kind of request after the other."""

import asyncio
import os
import platform
import sqlite3
import time
import tracemalloc
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from capacity.figures import ASSUMED_STORE, CHARGE, COMMAND, KINDS, QUERY, STEP, TIERS, CostFigures, StoreFigures
from capacity.small_system import OpenedMemory, Spent, small_system
from charging.rating import rating
from cluster.layout import grounds_of, lay_out
from cluster.system import Shape
from directory.changes import DirectoryEntry
from directory.entries import EntryTable
from domainservers.base.collections import ACCOUNT, CONTRACT, ORDER
from domainservers.journal.journal import genesis
from domainservers.journal.keys import KeyIndex
from house.stores import STORES
from storage.unit import Group, Head, Unit

IDLE_S = 3.0
_RECORDS = "SELECT SUM(LENGTH(bucket) + LENGTH(key) + LENGTH(value)) FROM record WHERE collection IN (?, ?, ?)"
KEYS, ENTRIES = 200_000, 100_000
COMMIT_JOURNALS = 32
"""In flight at a time against a real store: where its commits a second are flat."""
COMMIT_S = 5.0
GROUP_BYTES = 40_000
SHAPE = Shape(1, 1, 1)


async def measure(folder: Path, subscribers: int, items: int, units: str = "") -> CostFigures:
    """Measure on units below a base URL, "" = SQLite files in `folder`. `items` of each kind.

    Raises what starting and filling a system raise.
    """
    memory = OpenedMemory()
    async with small_system(folder, subscribers, SHAPE, units, memory.note) as system:
        idle = await system.idle(IDLE_S)
        await system.spend(COMMAND, len(system.people))  # Money for all that follows; also warms.
        await system.spend(CHARGE, items // 4)
        spent = {kind: await system.spend(kind, items) for kind in (CHARGE, STEP, QUERY, COMMAND)}
    store = await _commits(units) if units else ASSUMED_STORE
    accounts, empty = memory.held[-1][0], memory.held[0][1]
    return CostFigures(
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=f"{platform.machine()}, {platform.system()} {platform.release()}",
        cores=os.cpu_count() or 1,
        compiled=rating.__file__.endswith(".so"),
        cpu_us={tier: {kind: _each_us(spent[kind], tier, idle[tier]) for kind in KINDS} for tier in TIERS},
        idle_cores=idle,
        client_us=sum(s.client_s for s in spent.values()) / sum(s.requests for s in spent.values()) * 1e6,
        journal_bytes={kind: each.journal_bytes / each.requests for kind, each in spent.items()},
        account_memory=memory.each("domainserver"),
        account_store=_records(folder) / accounts if not units else ACCOUNT_STORE,
        key_memory=_key_memory(),
        entry_memory=_entry_memory(),
        process_memory={tier: float(held) for tier, held in empty.items()},
        store=store,
    )


ACCOUNT_STORE = 1_500.0
"""Where the store's files are not of this machine: snapshot, contract and order of an account of the sample country."""


def _each_us(spent: Spent, tier: str, idle: float) -> float:
    return max(spent.cpu_s[tier] - idle * spent.seconds, 0.0) / spent.requests * 1e6


def _records(folder: Path) -> int:
    """Bytes of the records of accounts, written down when the system was drained; journals and keys aside."""
    found = 0
    for path in (folder / "units").rglob("*.db"):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
            row = file.execute(_RECORDS, (ACCOUNT.name, CONTRACT.name, ORDER.name)).fetchone()
            found += row[0] or 0
    return found


def _key_memory() -> float:
    """Bytes of a key in the index of a slot, old ones as they are kept for a day."""
    index = KeyIndex()
    tracemalloc.start()
    try:
        for number in range(KEYS):
            index.add(hash((number, "key")) & (1 << 64) - 1, number)
            index.tidy()
        return tracemalloc.get_traced_memory()[0] / KEYS
    finally:
        tracemalloc.stop()


def _entry_memory() -> float:
    """Bytes of a ported number in a process."""
    table = EntryTable()
    tracemalloc.start()
    try:
        for number in range(ENTRIES):
            table.enter(DirectoryEntry(f"msisdn:86130{number:08d}", "GD", number % 16))
        return tracemalloc.get_traced_memory()[0] / ENTRIES
    finally:
        tracemalloc.stop()


async def _commits(units: str) -> StoreFigures:
    """Commit groups by compare-and-set against the store itself, many journals at a time, then one."""
    grounds = grounds_of(units)
    url = lay_out(units).directory
    if grounds is None or not grounds.units_are_dear:
        return ASSUMED_STORE
    unit = await STORES.open(url)
    try:
        many = await _commit_rate(unit, COMMIT_JOURNALS)
        alone = await _commit_rate(unit, 1)
    finally:
        await unit.close()
    cores = os.cpu_count() or 1
    return StoreFigures(many / cores, 1_000 / alone, f"measured: {COMMIT_JOURNALS} journals at {cores} shared cores")


async def _commit_rate(unit: Unit, journals: int) -> float:
    """Give the groups a second that so many journals commit, each one group at a time."""
    ends = time.perf_counter() + COMMIT_S

    async def commit(name: str) -> int:
        payload, count = os.urandom(GROUP_BYTES), 0
        head = await unit.swap(name, 0, None, Head(1, "capacity", -1, genesis(name), False), None)
        while time.perf_counter() < ends:
            wanted = Head(1, "capacity", head.seq + 1, os.urandom(32), False)
            head = await unit.swap(name, 0, head, wanted, Group(wanted.seq, payload))
            count += 1
        await unit.drop(name, 0)
        return count

    began = time.perf_counter()
    made = await asyncio.gather(*(commit(f"capacity-{began:.0f}-{number}") for number in range(journals)))
    return max(sum(made), 1) / (time.perf_counter() - began)

"""How many journal groups a store takes: 200 entries, 40 kB a group, with 1, 8 and 32 journals in flight.

python -m bench.storage sqlite:////tmp/bench/unit.db
python -m bench.storage cassandra://127.0.0.1:9042/bench?rf=1
"""

import asyncio
import os
import sys
import time

import uvloop
from msgspec import Struct

from house.stores import STORES
from storage.unit import Group, Head, Record, StoreUnavailable, Unit

GROUP_ENTRIES = 200
GROUP_BYTES = 40_000
"""Of the table below; `make bench` gives the size of the groups that its own charges formed."""
SECONDS = 5.0
JOURNALS = (1, 8, 32)


class Swaps(Struct, frozen=True):
    """How a run of swaps went."""

    groups_per_s: float
    waits_ms: list[float]
    """Of groups, sorted."""
    cpu_us: float
    """Of this process, a group."""


async def _journal(unit: Unit, name: str, size: int, until: float, waits_ms: list[float]) -> None:
    """Append to one journal, one group in flight, until the time is over."""
    head = Head(1, "bench", -1, b"", sealed=False)
    await unit.swap(name, 0, None, head, None)
    payload = os.urandom(size)
    while time.perf_counter() < until:
        following = Head(1, "bench", head.seq + 1, os.urandom(16), sealed=False)
        begun = time.perf_counter()
        now = await _repeated(unit, name, head, following, payload)
        waits_ms.append((time.perf_counter() - begun) * 1000)
        if now != following:
            raise RuntimeError(f"{name} was moved by somebody else: {now}")
        head = following


async def _repeated(unit: Unit, name: str, head: Head, following: Head, payload: bytes) -> Head:
    """Swap as an owner does: an unknown outcome is asked for by the identical swap."""
    while True:
        try:
            return await unit.swap(name, 0, head, following, Group(following.seq, payload))
        except StoreUnavailable as failure:
            print(f"{name}: {str(failure)[:100]}", file=sys.stderr)


async def swaps(unit: Unit, journals: int, run: str, group_bytes: int = GROUP_BYTES, seconds: float = SECONDS) -> Swaps:
    """Append to several journals at once, each with one group in flight."""
    waits_ms: list[float] = []
    begun, cpu = time.perf_counter(), time.process_time()
    names = [f"{run}/{journals}/{number}" for number in range(journals)]
    await asyncio.gather(*[_journal(unit, name, group_bytes, begun + seconds, waits_ms) for name in names])
    took, cpu = time.perf_counter() - begun, time.process_time() - cpu
    return Swaps(len(waits_ms) / took, sorted(waits_ms), cpu / len(waits_ms) * 1e6)


def _print(journals: int, done: Swaps) -> None:
    rate, waits_ms = done.groups_per_s, done.waits_ms
    print(
        f"{journals:3} journals: {rate:7.0f} groups/s {rate * GROUP_ENTRIES:9.0f} entries/s   "
        f"p50 {waits_ms[len(waits_ms) // 2]:6.1f} ms   p99 {waits_ms[len(waits_ms) * 99 // 100]:6.1f} ms   "
        f"our CPU {done.cpu_us:5.0f} us a group"
    )


async def _puts(unit: Unit) -> None:
    """Account snapshots as a domain server writes them: 1 kB, many to a partition."""
    records = [
        Record("account", f"slot/{number % 16}", f"account-{number}", os.urandom(1_000), 1) for number in range(5_000)
    ]
    begun, cpu, count = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() < begun + SECONDS:
        await unit.put(records)
        count += len(records)
    took, cpu = time.perf_counter() - begun, time.process_time() - cpu
    print(f"    records of 1 kB: {count / took:7.0f}/s   our CPU {cpu / count * 1e6:5.1f} us each")


async def main(url: str) -> None:
    """Measure one store and print what came out."""
    unit = await STORES.open(url)
    run = str(time.time_ns())
    try:
        for journals in JOURNALS:
            _print(journals, await swaps(unit, journals, run))
        await _puts(unit)
    finally:
        await unit.close()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))

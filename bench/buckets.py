"""What the buckets of billing periods cost a charge: the CPU of one at its owner, with and without keeping its sum."""

import time
from collections.abc import Callable

from msgspec import Raw
from msgspec.structs import replace

from bench.domainserver import BATCH_ITEMS, NOW_MS, STEPS, charge, identity_of, open_accounts, opening, own, send
from bench.table import Aim, Bench, Row
from charging.base.usage import SealedCharge, Usage
from charging.ledger import buckets
from charging.ledger.ledger import decide
from charging.wire import unpack_ask
from domainservers.base.limits import Limits
from house.stores import STORES

ITEMS = 8
LITTLE = Aim("≤ 1.03", 1.03, at_least=False)
ROUNDS = 20


async def bucket_rows(bench: Bench) -> None:
    """One row: an owner's charge, over what it would be if its bucket cost nothing."""
    whole = await _owner_s(bench.scale.items // 4)
    part = _bucket_s()
    ratio = whole / (whole - part)
    row = Row("CPU of a charge with buckets ÷ without", f"{ratio:.3f}", f"a charge at its owner {whole * 1e6:.1f} µs")
    row.how = f"its bucket of {ITEMS} items {part * 1e6:.2f} µs"
    bench.add(row, LITTLE, ratio)


async def _owner_s(count: int) -> float:
    """Give the CPU seconds of a charge at an owner in this process, its store in memory."""
    unit = await STORES.open(f"memory:bench-{time.time_ns()}")
    slot = await own(unit, Limits(snapshot_interval_ms=3_600_000, snapshot_entries=10**9))
    accounts = max(1, count // 10)
    await open_accounts(slot, accounts)
    packed = [charge(serial % accounts, serial) for serial in range(count)]
    began = time.process_time()
    for at in range(0, count, BATCH_ITEMS):
        if await send(slot, [[unpack_ask(body) for body in packed[at : at + BATCH_ITEMS]]], 1):
            raise RuntimeError("charges were refused")
    took = time.process_time() - began
    slot.end()
    await unit.close()
    return took / count


def _bucket_s() -> float:
    """Give the CPU seconds of adding to a bucket, the least of some rounds."""
    identity = identity_of(1)
    account = decide(None, opening(1).command, NOW_MS).account
    usage = [Usage(identity, f"service-{item}", NOW_MS, 60) for item in range(ITEMS)]
    sealed = SealedCharge(120_000, "CNY", (), (), 1, False, Raw(STEPS))
    for each in usage:
        account = replace(account, buckets=buckets.charged(account, each, sealed))

    def round_of() -> None:
        for each in usage:
            buckets.charged(account, each, sealed)

    return min(_timed(round_of) for _ in range(ROUNDS)) / ITEMS


def _timed(work: Callable[[], None], times: int = 200) -> float:
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times

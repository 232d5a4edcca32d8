"""What the buckets of billing periods cost: the CPU of a charge at its owner, with and without its sum, and memory."""

import gc
import time
import tracemalloc
from collections.abc import Callable

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from bench.domainserver import BATCH_ITEMS, NOW_MS, STEPS, charge, identity_of, open_accounts, opening, own, send
from bench.table import Aim, Bench, Row
from charging.base.account import Account, sharing
from charging.base.buckets import EMPTY
from charging.base.usage import SealedCharge, Usage
from charging.ledger import buckets
from charging.ledger.ledger import decide
from charging.wire import unpack_ask
from domainservers.base.limits import Limits
from house.stores import STORES

ITEMS, FEW_ITEMS = 8, 3
LITTLE = Aim("≤ 1.03", 1.03, at_least=False)
SMALL = Aim("≤ 200", 200, at_least=False)
ROUNDS = 20
OWNER_ROUNDS = 5
"""In turn with the buckets' rounds; the least of each counts, as what else the machine does only adds."""


async def bucket_rows(bench: Bench) -> None:
    """Two rows: an owner's charge, over what it would be if its bucket cost nothing; bytes of an account's buckets."""
    whole = part = float("inf")
    for _ in range(OWNER_ROUNDS):
        whole = min(whole, await _owner_s(bench.scale.items // OWNER_ROUNDS))
        part = min(part, _bucket_s())
    ratio = whole / (whole - part)
    row = Row("CPU of a charge with buckets ÷ without", f"{ratio:.3f}", f"a charge at its owner {whole * 1e6:.1f} µs")
    row.how = f"its bucket of {ITEMS} items {part * 1e6:.2f} µs"
    bench.add(row, LITTLE, ratio)
    few, many = (_bucket_bytes(items, bench.scale.in_memory) for items in (FEW_ITEMS, ITEMS))
    how = f"{many:,.0f} with {ITEMS} items"
    bench.add(Row(f"memory of buckets of {FEW_ITEMS} items, hot", f"{few:,.0f} bytes an account", how=how), SMALL, few)


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
    account = decide(None, opening(1).command, NOW_MS).account
    usage, sealed = _usage(ITEMS), SealedCharge(120_000, "CNY", (), (), 1, False, Raw(STEPS))
    account = _charged(account, usage, sealed)

    def round_of() -> None:
        for each in usage:
            buckets.charged(account, each, sealed)

    return min(_timed(round_of) for _ in range(ROUNDS)) / ITEMS


def _usage(items: int) -> list[Usage]:
    return [Usage(identity_of(1), f"service-{item}", NOW_MS, 60) for item in range(items)]


def _charged(account: Account, usage: list[Usage], sealed: SealedCharge) -> Account:
    for each in usage:
        account = replace(account, buckets=buckets.charged(account, each, sealed))
    return account


def _bucket_bytes(items: int, count: int) -> float:
    """Give the bytes that sums of so many items add to an account in memory, as it is read from its record."""
    bare = replace(decide(None, opening(1).command, NOW_MS).account, buckets=EMPTY)
    full = _charged(bare, _usage(items), SealedCharge(12_000_000, "CNY", (), (), 1, False, Raw(STEPS)))
    return _memory(full, count) - _memory(bare, count)


def _memory(account: Account, count: int) -> float:
    record, unpack = msgspec.msgpack.encode(account), msgspec.msgpack.Decoder(Account).decode
    sharing(unpack(record))
    gc.collect()
    tracemalloc.start()
    try:
        kept = [sharing(unpack(record)) for _ in range(count)]
        return tracemalloc.get_traced_memory()[0] / len(kept)
    finally:
        tracemalloc.stop()


def _timed(work: Callable[[], None], times: int = 200) -> float:
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times

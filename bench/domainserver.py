"""Cost of a charge inside one domain server, recovery time, and memory an account; in process, no gRPC.

python -m bench.domainserver [charges|recovery|memory] [--unit memory:|sqlite] [--charges N] [--accounts N]
"""

import argparse
import asyncio
import gc
import random
import resource
import tempfile
import time
from collections.abc import Sequence
from hashlib import blake2b

from msgspec import Raw

from charging import wire
from charging.base.account import Book
from charging.base.contract import Contract
from charging.base.usage import SealedCharge, Step, Usage
from charging.ledger.command import Command
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.post_charge import PostCharge
from charging.wire import Ask, Commit, unpack_ask
from domainservers.base.clock import SystemClock
from domainservers.base.limits import Limits
from domainservers.slot.recovery import recover
from domainservers.slot.slot import Slot
from house.stores import STORES
from runtime.server import calm_collector
from runtime.telemetry import Metrics
from storage.unit import Unit

BATCH_ITEMS = 200
NOW_MS = 1_800_000_000_000
STEPS = wire.pack(
    (
        Step("tariff", "voice-national", "", 60, "second", 150_000, 1, "local, per 60 s"),
        Step("discount", "evening", "GD", 0, "", -30_000, 1, "20 % off", "S"),
        Step("rounding", "half-up", "", 0, "", 0, 1),
    )
)


class Wait:
    """Counts the answers of one batch."""

    def __init__(self, items: int) -> None:
        self.deadline = asyncio.get_running_loop().time() + 600
        self.left = items
        self.done = asyncio.Event()
        self.failed = 0

    def answer(self, position: int, body: bytes) -> None:
        """Count one."""
        self.left -= 1
        if body[1:3] == b"\xa1f":
            self.failed += 1
        if self.left == 0:
            self.done.set()


class One:
    """Where one answer goes."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def answer(self, position: int, body: bytes) -> None:
        """Hand it on."""
        if not self.answered.done():
            self.answered.set_result(body)


def identity_of(number: int) -> str:
    """A subscriber."""
    return f"msisdn:86138{number:08d}"


def opening(number: int) -> Commit:
    """Open an account with money enough."""
    identity = identity_of(number)
    action = OpenAccount(
        identity,
        f"customer-{number}",
        "prepaid",
        "CNY",
        0,
        1,
        Contract(identity, identity, "GD"),
        (Book("main", "money", 10**12),),
        {},
        {},
        (),
    )
    return Commit(identity, Command(identity, "open", b"0" * 16, "", "front", NOW_MS, action))


def charge(number: int, serial: int) -> bytes:
    """One charge with explanation, packed as the platform sends it."""
    identity = identity_of(number)
    key = f"bench-{serial:012d}"
    usage = Usage(identity, "voice", NOW_MS + serial, 60, "msisdn:8613912345678", "GD")
    sealed = SealedCharge(120_000, "CNY", (), (("voice-month@2027-01", 60),), 1, False, Raw(STEPS))
    command = Command(
        identity,
        key,
        blake2b(key.encode(), digest_size=16).digest(),
        "",
        "front",
        NOW_MS + serial,
        PostCharge(usage, sealed, 1),
    )
    return wire.pack(Commit(identity, command))


async def own(unit: Unit, limits: Limits) -> Slot:
    """Take the slot over."""
    parts = await recover(
        "GD/0",
        f"bench#{time.time_ns()}",
        unit,
        unit,
        limits,
        SystemClock(),
        asyncio.Semaphore(4),
        lambda: 1,
        Metrics("bench"),
    )
    return Slot(parts, lambda _: None)


async def send(slot: Slot, batches: Sequence[Sequence[Ask]], window: int) -> int:
    """Send batches with at most `window` under way; gives how many items failed."""
    waits: list[Wait] = []
    failed = 0
    for asks in batches:
        wait = Wait(len(asks))
        slot.submit(wait, list(enumerate(asks)))
        waits.append(wait)
        if len(waits) >= window:
            first = waits.pop(0)
            await first.done.wait()
            failed += first.failed
    for wait in waits:
        await wait.done.wait()
        failed += wait.failed
    return failed


async def open_accounts(slot: Slot, accounts: int) -> None:
    """Open them all."""
    asks = [opening(number) for number in range(accounts)]
    failed = await send(slot, [asks[at : at + BATCH_ITEMS] for at in range(0, accounts, BATCH_ITEMS)], 8)
    assert failed == 0, f"{failed} accounts could not be opened"


async def charges(url: str, accounts: int, count: int) -> Slot:
    """Measure charges a second and the processor time of one."""
    unit = await STORES.open(url)
    slot = await own(unit, Limits(snapshot_interval_ms=3_600_000, snapshot_entries=10**9))
    await open_accounts(slot, accounts)
    pick = random.Random(7)
    packed = [charge(pick.randrange(accounts), serial) for serial in range(count)]
    gc.collect()
    gc.freeze()
    begin, cpu = time.perf_counter(), time.process_time()
    window: list[Wait] = []
    failed = 0
    for at in range(0, count, BATCH_ITEMS):
        some = packed[at : at + BATCH_ITEMS]
        wait = Wait(len(some))
        slot.submit(wait, [(place, unpack_ask(body)) for place, body in enumerate(some)])
        window.append(wait)
        if len(window) >= 8:
            first = window.pop(0)
            await first.done.wait()
            failed += first.failed
    for wait in window:
        await wait.done.wait()
        failed += wait.failed
    took, used = time.perf_counter() - begin, time.process_time() - cpu
    print(
        f"charges  {url.partition(':')[0]:8} accounts {accounts:8,}  charges {count:9,}  {count / took:9,.0f}/s  "
        f"{used / count * 1e6:6.1f} µs processor each  failed {failed}"
    )
    return slot


async def recovery(url: str, accounts: int, count: int) -> tuple[int, float]:
    """Measure how long a takeover takes with `count` entries after the checkpoint; gives entries and seconds."""
    slot = await charges(url, accounts, count)
    unit = await STORES.open(url)
    del slot
    gc.collect()
    begin, cpu = time.perf_counter(), time.process_time()
    slot = await own(unit, Limits())
    took, used = time.perf_counter() - begin, time.process_time() - cpu
    entries = slot.parts.snapshots.entries
    print(
        f"recovery {entries:9,} entries  {took:6.2f} s  {took / entries * 1e6:5.1f} µs an entry "
        f"({used / entries * 1e6:5.1f} µs processor)"
    )
    return entries, took


async def memory(accounts: int) -> dict[str, float]:
    """Measure bytes an account in memory, hot and packed."""
    measured: dict[str, float] = {}
    for name, hot in (("hot", accounts * 2), ("packed", 1_000)):
        unit = await STORES.open("memory:")
        limits = Limits(hot_accounts_max=hot, snapshot_interval_ms=3_600_000, contracts_max=1, kept_entries_max=1)
        slot = await own(unit, limits)
        gc.collect()
        await open_accounts(slot, accounts)
        pick = random.Random(7)
        for base in range(0, accounts, 20_000):
            packed = [charge(number, pick.randrange(10**9)) for number in range(base, min(accounts, base + 20_000))]
            await send(
                slot, [[unpack_ask(body) for body in packed[at : at + 200]] for at in range(0, len(packed), 200)], 8
            )
        measured[name] = bytes_of(slot) / accounts
        await slot.close()
        print(f"memory   {name:7} {measured[name]:7.0f} bytes an account")
    return measured


def bytes_of(slot: Slot) -> int:
    """Deep size of the cells of a slot, shared objects counted once."""
    import sys

    from charging.base.account import Account, Book, Open, Terms
    from charging.base.buckets import Buckets, SumKey

    seen: set[int] = set()

    def size(value: object) -> int:
        if id(value) in seen or value is None:
            return 0
        seen.add(id(value))
        total = sys.getsizeof(value)
        if isinstance(value, dict):
            total += sum(size(key) + size(one) for key, one in value.items())
        elif isinstance(value, tuple):
            total += sum(size(one) for one in value)
        elif isinstance(value, Account | Book | Buckets | Open | SumKey | Terms):
            total += sum(size(getattr(value, field)) for field in value.__struct_fields__)
        return total

    cells = slot.parts.accounts.cells
    total = sys.getsizeof(cells) + 8 * len(cells)
    for account_id, cell in cells.items():
        total += size(account_id) + sys.getsizeof(cell) + size(cell.state) + size(cell.seq) + size(cell.saved)
    return total


def main() -> None:
    """Run what was asked for."""
    calm_collector()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", default="charges", choices=("charges", "recovery", "memory"))
    parser.add_argument("--unit", default="memory:")
    parser.add_argument("--charges", type=int, default=200_000)
    parser.add_argument("--accounts", type=int, default=10_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite://{folder}/unit.db" if arguments.unit == "sqlite" else f"memory:bench-{time.time_ns()}"
        if arguments.what == "charges":
            asyncio.run(charges(url, arguments.accounts, arguments.charges))
        elif arguments.what == "recovery":
            asyncio.run(recovery(url, arguments.accounts, arguments.charges))
        else:
            asyncio.run(memory(arguments.accounts))
    print(f"peak resident {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


if __name__ == "__main__":
    main()

"""What a bill costs the platform and the owner, each alone in this process, and what it costs a charge beside it.

All of it is CPU: what else the machine does counts less.

python -m bench.closes [--accounts 2000]

Once with all in memory, once with the owner's slot in SQLite files, as `make run` has it.
"""

import argparse
import asyncio
import gc
import tempfile
import time
from collections.abc import Sequence

from msgspec import Raw, Struct

from appserver.billing.closings import BillingCaller, asked, closing
from bench.bills import FEES, ITEMS, catalogue, period
from bench.domainserver import One, Wait, identity_of, own, send
from bench.table import Bench, Row
from business.billing.periods import Period, ends_ms
from charging import wire
from charging.base.contract import Contract, Subscription
from charging.base.localtime import LocalTime
from charging.base.usage import SealedCharge, Usage
from charging.ledger.command import Command
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.post_charge import PostCharge
from charging.plans.timeline import Timeline
from charging.wire import AccountsClosed, Ask, Commit, Done, DueAccounts, FetchDue, PackedClosings
from domainservers.base.limits import Limits
from domainservers.slot.slot import Slot
from house.stores import STORES
from runtime.server import calm_collector

ACCOUNTS_AT_ONCE = 40
LIMITS = Limits(snapshot_interval_ms=3_600_000, snapshot_entries=10**9)
ZONE = "Asia/Shanghai"
DAY_MS = 86_400_000
UNDER_WAY = 3
"""Parts of a page, as the platform sends them."""
PAUSE_S = 0.002
TIMEOUT_S = 600


class Costs(Struct, frozen=True):
    """CPU of a bill, µs."""

    asked: float
    """Who is due: told and read."""
    made: float
    """Fees and bill, and the command that closes."""
    sent: float
    """Packed here, read there."""
    closed: float
    """Decided, journaled in memory, its record written."""

    @property
    def all(self) -> float:
        """Give all of it."""
        return self.asked + self.made + self.sent + self.closed

    def told(self) -> str:
        """Say it."""
        return f"asked {self.asked:.0f}, made {self.made:.0f}, sent {self.sent:.0f}, closed {self.closed:.0f} µs"


class Slice(Struct, frozen=True):
    """CPU that an owner spends until a charge is answered, ms, in order."""

    alone: list[float]
    beside: list[float]


def _opening(number: int) -> Commit:
    identity = identity_of(number)
    since_ms = ends_ms(Period(period().month - 1, 1), LocalTime(ZONE)) + 4 * DAY_MS
    held = tuple(Subscription(f"plan-{plan}", since_ms) for plan in range(FEES))
    contract = Contract(identity, identity, "GD", valid_from_ms=since_ms, subscriptions=held)
    action = OpenAccount(
        identity, f"customer-{number}", "postpaid", "CNY", 10**12, 1, contract, (), {}, {}, (), carried=True
    )
    return Commit(identity, Command(identity, "open", b"0" * 16, "", "front", int(time.time() * 1_000), action))


def _usage(number: int, item: int, key: str, at_ms: int) -> Commit:
    identity = identity_of(number)
    sealed = SealedCharge(110_000 + item, "CNY", (), (), 1, False, Raw(b"\x90"))
    action = PostCharge(Usage(identity, f"service-{item}", at_ms, 60), sealed, 1)
    return Commit(identity, Command(identity, key, key.encode().ljust(16)[:16], "", "front", at_ms, action))


async def _owner(accounts: int, base: str = "memory:") -> Slot:
    """Own a slot in which a month has passed for all, in a unit below `base`."""
    slot = await own(await STORES.open(f"{base}bench-{time.time_ns()}"), LIMITS)
    at_ms = ends_ms(period(), LocalTime(ZONE)) - 10 * DAY_MS
    opened = [_opening(number) for number in range(accounts)]
    used = [_usage(number, item, f"use-{item}", at_ms + item) for item in range(ITEMS) for number in range(accounts)]
    for asks in (opened, used):
        if await send(slot, [asks[at : at + 500] for at in range(0, len(asks), 500)], 1):
            raise RuntimeError("nobody could use anything")
    gc.collect()
    gc.freeze()
    return slot


class _Platform:
    """What the platform does for a page, without a process of its own."""

    def __init__(self) -> None:
        self._timeline = Timeline([(0, catalogue())], [], ZONE)
        self._caller = BillingCaller("bench", "front", "")
        self._now_ms = int(time.time() * 1_000)

    def closings(self, due: DueAccounts) -> PackedClosings:
        """Make what closes them."""
        made = [
            closing(self._timeline, each, own or (), self._caller, self._now_ms)
            for each, own in zip(due.accounts, due.contracts, strict=True)
        ]
        return asked(self._caller, self._now_ms, made)


def _ask(slot: Slot, ask: Ask) -> "asyncio.Future[bytes]":
    told = One(asyncio.get_running_loop().time() + TIMEOUT_S)
    slot.submit(told, [(0, ask)])
    return told.answered


async def _due(slot: Slot, after: str) -> DueAccounts:
    ask = FetchDue("GD/0", period().month, 1, ACCOUNTS_AT_ONCE, after, contracts=True)
    answer = wire.unpack_answer(await _ask(slot, ask))
    assert isinstance(answer, DueAccounts)
    return answer


def _check(body: bytes) -> None:
    answer = wire.unpack_answer(body)
    if not isinstance(answer, AccountsClosed) or not all(isinstance(each, Done) for each in answer.answers):
        raise RuntimeError("not closed")


async def costs(accounts: int, base: str = "memory:") -> Costs:
    """Bill accounts in this process, a part after the other; threads of the store count, too."""
    slot, platform = await _owner(accounts, base), _Platform()
    spent, after, done = [0.0] * 4, "", 0
    while after or not done:
        marks = [time.process_time()]
        due = await _due(slot, after)
        marks.append(time.process_time())
        page = platform.closings(due)
        marks.append(time.process_time())
        ask = wire.read_ask(wire.pack(page))
        marks.append(time.process_time())
        _check(await _ask(slot, ask))
        marks.append(time.process_time())
        spent = [all_ + end - begin for all_, begin, end in zip(spent, marks, marks[1:], strict=False)]
        done, after = done + len(due.accounts), due.next
    await slot.close()
    return Costs(*(took / done * 1e6 for took in spent))


async def slices(accounts: int) -> Slice:
    """Charge one after the other, alone and while all are billed."""
    slot, platform = await _owner(accounts), _Platform()
    made: list[bytes] = []
    after = ""
    while after or not made:
        due = await _due(slot, after)
        made.append(wire.pack(platform.closings(due)))
        after = due.next
    alone = await _charged(slot, "alone", accounts // 8)
    run = asyncio.create_task(_closed(slot, made))
    beside: list[float] = []
    while not run.done():
        beside += await _charged(slot, f"beside-{len(beside)}", 10)
    await run
    await slot.close()
    return Slice(sorted(alone), sorted(beside))


async def _closed(slot: Slot, made: Sequence[bytes]) -> None:
    under_way: list[asyncio.Future[bytes]] = []
    for body in made:
        under_way.append(_ask(slot, wire.read_ask(body)))
        while len(under_way) >= UNDER_WAY:
            _check(await under_way.pop(0))
    for each in under_way:
        _check(await each)


async def _charged(slot: Slot, run: str, times: int) -> list[float]:
    """Charge somebody, wait, and again: gives the CPU of each, ms."""
    spent: list[float] = []
    now_ms = int(time.time() * 1_000)
    for number in range(times):
        asked = [(0, _usage(number, 0, f"{run}-{number}", now_ms))]
        begin, wait = time.thread_time(), Wait(1)
        slot.submit(wait, asked)
        await wait.done.wait()
        spent.append((time.thread_time() - begin) * 1_000)
        await asyncio.sleep(PAUSE_S)
    return spent


async def closes(bench: Bench) -> None:
    """Rows of the table."""
    spent = await costs(bench.scale.billed)
    bench.add(
        Row("CPU of a bill, platform and owner", f"{spent.all:.0f} µs", how=f"no streams, no store; {spent.told()}")
    )
    stored = await costs(bench.scale.billed, f"sqlite://{bench.folder}/")
    bench.add(Row("CPU of a close at its owner, SQLite", f"{stored.closed:.0f} µs", f"in memory {spent.closed:.0f} µs"))
    took = await slices(bench.scale.billed)
    p99, usual = took.beside[len(took.beside) * 99 // 100], took.alone[len(took.alone) * 99 // 100]
    row = Row(
        "CPU until a charge is answered, p99", f"{p99:.2f} ms", f"without a run {usual:.2f} ms", f"{p99 / usual:.2f}"
    )
    row.how = f"at its owner; at most {took.beside[-1]:.1f} ms"
    bench.add(row)


def main() -> None:
    """Measure and print."""
    calm_collector()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=2_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="onetier-bench-") as folder:
        for base in ("memory:", f"sqlite://{folder}/") * 3:
            print(base.partition(":")[0], asyncio.run(costs(arguments.accounts, base)).told())
    took = asyncio.run(slices(arguments.accounts))
    for name, found in (("alone", took.alone), ("beside", took.beside)):
        parts = [f"{part:.0%} {found[int(len(found) * part)]:.2f} ms" for part in (0.5, 0.9, 0.99)]
        print(name, len(found), *parts, f"all {found[-1]:.2f} ms")


if __name__ == "__main__":
    main()

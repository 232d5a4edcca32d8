"""Stages of a bill run at one owner: what a deposit waits when it is staged and when it is not, and replays a second.

python -m bench.stages [--unit memory:|sqlite] [--accounts N]
"""

import argparse
import asyncio
import tempfile
import time
from hashlib import blake2b

from msgspec import Raw, Struct
from msgspec.msgpack import encode

from bench.domainserver import BATCH_ITEMS, Wait, charge, identity_of, open_accounts, own, send
from bench.table import Aim, Bench, Row
from business.billing.actions import CancelRun, CompleteRun, OpenRun, RunAction
from business.billing.kind import subject_of
from business.billing.periods import Period
from charging.base.house_keys import digest_of
from charging.base.subject import Instruction
from charging.ledger.command import Command
from charging.ledger.commands.top_up import TopUp
from charging.wire import Commit, Instruct, unpack_ask
from domainservers.base.limits import Limits
from domainservers.slot.slot import Slot
from house.stores import STORES
from runtime.server import calm_collector

PERIOD = Period(2_900 * 12, 1)
"""Far ahead, so that every account is in it; the owner looks at no calendar."""
ROUNDS = 4
"""Deposits one at a time, in turn direct and staged, so that what else the machine does meets both."""
LATENCY_MAX, REPLAYS_MIN = 1.2, 5_000


class Staged(Struct, frozen=True):
    """What was measured."""

    direct_ms: float
    """p99 of a deposit alone."""
    staged_ms: float
    replays: float
    """Accounts a second."""
    refused: int
    """Deposits and charges, during the run."""


async def measure(url: str, accounts: int) -> Staged:
    """Time deposits one by one, then stage one of each account, charge it, and let the owner replay them all."""
    unit = await STORES.open(url)
    slot = await own(unit, Limits(snapshot_interval_ms=3_600_000, snapshot_entries=10**9))
    await open_accounts(slot, accounts)
    refused, some = 0, min(accounts, 500)
    waits: dict[str, list[float]] = {"direct": [], "staged": []}
    for turn in range(ROUNDS):
        for mode in ("direct", "staged"):
            if mode == "staged":
                await _tell(slot, OpenRun(PERIOD, "staged", 1, 1 << 45), f"open-{turn}")
            for number in range(some):
                begin = time.perf_counter()
                refused += await send(slot, [[_deposit(slot, number, f"{mode}-{turn}")]], 1)
                waits[mode].append(time.perf_counter() - begin)
            if mode == "staged" and turn < ROUNDS - 1:
                await _cancel(slot, turn)
    left = [_deposit(slot, number, "all") for number in range(some, accounts)]
    refused += await send(slot, [left[at : at + BATCH_ITEMS] for at in range(0, len(left), BATCH_ITEMS)], 8)
    uses = [unpack_ask(charge(number, number)) for number in range(accounts)]
    refused += await send(slot, [uses[at : at + BATCH_ITEMS] for at in range(0, accounts, BATCH_ITEMS)], 8)
    staged = len(slot.parts.watch.staged)
    await _tell(slot, CompleteRun(PERIOD), "complete")
    begin = time.perf_counter()
    await _replayed(slot)
    took = time.perf_counter() - begin
    slot.end()
    await unit.close()
    return Staged(_p99_ms(waits["direct"]), _p99_ms(waits["staged"]), staged / took, refused)


async def _replayed(slot: Slot) -> None:
    """Let the owner replay until nothing waits."""
    while slot.parts.watch.staged:
        slot.stages.sweep()
        await asyncio.sleep(0.001)


async def _cancel(slot: Slot, turn: int) -> None:
    """Give the run up, so that the next turn begins with nothing staged."""
    await _tell(slot, CancelRun(PERIOD, "next turn"), f"cancel-{turn}")
    await _replayed(slot)


async def _tell(slot: Slot, action: RunAction, key: str) -> None:
    subject_id = subject_of(slot.name)
    instruction = Instruction(subject_id, key, digest_of(key), "", "", 1, Raw(encode(action)), "bench")
    wait = Wait(1)
    slot.submit(wait, [(0, Instruct(instruction))])
    await wait.done.wait()
    if wait.failed:
        raise RuntimeError(f"the run can't be changed: {key}")


def _deposit(slot: Slot, number: int, key: str) -> Commit:
    identity = identity_of(number)
    digest = blake2b(f"{key}-{number}".encode(), digest_size=16).digest()
    action = TopUp("", "", 10_000_000, 0, 0, "", "cash")
    return Commit(identity, Command(identity, key, digest, "", "front", slot.parts.around.newest_ms, action))


def _p99_ms(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) * 99 // 100] * 1000


async def stages(bench: Bench) -> None:
    """Rows of the table."""
    done = await measure(f"sqlite://{bench.folder}/stages.db", bench.scale.billed)
    ratio = done.staged_ms / done.direct_ms
    row = Row("staged deposit, p99", f"{done.staged_ms:.2f} ms", f"{done.direct_ms:.2f} ms", f"{ratio:.2f}")
    row.how = "one at a time at one owner, SQLite; the limit is the same in mode direct"
    bench.add(row, Aim("≤ 1.2", LATENCY_MAX, at_least=False), ratio)
    row = Row("replays of staged deposits, one owner", f"{done.replays:,.0f}/s", how="an account each, SQLite")
    bench.add(row, Aim("≥ 5,000/s", REPLAYS_MIN), done.replays)
    row = Row("refused because of billing", f"{done.refused}", how="deposits and charges of accounts in their run")
    bench.add(row, Aim("0", 0, at_least=False), done.refused)


def main() -> None:
    """Measure and print."""
    calm_collector()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unit", default="sqlite")
    parser.add_argument("--accounts", type=int, default=10_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite://{folder}/unit.db" if arguments.unit == "sqlite" else f"memory:bench-{time.time_ns()}"
        print(asyncio.run(measure(url, arguments.accounts)))


if __name__ == "__main__":
    main()

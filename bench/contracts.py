"""Changes of contracts at one owner: how many a second, each with a fee in the same entry.

python -m bench.contracts [--unit memory:|sqlite] [--changes N]
"""

import argparse
import asyncio
import tempfile
import time
from hashlib import blake2b

from msgspec import Raw
from msgspec.msgpack import encode

from bench.domainserver import BATCH_ITEMS, identity_of, open_accounts, own, send
from bench.table import Bench, Row
from charging.base.due import Due
from charging.base.usage import SealedCharge
from charging.ledger.command import Command
from charging.ledger.commands.join import Join
from charging.ledger.commands.subscribe import Subscribe
from charging.ledger.dues import Dues
from charging.wire import Commit
from domainservers.base.limits import Limits
from domainservers.slot.slot import Slot
from house.stores import STORES
from runtime.server import calm_collector

FEE = SealedCharge(30_000_000, "CNY", (), (), 1, False, Raw(encode([])))
MONTH_MS = 30 * 86_400_000
WINDOW = 8
ROUNDS = 4
"""Changes of each account: the fees of one contract and its subscriptions grow by them."""


async def measure(url: str, changes: int) -> float:
    """Give changes a second, journaled before they are answered; each account changes `ROUNDS` times."""
    unit = await STORES.open(url)
    slot = await own(unit, Limits(snapshot_interval_ms=3_600_000, snapshot_entries=10**9, contracts_max=10**6))
    accounts = max(1, changes // ROUNDS)
    await open_accounts(slot, accounts)
    took = 0.0
    for turn in range(ROUNDS):
        asks = [_change(slot, number, turn) for number in range(accounts)]
        batches = [asks[at : at + BATCH_ITEMS] for at in range(0, accounts, BATCH_ITEMS)]
        begin = time.perf_counter()
        failed = await send(slot, batches, WINDOW)
        took += time.perf_counter() - begin
        if failed:
            raise RuntimeError(f"{failed} contracts could not be changed")
    slot.end()
    await unit.close()
    return accounts * ROUNDS / took


def _change(slot: Slot, number: int, turn: int) -> Commit:
    """Make the command of one more subscription, on the contract as the owner has it; at last a member joins."""
    identity = identity_of(number)
    known = slot.parts.contracts.get(identity)
    if known is None or known.contract is None:
        raise RuntimeError(f"{identity} has no contract")
    now_ms = slot.parts.around.newest_ms
    fee = Due(identity, f"pack-{turn}", "rent", "rent", now_ms, now_ms + MONTH_MS, FEE)
    brings = Dues((fee,), known.contract.version)  # Nothing else has changed the account.
    action = Subscribe(f"pack-{turn}", "now", now_ms, 0, {}, 0, 1, known.contract, brings)
    if turn == ROUNDS - 1:
        return _asked(identity, f"join-{number}", Join(f"tv:bench-{number}", "", "now", now_ms, {}, "", 0), now_ms)
    return _asked(identity, f"change-{turn}-{number}", action, now_ms)


def _asked(identity: str, key: str, action: Subscribe | Join, now_ms: int) -> Commit:
    digest = blake2b(key.encode(), digest_size=16).digest()
    return Commit(identity, Command(identity, key, digest, "", "front", now_ms, action))


async def contracts(bench: Bench) -> None:
    """One row of the table."""
    rate = await measure(f"sqlite://{bench.folder}/contracts.db", bench.scale.items // 4)
    row = Row("changes of contracts with a fee, one owner", f"{rate:,.0f}/s", "")
    row.how = f"{ROUNDS - 1} subscriptions each, the fee in the same entry, and a member that joins; SQLite"
    bench.add(row)


def main() -> None:
    """Measure and print."""
    calm_collector()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unit", default="sqlite")
    parser.add_argument("--changes", type=int, default=20_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite://{folder}/unit.db" if arguments.unit == "sqlite" else f"memory:bench-{time.time_ns()}"
        print(f"{asyncio.run(measure(url, arguments.changes)):,.0f} changes of contracts/s, a fee with each")


if __name__ == "__main__":
    main()

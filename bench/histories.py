"""Charges at one owner while the histories of its accounts are asked for as fast as they are told, and without.

python -m bench.histories [--unit memory:|sqlite] [--charges N]
"""

import argparse
import asyncio
import random
import tempfile
import time

from msgspec import Struct

from bench.domainserver import BATCH_ITEMS, Wait, charge, identity_of, open_accounts, own, send
from bench.table import Bench, Row
from charging.wire import Ask, FetchHistory, unpack_ask
from domainservers.base.limits import Limits
from domainservers.slot.slot import Slot
from house.stores import STORES
from runtime.server import calm_collector

ACCOUNTS = 2_000
LINES = 40
TURNS = 4
ASKED_AT_ONCE = 400
"""Histories that wait at any moment; whoever is answered asks again."""


class Told(Struct):
    """What was measured."""

    alone: float
    """Charges a second without readers."""
    beside: float
    """With them."""
    histories: float
    """Told a second meanwhile, `LINES` lines each."""


async def measure(url: str, count: int) -> Told:
    """Charge by turns without readers and with them, so that what else the machine does is in both."""
    unit = await STORES.open(url)
    slot = await own(unit, Limits(snapshot_interval_ms=3_600_000, snapshot_entries=10**9, kept_entries_max=1))
    await open_accounts(slot, ACCOUNTS)
    await charges_s(slot, 0, count)
    alone_s = beside_s = 0.0
    reader = _Reader(slot)
    for turn in range(TURNS):
        alone_s += await charges_s(slot, (1 + 2 * turn) * count, count)
        readers = asyncio.create_task(reader.read())
        await asyncio.sleep(0)
        beside_s += await charges_s(slot, (2 + 2 * turn) * count, count)
        readers.cancel()
        (told,) = await asyncio.gather(readers, return_exceptions=True)
        if not isinstance(told, asyncio.CancelledError):
            raise RuntimeError(f"the readers ended: {told}")
    slot.end()
    await unit.close()
    return Told(TURNS * count / alone_s, TURNS * count / beside_s, reader.answered / beside_s)


async def charges_s(slot: Slot, first: int, count: int) -> float:
    """Give the seconds that they took."""
    pick = random.Random(first)
    packed = [charge(pick.randrange(ACCOUNTS), first + serial) for serial in range(count)]
    batches = [[unpack_ask(body) for body in packed[at : at + BATCH_ITEMS]] for at in range(0, count, BATCH_ITEMS)]
    begin = time.perf_counter()
    failed = await send(slot, batches, 8)
    if failed:
        raise RuntimeError(f"{failed} charges failed")
    return time.perf_counter() - begin


class _Reader:
    """Asks for histories again and again."""

    def __init__(self, slot: Slot) -> None:
        self.answered = 0
        self._slot = slot
        self._pick = random.Random(3)

    async def read(self) -> None:
        """Ask until cancelled."""
        while True:
            asks: list[tuple[int, Ask]] = [
                (place, FetchHistory(identity_of(self._pick.randrange(ACCOUNTS)), LINES))
                for place in range(ASKED_AT_ONCE)
            ]
            wait = Wait(len(asks))
            self._slot.submit(wait, asks)
            while wait.left:
                left = wait.left
                await asyncio.sleep(0.01)
                self.answered += left - wait.left


async def histories(bench: Bench) -> None:
    """One row of the table."""
    told = await measure(f"sqlite://{bench.folder}/histories.db", bench.scale.items // TURNS)
    row = Row(f"charges beside histories of {LINES} lines", f"{told.beside:,.0f}/s", f"without {told.alone:,.0f}/s")
    row.ratio, row.how = f"{told.beside / told.alone:.0%}", f"{told.histories:,.0f} histories/s meanwhile, one owner"
    bench.add(row)


def main() -> None:
    """Measure and print."""
    calm_collector()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unit", default="sqlite")
    parser.add_argument("--charges", type=int, default=20_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite://{folder}/unit.db" if arguments.unit == "sqlite" else f"memory:bench-{time.time_ns()}"
        told = asyncio.run(measure(url, arguments.charges))
    print(
        f"charges {told.beside:,.0f}/s beside {told.histories:,.0f} histories/s of {LINES} lines, "
        f"{told.alone:,.0f}/s without: {told.beside / told.alone:.0%}"
    )


if __name__ == "__main__":
    main()

"""Pages of rated usage at one owner: how many a second, and what the charges beside them lose.

python -m bench.details [--unit memory:|sqlite] [--charges N]
"""

import argparse
import asyncio
import random
import tempfile
import time

from bench.domainserver import Wait, identity_of, open_accounts, own
from bench.histories import ACCOUNTS, ASKED_AT_ONCE, TURNS, Told, charges_s
from bench.table import Bench, Row
from charging.wire import Ask, FetchDetail
from domainservers.base.limits import Limits
from domainservers.slot.slot import Slot
from house.stores import STORES
from runtime.server import calm_collector

RECORDS = 50
ALONE_S = 2.0


async def measure(url: str, count: int) -> tuple[float, Told]:
    """Give pages a second alone, and charges by turns without readers and with them."""
    unit = await STORES.open(url)
    slot = await own(unit, Limits(snapshot_interval_ms=3_600_000, snapshot_entries=10**9, kept_entries_max=1))
    await open_accounts(slot, ACCOUNTS)
    await charges_s(slot, 0, count)
    reader = _Pages(slot)
    alone = await reader.for_seconds(ALONE_S)
    alone_s = beside_s = 0.0
    reader.answered = 0
    for turn in range(TURNS):
        alone_s += await charges_s(slot, (1 + 2 * turn) * count, count)
        pages = asyncio.create_task(reader.read())
        await asyncio.sleep(0)
        beside_s += await charges_s(slot, (2 + 2 * turn) * count, count)
        pages.cancel()
        (told,) = await asyncio.gather(pages, return_exceptions=True)
        if not isinstance(told, asyncio.CancelledError):
            raise RuntimeError(f"the readers ended: {told}")
    slot.end()
    await unit.close()
    return alone, Told(TURNS * count / alone_s, TURNS * count / beside_s, reader.answered / beside_s)


class _Pages:
    """Asks for pages again and again."""

    def __init__(self, slot: Slot) -> None:
        self.answered = 0
        self._slot = slot
        self._pick = random.Random(5)

    async def for_seconds(self, seconds: float) -> float:
        """Ask for so long; gives pages a second."""
        begin, before = time.perf_counter(), self.answered
        try:
            async with asyncio.timeout(seconds):
                await self.read()
        except TimeoutError:
            pass
        return (self.answered - before) / (time.perf_counter() - begin)

    async def read(self) -> None:
        """Ask until cancelled."""
        while True:
            asks: list[tuple[int, Ask]] = [
                (place, FetchDetail(identity_of(self._pick.randrange(ACCOUNTS)), RECORDS))
                for place in range(ASKED_AT_ONCE)
            ]
            wait = Wait(len(asks))
            self._slot.submit(wait, asks)
            while wait.left:
                left = wait.left
                await asyncio.sleep(0.01)
                self.answered += left - wait.left


async def details(bench: Bench) -> None:
    """One row of the table."""
    alone, told = await measure(f"sqlite://{bench.folder}/details.db", bench.scale.items // TURNS)
    row = Row(f"detail pages of {RECORDS} records, one owner", f"{alone:,.0f}/s", "a fifth of its time at most")
    row.ratio = f"{told.beside / told.alone:.0%}"
    row.how = f"charges {told.beside:,.0f}/s beside {told.histories:,.0f} pages/s, {told.alone:,.0f}/s without"
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
        alone, told = asyncio.run(measure(url, arguments.charges))
    print(
        f"{alone:,.0f} pages/s alone; charges {told.beside:,.0f}/s beside {told.histories:,.0f} pages/s of {RECORDS} "
        f"records, {told.alone:,.0f}/s without: {told.beside / told.alone:.0%}"
    )


if __name__ == "__main__":
    main()

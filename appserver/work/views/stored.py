"""Details that were gathered: the owner tells what came since, the folder of details what was before.

The folder is read in a thread of its own, so that charges beside it wait for nothing.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from charging.base.account_id import slot_of
from charging.base.bounds import MOMENT_MS_MAX
from charging.errors import Broken, Fault
from charging.ledger.details import RatedUsage
from details.store import DetailAsk, DetailRows, DetailStore, RowPlace
from runtime.settings import BadSettings
from runtime.telemetry import logger

log = logger("appserver.details")
FLOORS_MAX = 8
"""Slots that a cursor names: the one that opened the account, and those of a region that it was ported to."""
TRIES = 3
"""Of a page: files that were joined to one meanwhile are gone."""

FIRST_ROW = RowPlace(MOMENT_MS_MAX, 0, 0, "-")
"""Behind it stand all rows."""

Floors = tuple[tuple[str, int], ...]


class StoredPlace:
    """Where a page of details begins, as its cursor writes it: in the journal above the floors, or in the folder."""

    __slots__ = ("floors", "position", "row")

    def __init__(self, floors: Floors, position: int = 0, row: RowPlace | None = None) -> None:
        self.floors = floors
        self.position = position
        """Of the journal; -1 = in the folder, behind `row`."""
        self.row = row

    def text(self) -> str:
        """Write it."""
        row = self.row
        head = [str(self.position)]
        if row is not None:
            head += [str(row.start_ms), str(row.position), str(row.nth), row.slot]
        return "|".join((*head, *(f"{slot}={seq}" for slot, seq in self.floors)))


def read_place(text: str) -> StoredPlace:
    """Read a place. Raises `ValueError`."""
    words = text.split("|")
    position, row = int(words[0]), None
    if position < 0 and len(words) > 4 and "=" not in words[4]:
        row = RowPlace(int(words[1]), int(words[2]), int(words[3]), words[4])
    floors = [word.rpartition("=") for word in words[1:] if "=" in word]
    return StoredPlace(tuple((slot, int(seq)) for slot, _, seq in floors), position, row)


class StoredDetails:
    """Reads one folder."""

    def __init__(self, home: Path) -> None:
        """Raises `BadSettings` when there is no such folder."""
        if not home.is_dir():
            raise BadSettings(f"details: {home} is no folder; `onetier details gather` makes one")
        self._store = DetailStore(home)
        self._thread = ThreadPoolExecutor(1, "details")
        self._tasks: set[asyncio.Task[None]] = set()

    def floors(self, account_id: str, region: str) -> Floors:
        """Say up to where the journals that an account may be in were gathered."""
        home = slot_of(account_id)
        slots = [home] if home else []
        if not home.startswith(f"{region}/"):
            slots += self._store.slots_in(region)
        return self._store.floors(slots[:FLOORS_MAX])

    def read(
        self,
        ask: DetailAsk,
        rows_max: int,
        behind: RowPlace | None,
        tell: Callable[[tuple[RatedUsage, ...], RowPlace | None], None],
        refuse: Callable[[Fault], None],
    ) -> None:
        """Read a page; `tell` is called with it and the row behind which the next begins, or `refuse`."""

        async def work() -> None:
            try:
                loop = asyncio.get_running_loop()
                found = await loop.run_in_executor(self._thread, self._page, ask, rows_max, behind)
            except Fault as fault:
                refuse(fault)
            except Exception:
                log.exception("details could not be read")
                refuse(Broken("INTERNAL", "the details could not be read"))
            else:
                tell(tuple([row.usage for row in found.rows]), found.following)

        task = asyncio.get_running_loop().create_task(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _page(self, ask: DetailAsk, rows_max: int, behind: RowPlace | None) -> DetailRows:
        for _ in range(TRIES):
            try:
                return self._store.page(ask, rows_max, behind)
            except FileNotFoundError:
                continue
        raise Broken("DETAILS_MISSING", "a file of the details is not there")

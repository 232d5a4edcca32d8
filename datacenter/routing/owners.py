"""Who owns which slot, read from the directory unit again and again, and at once when a domain server says "not mine".

Owner records are hints: a wrong one costs a round trip, never a write in the wrong place.
"""

import asyncio
from collections.abc import Callable, Mapping

from directory.owners import Owner, load_owners
from runtime.telemetry import logger
from storage.unit import StoreUnavailable, Unit

log = logger("datacenter.owners")

POLL_MS_MAX = 250


class OwnerTable:
    """The owners as last read. `start` it in a running loop, `close` it at the end."""

    def __init__(self, unit: Unit, poll_ms: int, on_change: Callable[[Mapping[str, Owner]], None]) -> None:
        self._unit = unit
        self._poll_s = min(poll_ms, POLL_MS_MAX) / 1_000
        self._on_change = on_change
        self.owners: dict[str, Owner] = {}
        self._reading: asyncio.Task[None] | None = None
        self._poll: asyncio.Task[None] | None = None
        self._away = False

    async def start(self) -> None:
        """Read once, then poll. Raises `StoreUnavailable`."""
        await self._read()
        self._poll = asyncio.get_running_loop().create_task(self._follow())

    async def close(self) -> None:
        """Stop polling."""
        tasks = [task for task in (self._poll, self._reading) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def refresh(self) -> None:
        """Read now; callers at the same time share the reading. Leaves the table as it is when the store is away."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.get_running_loop().create_task(self._read_patiently())
        await asyncio.shield(self._reading)

    async def _read(self) -> None:
        owners = await load_owners(self._unit)
        if owners != self.owners:
            self.owners = owners
            self._on_change(owners)

    async def _read_patiently(self) -> None:
        try:
            await self._read()
            self._away = False
        except StoreUnavailable as error:
            if not self._away:
                log.warning("owners can't be read", why=str(error))
            self._away = True

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            await self.refresh()

"""The second correspondence: domain → shared and private storage unit, as the directory names their addresses.

A unit is opened once for each address, whoever uses it, and closed when nobody does. A domain whose address changes is
served from the new one after its slots were taken over there (see `domainservers.slot.moving`).
"""

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import Struct

from charging.errors import Unavailable
from storage.unit import Unit

OpenUnit = Callable[[str], Awaitable[Unit]]


class Places(Struct, frozen=True):
    """Addresses of a domain's units."""

    shared: str
    private: str


class Units:
    """Open units by address, each opened once and counted: whoever takes one gives it back."""

    def __init__(self, open_unit: OpenUnit) -> None:
        self._open_unit = open_unit
        self._opened: dict[str, Unit] = {}
        self._users: dict[str, int] = {}
        self._lock = asyncio.Lock()

    async def take(self, places: Places) -> tuple[Unit, Unit]:
        """Give the shared and the private unit at these addresses; give them back with `release`.

        Raises `Unavailable` UNIT_UNNAMED when the directory names none, `StoreUnavailable`, `StoreRejected`.
        """
        if not places.shared or not places.private:
            raise Unavailable(
                "UNIT_UNNAMED", "the directory names no address for a unit of this domain", retry_ms=1_000
            )
        shared = await self._take(places.shared)
        try:
            private = await self._take(places.private)
        except BaseException:
            await self._give_back(places.shared)
            raise
        return shared, private

    async def _take(self, url: str) -> Unit:
        async with self._lock:
            unit = self._opened.get(url)
            if unit is None:
                unit = self._opened[url] = await self._open_unit(url)
            self._users[url] = self._users.get(url, 0) + 1
            return unit

    async def release(self, places: Places) -> None:
        """Give back what `take` gave."""
        await self._give_back(places.shared)
        await self._give_back(places.private)

    async def _give_back(self, url: str) -> None:
        async with self._lock:
            self._users[url] -= 1
            if self._users[url] == 0:
                del self._users[url]
                await self._opened.pop(url).close()

    async def close(self) -> None:
        """Close everything."""
        async with self._lock:
            opened, self._opened, self._users = self._opened, {}, {}
            for unit in opened.values():
                await unit.close()

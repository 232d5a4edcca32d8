"""From an address to a unit."""

from collections.abc import Iterable

from storage.reading import ReadOnlyUnit
from storage.unit import Unit
from storage.url import backend_of, parse


class Stores:
    """Opens units for a process that keeps certain collections in them, and no others.

    The rooms say which there are (`runtime.room.Collection`): a name that none of them brought is a mistake that a
    unit refuses, instead of records that nobody finds again.
    """

    def __init__(self, collections: Iterable[str]) -> None:
        self._collections = frozenset(collections)

    async def open(self, url: str) -> Unit:
        """Open the unit at `url` (see `storage.url`), making it or bringing its schema up to date.

        Raises `StoreUnavailable` when the store can't be reached now, `StoreRejected` when it never will be like this.
        """
        address = parse(url)
        return await backend_of(address).open(address, self._collections, read_only=False)

    async def open_to_read(self, url: str) -> Unit:
        """Open the unit at `url` to look at it: nothing is made, upgraded, forgotten or written.

        Raises `StoreUnavailable`; `StoreRejected` when there is none, or its schema is not that of this release.
        """
        address = parse(url)
        return ReadOnlyUnit(await backend_of(address).open(address, self._collections, read_only=True))

    async def migrate(self, url: str) -> None:
        """Make the unit at `url`, or bring its schema up to date. Safe at any time, from several processes at once."""
        unit = await self.open(url)
        await unit.close()

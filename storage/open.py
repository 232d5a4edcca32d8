"""From an address to a unit."""

from storage.memory.unit import MemoryUnit, store_named
from storage.reading import ReadOnlyUnit
from storage.sqlite.unit import open_sqlite
from storage.unit import Unit
from storage.url import parse


async def open_unit(url: str) -> Unit:
    """Open the unit at `url` (see `storage.url`), making it or bringing its schema up to date.

    Raises `StoreUnavailable` when the store can't be reached now, `StoreRejected` when it never will be like this.
    """
    address = parse(url)
    if address.scheme == "memory":
        return MemoryUnit(store_named(address.path))
    if address.scheme == "sqlite":
        return await open_sqlite(address.file())
    from storage.cassandra.unit import open_cassandra  # the driver takes 100 ms to import

    return await open_cassandra(address)


async def open_to_read(url: str) -> Unit:
    """Open the unit at `url` to look at it: nothing is made, upgraded, forgotten or written.

    Raises `StoreUnavailable`; `StoreRejected` when there is none, or its schema is not that of this release.
    """
    address = parse(url)
    if address.scheme == "memory":
        return ReadOnlyUnit(MemoryUnit(store_named(address.path)))
    if address.scheme == "sqlite":
        return ReadOnlyUnit(await open_sqlite(address.file(), read_only=True))
    from storage.cassandra.unit import open_cassandra  # the driver takes 100 ms to import

    return ReadOnlyUnit(await open_cassandra(address, read_only=True))


async def migrate(url: str) -> None:
    """Make the unit at `url`, or bring its schema up to date. Safe at any time, from several processes at once."""
    unit = await open_unit(url)
    await unit.close()

"""Units in the memory of this process, as a kind of store."""

from storage.address import UnitUrl
from storage.backend import Backend, Reach
from storage.memory.unit import MemoryUnit, store_named
from storage.unit import Collections, Unit


def _take(address: UnitUrl, _shown: str) -> UnitUrl:
    return UnitUrl(address.scheme, "", address.path, address.options)


async def _open(address: UnitUrl, collections: Collections, *, read_only: bool) -> Unit:
    return MemoryUnit(store_named(address.path), collections)


MEMORY = Backend(scheme="memory", take=_take, reach=lambda _address: Reach(), open=_open)

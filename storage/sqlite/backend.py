"""Units in SQLite files, as a kind of store."""

from urllib.parse import urlsplit

from storage.address import UnitUrl
from storage.backend import Backend, Grounds, Reach
from storage.sqlite.unit import open_sqlite
from storage.unit import Collections, StoreRejected, Unit


def _take(address: UnitUrl, shown: str) -> UnitUrl:
    if address.host or not address.path.startswith("/") or address.path.endswith("/"):
        raise StoreRejected(f"{shown}: write sqlite:///absolute/folder/file.db, with three slashes.")
    return address


async def _open(address: UnitUrl, collections: Collections, *, read_only: bool) -> Unit:
    return await open_sqlite(address.file(), collections, read_only=read_only)


def _below(base: str, name: str) -> str:
    return f"sqlite://{urlsplit(base).path.rstrip('/')}/{name}.db"


SQLITE = Backend(
    scheme="sqlite",
    take=_take,
    reach=lambda address: Reach(file=address.file()),
    open=_open,
    grounds=Grounds("sqlite:///folder", _below, joint="/", units_are_dear=False),
)

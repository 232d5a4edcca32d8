"""Units in Cassandra keyspaces, as a kind of store."""

import re
from urllib.parse import urlsplit, urlunsplit

from storage.address import UnitUrl
from storage.backend import Backend, Grounds, Reach
from storage.unit import Collections, StoreRejected, Unit


def _take(address: UnitUrl, shown: str) -> UnitUrl:
    keyspace = address.path.lstrip("/")
    if "@" in address.host:
        raise StoreRejected(f"{shown}: write credentials as options, user=… and password_env=….")
    if not address.host or not re.fullmatch(r"[a-z][a-z0-9_]{0,47}", keyspace):
        raise StoreRejected(
            f"{shown}: write cassandra://host:port,host/keyspace, the keyspace of a-z, 0-9, _ (at most 48)."
        )
    return UnitUrl(address.scheme, address.host, keyspace, address.options)


def _reach(address: UnitUrl) -> Reach:
    variable = address.options.get("password_env", "")
    return Reach(hosts=tuple(address.host.split(",")), variables=(variable,) if variable else ())


async def _open(address: UnitUrl, collections: Collections, *, read_only: bool) -> Unit:
    from storage.cassandra.unit import open_cassandra  # the driver takes 100 ms to import

    return await open_cassandra(address, collections, read_only=read_only)


def _below(base: str, name: str) -> str:
    parts = urlsplit(base)
    prefix = parts.path.strip("/") or "onetier"
    return urlunsplit(parts._replace(path=f"/{prefix}_{name.replace('-', '_')}"))


CASSANDRA = Backend(
    scheme="cassandra",
    take=_take,
    reach=_reach,
    open=_open,
    grounds=Grounds("cassandra://hosts/prefix?options", _below, joint="_", units_are_dear=True),
)

"""Addresses of storage units, as they are written.

memory:name                                     of this process only
sqlite:///absolute/folder/file.db
cassandra://10.0.0.1:9042,10.0.0.2/keyspace?dc1=3&tls_ca=/etc/…&user=onetier&password_env=ONETIER_CASSANDRA_PASSWORD
"""

from urllib.parse import parse_qsl, unquote, urlsplit

from storage.address import UnitUrl, masked
from storage.backend import Backend, Reach
from storage.backends import BACKENDS
from storage.unit import StoreRejected


def parse(url: str) -> UnitUrl:
    """Take an address apart. Raises `StoreRejected` with what is wrong about it."""
    shown = masked(url)
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise StoreRejected(f"{shown}: this is no address: {error}.") from error
    path = unquote(parts.path)
    if "\0" in path:
        raise StoreRejected(f"{shown}: no file and no keyspace has a zero byte in its name.")
    backend = BACKENDS.get(parts.scheme)
    if backend is None:
        known = ", ".join(f"{scheme}:" for scheme in BACKENDS)
        raise StoreRejected(f"{shown}: a unit's address starts with one of {known}.")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    return backend.take(UnitUrl(parts.scheme, parts.netloc, path, options), shown)


def backend_of(address: UnitUrl) -> Backend:
    """Give the kind of store of an address that `parse` gave; any other scheme raises KeyError."""
    return BACKENDS[address.scheme]


def reach_of(address: UnitUrl) -> Reach:
    """Say what a process touches that opens an address."""
    return backend_of(address).reach(address)

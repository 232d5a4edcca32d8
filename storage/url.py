"""Addresses of storage units.

    memory:name                                     of this process only
    sqlite:///absolute/folder/file.db
    cassandra://10.0.0.1:9042,10.0.0.2/keyspace?dc1=3&tls_ca=/etc/…&user=onetier&password_env=ONETIER_CASSANDRA_PASSWORD

An address may hold a password; `masked` is for logs.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, unquote, unquote_plus, urlsplit

from msgspec import Struct

from storage.unit import StoreRejected


class UnitUrl(Struct, frozen=True):
    """An address, taken apart."""

    scheme: str
    host: str
    path: str
    """Decoded; without the leading slash for Cassandra."""
    options: Mapping[str, str]

    def file(self) -> Path:
        """The file of a SQLite address."""
        return Path(self.path)


def parse(url: str) -> UnitUrl:
    """Take an address apart. Raises `StoreRejected` with what is wrong about it."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise StoreRejected(f"{masked(url)}: this is no address: {error}.") from error
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    path = unquote(parts.path)
    if "\0" in path:
        raise StoreRejected(f"{masked(url)}: no file and no keyspace has a zero byte in its name.")
    if parts.scheme == "memory":
        return UnitUrl("memory", "", path, options)
    if parts.scheme == "sqlite":
        if parts.netloc or not path.startswith("/") or path.endswith("/"):
            raise StoreRejected(f"{masked(url)}: write sqlite:///absolute/folder/file.db, with three slashes.")
        return UnitUrl("sqlite", "", path, options)
    if parts.scheme == "cassandra":
        keyspace = path.lstrip("/")
        if "@" in parts.netloc:
            raise StoreRejected(f"{masked(url)}: write credentials as options, user=… and password_env=….")
        if not parts.netloc or not re.fullmatch(r"[a-z][a-z0-9_]{0,47}", keyspace):
            raise StoreRejected(
                f"{masked(url)}: write cassandra://host:port,host/keyspace, the keyspace of a-z, 0-9, _ (at most 48)."
            )
        return UnitUrl("cassandra", parts.netloc, keyspace, options)
    raise StoreRejected(f"{masked(url)}: a unit's address starts with sqlite:, cassandra: or memory:.")


def masked(url: str) -> str:
    """The address without its secrets, also where it is malformed: this is what errors and listings show."""
    address, mark, query = url.partition("?")
    # The slash that sqlite's third one is keeps a file name with an @ readable.
    address = re.sub(r"://[^/].*@", "://***@", address)
    return address + mark + "&".join(_masked_option(option) for option in query.split("&"))


def _masked_option(option: str) -> str:
    return "password=***" if unquote_plus(option.partition("=")[0]) == "password" else option

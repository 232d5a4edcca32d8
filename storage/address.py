"""Addresses of storage units, taken apart, and as they may be shown. An address may hold a password."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote_plus

from msgspec import Struct


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


def masked(url: str) -> str:
    """The address without its secrets, also where it is malformed: this is what errors and listings show."""
    address, mark, query = url.partition("?")
    # The slash that sqlite's third one is keeps a file name with an @ readable.
    address = re.sub(r"://[^/].*@", "://***@", address)
    return address + mark + "&".join(_masked_option(option) for option in query.split("&"))


def _masked_option(option: str) -> str:
    return "password=***" if unquote_plus(option.partition("=")[0]) == "password" else option

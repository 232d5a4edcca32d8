"""What a kind of store tells of itself: the descriptor in its folder. `storage.backends` is the list of all.

A new kind of store is a folder with a unit that passes `tests/contract` and a `Backend`, and one line in that list.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from storage.address import UnitUrl
from storage.unit import Collections, Unit


class Reach(Struct, frozen=True):
    """What a process touches that opens an address; `storage.allowed` holds it against the process's own lists."""

    file: Path | None = None
    """On this machine."""
    hosts: tuple[str, ...] = ()
    """Each host:port, or a host alone, that is connected to."""
    variables: tuple[str, ...] = ()
    """Of the environment, that are sent there."""


class UnitOpening(Protocol):
    """How a unit of a kind of store is opened."""

    async def __call__(self, address: UnitUrl, collections: Collections, *, read_only: bool) -> Unit:
        """Open the unit, making it or bringing its schema up to date; `read_only` leaves it as it is.

        Raises `StoreUnavailable` when the store can't be reached now, `StoreRejected` when it never will be like this:
        no unit where it is only read, a schema newer than this release's, wrong credentials or options.
        """
        ...


class Grounds(Struct, frozen=True):
    """How all units of a whole system lie below one base address."""

    spelling: str
    """Of a base: `sqlite:///folder`."""
    below: Callable[[str, str], str]
    """Give the address of a unit: base, and the unit's name as the directory has it."""
    joint: str
    """What stands between a base and what is added to it."""
    units_are_dear: bool
    """A unit takes the store seconds and memory: make few, one after another, before anybody waits for them."""


class Backend(Struct, frozen=True, kw_only=True):
    """One kind of store."""

    scheme: str
    """Before the colon of an address."""
    take: Callable[[UnitUrl, str], UnitUrl]
    """Check an address whose parts are decoded (its text without secrets is for the message), and give it as `open`
    wants it. Raises `StoreRejected` with how it is written."""
    reach: Callable[[UnitUrl], Reach]
    open: UnitOpening
    grounds: Grounds | None = None
    """None = it can't hold a system, for it ends with the process."""

"""The rooms of the house, each by its own descriptor. This list is closed: a new room is its folder and one line here.

The order is that in which a system's processes need each other.
"""

from collections.abc import Iterator

from appserver.room import ROOM as APPSERVER
from datacenter.room import ROOM as DATACENTER
from directory.room import ROOM as DIRECTORY
from domainservers.room import ROOM as DOMAINSERVERS
from evidence.room import ROOM as EVIDENCE
from runtime.room import Process, Room, furnished
from watch.room import ROOM as WATCH

ROOMS: tuple[Room, ...] = furnished(
    (
        EVIDENCE,
        DIRECTORY,
        DATACENTER,
        DOMAINSERVERS,
        APPSERVER,
        WATCH,
    )
)


def processes() -> Iterator[Process]:
    """Give what `onetier serve` can run, in the order in which a system starts them."""
    return (room.process for room in ROOMS if room.process is not None)


def process_of(role: str) -> Process:
    """Give the process of a role. Raises `KeyError`."""
    return {process.role: process for process in processes()}[role]


def callers() -> dict[str, frozenset[str]]:
    """Give the roles that may call each service of the house."""
    return {name: roles for process in processes() for name, roles in process.callers().items()}

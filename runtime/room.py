"""The descriptor of a room: all that the house must know of it, brought by the room itself, in its own `room.py`.

A room is a folder at the top of the tree. `house.rooms` is the one list of them. What stands below (this package, the
stores) knows this type and no room; what stands above (the console, a system's processes) works on the list.

    PROCESS = Process(role="ussd", settings=UssdSettings, begin=_begin, front_end=True, may=(May(("balance",)),))
    ROOM = Room("gateways.ussd", process=PROCESS)

Descriptors are read whenever any process starts: a `room.py` imports its settings and nothing else of its room, the
rest when it is asked to begin.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from runtime.settings import TierSettings

if TYPE_CHECKING:
    import typer

SHARED, PRIVATE, DIRECTORY = "shared", "private", "directory"
"""Kinds of units: the nation's, a region's, the control log's."""


class Collection(Struct, frozen=True):
    """A kind of records that a room keeps in storage units.

    Name and partitions are part of the data: what is written under another one is not found again.
    """

    name: str
    """Unique in the house; what `storage.unit.Record.collection` says."""
    unit: str
    """`SHARED`, `PRIVATE` or `DIRECTORY`."""
    partition: str
    """What a partition of it is named by."""
    holds: str


class GrpcService(Struct, frozen=True):
    """A gRPC service that a process serves, and to whom."""

    name: str
    """With its package: `onetier.v1.DataCenterService`."""
    callers: frozenset[str]
    """Roles of certificates that may call it; what a role may do there is the directory's to say."""
    front_door: bool = False
    """Open to every process that is a front end, too."""


class May(Struct, frozen=True):
    """What a process may do by its role, as a grant that operators write into the directory (`onetier grant room`).

    Fields and words as in `docs/permissions.md`. Until it is written, a role that is no front end's or operator's may
    do nothing.
    """

    commands: tuple[str, ...]
    amount_max: int = 0
    """Micro-units (of free units: units); 0 = nothing that has an amount, -1 = any."""
    alone_max: int = 0
    """What is above needs a second principal's approval; -1 = nothing does."""
    channels: tuple[str, ...] = ()
    """That its requests may name; empty = any."""
    actors: bool = False
    """It may name others as the actor: it answers for who its own users are."""


class Process(Struct, frozen=True, kw_only=True):
    """What `onetier serve ROLE` runs: one process, told by its role in certificates, settings, metrics and logs."""

    role: str
    """Of its certificate; also its table in the settings file."""
    settings: type[TierSettings]
    begin: Callable[["Process"], int]
    """Serve until told to stop; gives the exit code. It imports the room, so that a process has only its own."""
    services: tuple[GrpcService, ...] = ()
    front_end: bool = False
    """It calls the front door for others, as a gateway does."""
    may: tuple[May, ...] = ()

    def __post_init__(self) -> None:
        """Refuse settings that would be read from another role's table. Raises `ValueError`."""
        if self.settings.section != self.role:
            raise ValueError(f"the settings of {self.role} are of the section {self.settings.section!r}")

    def serve(self) -> int:
        """Run the process until SIGTERM or SIGINT; gives the exit code."""
        return self.begin(self)

    def callers(self) -> dict[str, frozenset[str]]:
        """Give the roles that may call each service, by its full name; a service that is missing is open to nobody."""
        return {service.name: service.callers for service in self.services}


class ConsoleWords(Struct, frozen=True):
    """A group of commands below `onetier`: `onetier NAME …`."""

    name: str
    help: str
    app: Callable[[], "typer.Typer"]
    """It imports them, so that no other command waits for that."""


class Room(Struct, frozen=True):
    """A room of the house. One without a process lives in others' processes, and brings what it keeps there."""

    name: str
    """Of its package."""
    collections: tuple[Collection, ...] = ()
    process: Process | None = None
    words: tuple[ConsoleWords, ...] = ()


def furnished(rooms: Iterable[Room]) -> tuple[Room, ...]:
    """Give the rooms with their front doors open to the roles of all front ends among them."""
    rooms = tuple(rooms)
    roles = frozenset(room.process.role for room in rooms if room.process is not None and room.process.front_end)
    return tuple(
        replace(room, process=_open_to(room.process, roles)) if room.process is not None else room for room in rooms
    )


def _open_to(process: Process, roles: frozenset[str]) -> Process:
    services = tuple(
        replace(service, callers=service.callers | roles) if service.front_door else service
        for service in process.services
    )
    return replace(process, services=services)

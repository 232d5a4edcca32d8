"""What the rooms' processes may do, as grants that an operator writes into the directory."""

from collections.abc import Iterator

from onetier.v1 import data_center_pb2 as dc

from runtime.room import Room


def grants_of(room: Room) -> Iterator[dc.Grant]:
    """Give the grants of a room, `ROLE-1`, `ROLE-2`, … in the order of its descriptor, for its role and no other."""
    if room.process is None:
        return
    for number, may in enumerate(room.process.may, 1):
        yield dc.Grant(
            grant_id=f"{room.process.role}-{number}",
            subject=room.process.role,
            commands=may.commands,
            amount_max=may.amount_max,
            alone_max=may.alone_max,
            channels=may.channels,
            actors=may.actors,
        )

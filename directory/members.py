"""Live domain servers: records of the directory unit, each written by its server again and again.

A reader judges whether a member is alive by whether its `heartbeat` still counts up, over time measured by the reader
itself (`MemberWatch`). The time that a member writes only tells whose clock is wrong
(`domainservers.ownership.clockwatch`).
"""

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from directory.room import MEMBER
from storage.unit import Record, Stored, Unit

COLLECTION = MEMBER.name
PARTITION = "all"


class Member(Struct, frozen=True):
    """One domain server process, as it describes itself every `heartbeat_ms`."""

    address: str
    """host:port where it is called."""
    heartbeat: int
    """Counts up with each write, over restarts too (start it from the clock in milliseconds)."""
    domains: tuple[str, ...] = ()
    """Domains it may own slots of; empty = all."""
    draining: bool = False
    """It gives its slots away and takes no new ones."""
    time_ms: int = 0
    """Its wall clock when it wrote this; 0 = not told. Whoever differs from all others owns nothing."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Member).decode


def member_record(server_id: str, member: Member) -> Record:
    """Make the record of a heartbeat; its timestamp is the count, so that a late write of an old one loses."""
    return Record(COLLECTION, PARTITION, server_id, _encode(member), member.heartbeat)


def gone_record(server_id: str, heartbeat: int) -> Record:
    """Make the record that takes a member away when it stops in order; `heartbeat` is above its last one."""
    return Record(COLLECTION, PARTITION, server_id, None, heartbeat)


def read_members(stored: Iterable[Stored]) -> dict[str, Member]:
    """Read the members in records, by server id."""
    return {one.key: _decode(one.value) for one in stored}


async def load_members(unit: Unit) -> dict[str, Member]:
    """Read all members. Raises `StoreUnavailable`."""
    members: dict[str, Member] = {}
    async for page in unit.scan(COLLECTION, PARTITION):
        members.update(read_members(page))
    return members


class MemberWatch:
    """Tells which members are alive by the reader's own clock: their heartbeat moved within `ttl_ms`."""

    def __init__(self, ttl_ms: int) -> None:
        self._ttl_ms = ttl_ms
        self._seen: dict[str, tuple[int, int]] = {}

    def alive(self, members: Mapping[str, Member], now_ms: int) -> dict[str, Member]:
        """Take one reading at `now_ms` (monotonic) and give the members alive; one seen first counts as alive."""
        seen: dict[str, tuple[int, int]] = {}
        for server_id, member in members.items():
            before = self._seen.get(server_id)
            moved = before is None or before[0] != member.heartbeat
            seen[server_id] = (member.heartbeat, now_ms if moved or before is None else before[1])
        self._seen = seen
        return {sid: member for sid, member in members.items() if now_ms - seen[sid][1] < self._ttl_ms}

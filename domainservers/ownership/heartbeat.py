"""How this server shows the others that it is alive: a record that counts up for as long as it is.

Leases are for liveness only: whoever is wrong about a peer costs it an epoch, the journal keeps the order.
"""

import asyncio

from directory import members as members_of
from directory.members import Member
from domainservers.base.clock import SteadyClock
from storage.unit import Unit


class Heartbeat:
    """Of one server, in the directory's unit."""

    def __init__(self, server_id: str, address: str, unit: Unit, clock: SteadyClock, serves: tuple[str, ...]) -> None:
        """`serves` are the domains this server may own, empty = all."""
        self.beaten_at = 0.0
        """Seconds of the loop's time when the newest beat began; for a ttl from then on nobody takes it for gone."""
        self.draining = False
        """It gives all its slots up."""
        self.doubting = False
        """Its own clock is not believed, so it owns nothing for the time being."""
        self._server_id = server_id
        self._address = address
        self._unit = unit
        self._clock = clock
        self._serves = serves
        self._count = 0

    @property
    def member(self) -> Member:
        """This server, as it shows itself now."""
        away = self.draining or self.doubting
        return Member(self._address, self._count, self._serves, away, self._clock.now_ms())

    async def appear(self) -> None:
        """Beat until others can see it: an earlier life under this id may have left with a higher count.

        Raises `StoreUnavailable`, as all here.
        """
        before = (await members_of.load_members(self._unit)).get(self._server_id)
        self._count = max(self._clock.now_ms(), before.heartbeat if before is not None else 0)
        step = 1
        while True:
            await self.beat()
            found = await self._unit.get(members_of.COLLECTION, members_of.PARTITION, [self._server_id])
            mine = found.get(self._server_id)
            if mine is not None and mine.timestamp == self._count:
                return
            self._count += step
            step *= 4

    async def beat(self) -> None:
        """Count up once."""
        self._count += 1
        member = self.member
        self.beaten_at = asyncio.get_running_loop().time()
        await self._unit.put([members_of.member_record(self._server_id, member)])

    async def leave(self) -> None:
        """Take the record away."""
        await self._unit.put([members_of.gone_record(self._server_id, self._count + 1)])

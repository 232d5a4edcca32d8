"""Slots that change hands: each beside the heartbeat, for neither may make this server look dead.

Owner records are hints for the router and for whoever waits for a slot; the epoch in its journal decides.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping

from directory import owners as owners_of
from directory.owners import Owner
from directory.slots import parse_slot
from domainservers.ownership.host import Host
from domainservers.ownership.units import Places
from runtime.telemetry import logger
from storage.unit import StoreUnavailable, Unit

log = logger("domainservers.ownership.handover")

TAKEOVERS_AT_ONCE = 4


class Handover:
    """Takes slots over for a host, gives them up, and says so."""

    def __init__(self, host: Host, address: str, unit: Unit, ttl_s: float) -> None:
        """`unit` is the directory's, where owner records are; `address` is what they say of this server.

        `ttl_s` is for how long a server may go on with what it decided before it is taken for gone.
        """
        self._ttl_s = ttl_s
        self._host = host
        self._address = address
        self._unit = unit
        self._changing: dict[str, asyncio.Task[None]] = {}
        self._gate = asyncio.Semaphore(TAKEOVERS_AT_ONCE)

    def is_changing(self, name: str) -> bool:
        """Say whether a slot is being taken over or given up."""
        return name in self._changing

    def take(self, name: str, places: Places, record: Owner | None) -> None:
        """Begin to take a slot over; `is_changing` until it is done or has failed, which the log tells.

        `record` is what was announced of it when that was decided. Not while it is changing.
        """
        self._begin(name, self._take(name, places, record))

    def give_up(self, name: str) -> None:
        """Begin to give a slot up in order. Not while it is changing."""
        self._begin(name, self._give_up(name))

    async def give_all_up(self) -> None:
        """Give all slots up in order, side by side. Raises `StoreUnavailable`."""
        await asyncio.gather(*(self._give_up(name) for name in list(self._host.owned)))

    async def correct(self, owners: Mapping[str, Owner], mine: Iterable[str]) -> None:
        """Make the records true: say what is owned, and take back what is said of this server but isn't so.

        `mine` are the slots that this server should own. Raises `StoreUnavailable`.
        """
        for name, owned in list(self._host.owned.items()):
            record = owners.get(name)
            if record is None or record.epoch < owned.epoch:
                await self._announce(name, Owner(self._address, owned.epoch))
            elif record.epoch > owned.epoch:
                self._host.abandon(name)
            elif not owned.announced:
                owned.announced = True
                owned.alone_from = asyncio.get_running_loop().time() + self._ttl_s
        for name, record in owners.items():
            if record.address == self._address and name not in (*self._host.owned, *self._changing, *mine):
                await self._announce(name, Owner("", record.epoch))

    async def settled(self) -> None:
        """Wait until no slot is being taken over or given up."""
        while self._changing:
            await asyncio.wait(list(self._changing.values()))

    def halt(self) -> None:
        """Leave what is under way, as a crash would."""
        for task in self._changing.values():
            task.cancel()

    def _begin(self, name: str, work: Coroutine[None, None, None]) -> None:
        self._changing[name] = asyncio.get_running_loop().create_task(self._guard(name, work))

    async def _guard(self, name: str, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except StoreUnavailable:
            log.warning("a slot could not change hands yet", slot=name)
        except Exception:
            log.exception("a slot could not change hands", slot=name)
        finally:
            self._changing.pop(name, None)

    async def _give_up(self, name: str) -> None:
        epoch = await self._host.give_up(name)
        if epoch:
            await self._announce(name, Owner("", epoch))

    async def _take(self, name: str, places: Places, record: Owner | None) -> None:
        async def due() -> bool:
            return await owners_of.load_owner(self._unit, name) == record

        async with self._gate:
            owned = await self._host.take_over(name, places, due)
        if owned is not None:
            await self._announce(name, Owner(self._address, owned.epoch))

    async def _announce(self, name: str, owner: Owner) -> None:
        domain, slot = parse_slot(name)
        await owners_of.announce_owner(self._unit, domain, slot, owner)

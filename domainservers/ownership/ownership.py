"""Membership: watches the other servers, and drives this one towards the slots that it should own.

A peer is alive while its heartbeat moves, by the watcher's own clock. Who is alone with its wall clock owns nothing.
"""

import asyncio
from collections.abc import Callable, Mapping

from charging.errors import Fault
from directory import members as members_of
from directory import owners as owners_of
from directory.members import MemberWatch
from directory.slots import slot_key
from directory.state import DomainInfo
from domainservers.base.clock import SteadyClock
from domainservers.ownership.assignment import assign
from domainservers.ownership.clockwatch import ClockWatch
from domainservers.ownership.handover import Handover
from domainservers.ownership.heartbeat import Heartbeat
from domainservers.ownership.host import Host
from domainservers.ownership.units import Places
from runtime.telemetry import logger
from storage.unit import StoreUnavailable, Unit

log = logger("domainservers.ownership.ownership")

HANDOVER_POLL_S = 0.05
"""How soon to look again when a slot is about to be given up by its owner."""


class Ownership:
    """Compares what a host owns with what it should, round by round."""

    def __init__(
        self,
        server_id: str,
        address: str,
        unit: Unit,
        domains: Callable[[], Mapping[str, DomainInfo]],
        host: Host,
        clock: SteadyClock,
        *,
        serves: tuple[str, ...],
        heartbeat_ms: int,
        ttl_ms: int,
    ) -> None:
        """`unit` is the directory unit; `serves` the domains this server may own, empty = all."""
        self._server_id = server_id
        self._unit = unit
        self._domains = domains
        self._host = host
        self._heartbeat = Heartbeat(server_id, address, unit, clock, serves)
        self._handover = Handover(host, address, unit, ttl_ms / 1000)
        self._heartbeat_s = heartbeat_ms / 1000
        self._ttl_s = ttl_ms / 1000
        self._watch = MemberWatch(ttl_ms)
        self._clock_watch = ClockWatch(clock, host.metrics)
        self._task: asyncio.Task[None] | None = None
        self._waiting = False
        """Slots that should be ours are still held by others."""

    async def start(self) -> None:
        """Announce this server and take over what nobody holds; returns when the first round is done."""
        await self._heartbeat.appear()
        await self._round()
        self._task = asyncio.get_running_loop().create_task(self._run())
        await self._handover.settled()

    async def stop(self) -> None:
        """Give all slots up in order and leave."""
        self._heartbeat.draining = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._handover.settled()
        try:
            await self._heartbeat.beat()
            await self._handover.give_all_up()
            await self._heartbeat.leave()
        except StoreUnavailable:
            log.warning("left without saying so: the directory's unit is away")

    def halt(self) -> None:
        """Stop at once, without a word, as a crash would."""
        if self._task is not None:
            self._task.cancel()
        self._handover.halt()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(min(self._heartbeat_s, HANDOVER_POLL_S) if self._waiting else self._heartbeat_s)
            try:
                await self._heartbeat.beat()
                await self._round()
            except StoreUnavailable:
                log.warning("the directory's unit is away")
            except Fault as fault:
                log.warning("a round of ownership failed", reason=fault.reason)
            except Exception:
                log.exception("a round of ownership failed")

    async def _round(self) -> None:
        """Look at everybody once: leave what others should own, take what nobody holds."""
        members = await members_of.load_members(self._unit)
        now_ms = int(asyncio.get_running_loop().time() * 1000)
        alive = self._watch.alive(members, now_ms)
        peers = [member for server_id, member in alive.items() if server_id != self._server_id]
        self._heartbeat.doubting = self._clock_watch.look(peers, owns=bool(self._host.owned))
        alive[self._server_id] = self._heartbeat.member
        domains = self._domains()
        names = [slot_key(code, slot) for code, info in domains.items() for slot in range(info.slots)]
        wanted = assign(names, alive)
        self._leave(wanted, domains)
        mine = [name for name, server_id in wanted.items() if server_id == self._server_id]
        owners = await owners_of.load_owners(self._unit)
        await self._handover.correct(owners, mine)
        # A read is answered without asking the journal until then: all others count this server's beats from later on.
        self._host.lease_until = self._heartbeat.beaten_at + self._ttl_s
        missing = [name for name in mine if name not in self._host.owned and not self._handover.is_changing(name)]
        living = {peer.address for peer in peers}
        free = [name for name in missing if name not in owners or owners[name].address not in living]
        for name in free:
            info = domains[name.rpartition("/")[0]]
            self._handover.take(name, Places(info.shared_unit, info.private_unit), owners.get(name))
        self._waiting = len(missing) > len(free)

    def _leave(self, wanted: Mapping[str, str], domains: Mapping[str, DomainInfo]) -> None:
        """Give up slots that others should own, and those whose units have another address now."""
        for name, owned in list(self._host.owned.items()):
            info = domains.get(name.rpartition("/")[0])
            moved = info is not None and owned.places != Places(info.shared_unit, info.private_unit)
            if not self._handover.is_changing(name) and (moved or wanted.get(name) != self._server_id):
                self._handover.give_up(name)

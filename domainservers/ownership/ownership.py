"""Membership and hand-over: announces this server, watches the others, takes slots over and gives them up.

Leases are for liveness only: whoever is wrong about a peer costs it an epoch, the journal keeps the order. A peer is
alive while its heartbeat moves, by the watcher's own clock. Who is alone with its wall clock owns nothing.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping

from charging.errors import Fault
from directory import members as members_of
from directory import owners as owners_of
from directory.members import Member, Watch
from directory.owners import Owner
from directory.slots import parse_slot, slot_key
from directory.state import DomainInfo
from domainservers.base.clock import SteadyClock
from domainservers.ownership.assignment import assign
from domainservers.ownership.clockwatch import ClockWatch
from domainservers.ownership.host import Host
from domainservers.ownership.units import Places
from runtime.telemetry import logger
from storage.unit import StoreUnavailable, Unit

log = logger("domainservers.ownership.ownership")

TAKEOVERS_AT_ONCE = 4
HANDOVER_POLL_S = 0.05
"""How soon to look again when a slot is about to be given up by its owner."""


class Ownership:
    """Drives a host towards the slots it should own."""

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
        self._address = address
        self._unit = unit
        self._domains = domains
        self._host = host
        self._clock = clock
        self._serves = serves
        self._heartbeat_s = heartbeat_ms / 1000
        self._ttl_s = ttl_ms / 1000
        self._watch = Watch(ttl_ms)
        self._heartbeat = 0
        self._draining = False
        self._clock_watch = ClockWatch(clock, host.metrics)
        self._doubting = False
        """Its own clock is not believed, so it owns nothing for the time being."""
        self._task: asyncio.Task[None] | None = None
        self._beaten_at = 0.0
        self._changing: dict[str, asyncio.Task[None]] = {}
        self._gate = asyncio.Semaphore(TAKEOVERS_AT_ONCE)
        self._waiting = False
        """Slots that should be ours are still held by others."""

    async def start(self) -> None:
        """Announce this server and take over what nobody holds; returns when the first round is done."""
        members = await members_of.load_members(self._unit)
        before = members.get(self._server_id)
        self._heartbeat = max(self._clock.now_ms(), before.heartbeat if before is not None else 0)
        await self._appear()
        await self._round()
        self._task = asyncio.get_running_loop().create_task(self._run())
        await self._settled()

    async def stop(self) -> None:
        """Give all slots up in order and leave."""
        self._draining = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._settled()
        try:
            await self._beat()
            await asyncio.gather(*(self._give_up(name) for name in list(self._host.owned)))
            await self._unit.put([members_of.gone_record(self._server_id, self._heartbeat + 1)])
        except StoreUnavailable:
            log.warning("left without saying so: the directory's unit is away")

    def halt(self) -> None:
        """Stop at once, without a word, as a crash would."""
        for task in (self._task, *self._changing.values()):
            if task is not None:
                task.cancel()

    async def _settled(self) -> None:
        """Wait until no slot is being taken over or given up."""
        while self._changing:
            await asyncio.wait(list(self._changing.values()))

    def _change(self, name: str, work: Coroutine[None, None, None]) -> None:
        """Take over or give up beside the heartbeat: neither may make this server look dead."""
        task = asyncio.get_running_loop().create_task(self._guard(name, work))
        self._changing[name] = task

    async def _guard(self, name: str, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except StoreUnavailable:
            log.warning("a slot could not change hands yet", slot=name)
        except Exception:
            log.exception("a slot could not change hands", slot=name)
        finally:
            self._changing.pop(name, None)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(min(self._heartbeat_s, HANDOVER_POLL_S) if self._waiting else self._heartbeat_s)
            try:
                await self._beat()
                await self._round()
            except StoreUnavailable:
                log.warning("the directory's unit is away")
            except Fault as fault:
                log.warning("a round of ownership failed", reason=fault.reason)
            except Exception:
                log.exception("a round of ownership failed")

    async def _appear(self) -> None:
        """Beat until others can see it: an earlier life under this id may have left with a higher heartbeat."""
        step = 1
        while True:
            await self._beat()
            found = await self._unit.get(members_of.COLLECTION, members_of.PARTITION, [self._server_id])
            mine = found.get(self._server_id)
            if mine is not None and mine.timestamp == self._heartbeat:
                return
            self._heartbeat += step
            step *= 4

    async def _beat(self) -> None:
        self._heartbeat += 1
        member = self._member()
        self._beaten_at = asyncio.get_running_loop().time()
        await self._unit.put([members_of.member_record(self._server_id, member)])

    def _member(self) -> Member:
        away = self._draining or self._doubting
        return Member(self._address, self._heartbeat, self._serves, away, self._clock.now_ms())

    async def _round(self) -> None:
        members = await members_of.load_members(self._unit)
        now_ms = int(asyncio.get_running_loop().time() * 1000)
        alive = self._watch.alive(members, now_ms)
        peers = [member for server_id, member in alive.items() if server_id != self._server_id]
        self._doubting = self._clock_watch.look(peers, owns=bool(self._host.owned))
        alive[self._server_id] = self._member()
        domains = self._domains()
        names = [slot_key(code, slot) for code, info in domains.items() for slot in range(info.slots)]
        wanted = assign(names, alive)
        self._leave(wanted, domains)
        mine = [name for name, server_id in wanted.items() if server_id == self._server_id]
        owners = await owners_of.load_owners(self._unit)
        await self._correct(owners, mine)
        self._host.lease_until = self._beaten_at + self._ttl_s
        missing = [name for name in mine if name not in self._host.owned and name not in self._changing]
        living = {member.address for server_id, member in alive.items() if server_id != self._server_id}
        free = [name for name in missing if name not in owners or owners[name].address not in living]
        for name in free:
            self._change(name, self._take(name, domains[name.rpartition("/")[0]]))
        self._waiting = len(missing) > len(free)

    async def _correct(self, owners: Mapping[str, Owner], mine: list[str]) -> None:
        """Make the records true: say what is owned, and take back what is said of this server but isn't so."""
        for name, owned in list(self._host.owned.items()):
            record = owners.get(name)
            if record is None or record.epoch < owned.epoch:
                await self._announce(name, Owner(self._address, owned.epoch))
            elif record.epoch > owned.epoch:
                self._host.abandon(name)
            else:
                owned.announced = True
        for name, record in owners.items():
            if record.address == self._address and name not in (*self._host.owned, *self._changing, *mine):
                await self._announce(name, Owner("", record.epoch))

    def _leave(self, wanted: Mapping[str, str], domains: Mapping[str, DomainInfo]) -> None:
        """Give up slots that others should own, and those whose units have another address now."""
        for name, owned in list(self._host.owned.items()):
            info = domains.get(name.rpartition("/")[0])
            moved = info is not None and owned.places != Places(info.shared_unit, info.private_unit)
            if name not in self._changing and (moved or wanted.get(name) != self._server_id):
                self._change(name, self._give_up(name))

    async def _give_up(self, name: str) -> None:
        epoch = await self._host.give_up(name)
        if epoch:
            await self._announce(name, Owner("", epoch))

    async def _take(self, name: str, info: DomainInfo) -> None:
        async with self._gate:
            owned = await self._host.take_over(name, Places(info.shared_unit, info.private_unit))
        if owned is not None:
            await self._announce(name, Owner(self._address, owned.epoch))

    async def _announce(self, name: str, owner: Owner) -> None:
        domain, slot = parse_slot(name)
        await owners_of.announce_owner(self._unit, domain, slot, owner)

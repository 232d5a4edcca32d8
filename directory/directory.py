"""The directory as a process holds it: a copy of the control log's state that keeps itself up to date.

Every process polls the log (`poll_ms`, 200 at most), so what one instance amends all others know within that time.
Routes are cached; an amendment takes exactly the routes out of the cache that it changed.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from cachetools import FIFOCache
from msgspec import Struct

from charging import wire
from charging.base.account_id import asked_for
from charging.base.account_id import slot_of as slot_of_id
from charging.base.identity import mask
from charging.errors import Broken, NotFound
from charging.ledger.permission import Policy
from directory.addresses import check_addresses
from directory.changes import Amendment, Change, with_proposed
from directory.checks import check_key
from directory.log import Assembler, Log
from directory.slots import parse_slot, slot_key, slot_of
from directory.state import DomainInfo, Port, State
from directory.writer import Guard, Writer
from evidence.anchors import Anchor
from evidence.keys import PROCESS_RING, KeyRing
from runtime.telemetry import logger
from storage.allowed import EVERYWHERE
from storage.unit import Group, StoreRejected, StoreUnavailable, Unit

log = logger("directory")

POLL_MS_MAX = 200
ROUTES_CACHED_MAX = 200_000
EXPLICIT = "explicit"
BY_ID = "account"


class Route(Struct, frozen=True, gc=False):
    """Where an identity is served, and by which rule."""

    domain: str
    slot: int
    rule: str
    """"explicit", "account" (the slot in its id), or the prefix of the number plan that decided."""
    key: str
    """The slot as owner records name it: `GD/3`."""


class RouteCache(FIFOCache[str, Route]):
    """Routes by identity, made when first asked for: `routes[identity]` resolves.

    First in, first out: keeping the order of use would make every hit dearer than most misses are.
    """

    def __init__(self, state: State, routes_max: int) -> None:
        super().__init__(routes_max)
        self._state = state
        self._shared: dict[tuple[str, str], Route] = {}
        self.misses = 0

    def __missing__(self, identity: str) -> Route:
        """Resolve an identity. Raises `NotFound` with reason IDENTITY_UNROUTED."""
        route = self[identity] = self._resolve(identity)
        self.misses += 1
        return route

    def _resolve(self, identity: str) -> Route:
        place = self._state.entry(identity)
        if place is not None:
            key = slot_key(*place)
            return self._shared.setdefault((key, EXPLICIT), Route(place[0], place[1], EXPLICIT, key))
        opened = slot_of_id(asked_for(identity))
        if opened:
            return self._where_opened(identity, opened)
        match = self._state.plan.match_identity(identity)
        info = self._state.domains.get(match[0]) if match is not None else None
        if match is None or info is None:
            raise unrouted(identity)
        slot = slot_of(identity, info.slots)
        key = slot_key(info.code, slot)
        # Shared by all identities of a prefix and slot: a cached route costs its key and the cache's own links.
        return self._shared.setdefault((key, match[1]), Route(info.code, slot, match[1], key))

    def _where_opened(self, identity: str, opened: str) -> Route:
        """Give the route of an account that is asked for by its id and was never ported."""
        domain, slot = parse_slot(opened)
        info = self._state.domains.get(domain)
        if info is None or slot >= info.slots:
            raise unrouted(identity)
        key = slot_key(domain, slot)
        return self._shared.setdefault((key, BY_ID), Route(domain, slot, BY_ID, key))

    def forget_all(self) -> None:
        """Drop every route: the number plan or a domain changed."""
        self.clear()
        self._shared.clear()


def unrouted(identity: str) -> NotFound:
    """Make the fault of an identity that neither an entry nor the number plan knows."""
    shown = mask(identity[:80])
    return NotFound(
        "IDENTITY_UNROUTED",
        f"no domain serves {shown}: no entry and no prefix of the number plan fits",
        facts={"identity": shown},
    )


def wall_clock_ms() -> int:
    """Give the wall clock; only written into amendments for people."""
    return time.time_ns() // 1_000_000


class Directory:
    """One process's view of the control log. Made by `open`; `close` it at the end."""

    def __init__(
        self,
        unit: Unit,
        poll_ms: int,
        *,
        routes_cached_max: int,
        clock_ms: Callable[[], int] = wall_clock_ms,
        ring: KeyRing = PROCESS_RING,
    ) -> None:
        self._unit = unit
        self._poll_ms = min(poll_ms, POLL_MS_MAX)
        self._clock_ms = clock_ms
        self._state = State()
        self._assembler = Assembler()
        self._log = Log(unit, ring=ring)
        self._lock = asyncio.Lock()
        self._writer = Writer(
            self._log, self._state, self._assembler, self._lock, catch_up=self._read_on, take=self._take
        )
        self.routes = RouteCache(self._state, routes_cached_max)
        self._callbacks: list[Callable[[int], None]] = []
        self._tail: asyncio.Task[None] | None = None
        self._fresh_at = time.monotonic()
        self.allowed = EVERYWHERE
        """Where this process lets units be that an amendment names."""
        self.damage: Broken | None = None
        """Set when the log turned out to be damaged; tailing has stopped, the process should not go on."""

    @classmethod
    async def open(
        cls,
        unit: Unit,
        poll_ms: int = POLL_MS_MAX,
        *,
        routes_cached_max: int = ROUTES_CACHED_MAX,
        clock_ms: Callable[[], int] = wall_clock_ms,
        ring: KeyRing = PROCESS_RING,
        known: Anchor | None = None,
    ) -> "Directory":
        """Read the log and begin to tail it; `ring` holds the keys of its chain, `known` is its newest anchor.

        Raises `StoreUnavailable`, or `Broken` with reason DIRECTORY_DAMAGED.
        """
        directory = cls(unit, poll_ms, routes_cached_max=routes_cached_max, clock_ms=clock_ms, ring=ring)
        if known is not None and known.seq > 0:
            directory._log.known = known.seq, known.tip, known.where
        await directory.refresh()
        directory._tail = asyncio.get_running_loop().create_task(directory._follow())
        return directory

    async def close(self) -> None:
        """Stop tailing. The unit stays open: it belongs to the caller."""
        if self._tail is not None:
            self._tail.cancel()
            await asyncio.gather(self._tail, return_exceptions=True)
        await self._writer.close()
        self._callbacks.clear()

    @property
    def position(self) -> tuple[int, bytes]:
        """Sequence and tip of the log as it was read."""
        return self._log.seq, self._log.tip

    async def refresh(self) -> int:
        """Read up to the log's head now, and give the revision. Raises `StoreUnavailable`."""
        await self._read_on()
        return self._state.revision

    async def amend(
        self, changes: Sequence[Change], key: str, actor: str, guard: Guard | None = None, principal: str = ""
    ) -> int:
        """Append changes as a whole, once a key, and give their revision; this process knows them on return.

        A guard is asked at exactly the state that the changes are appended to. Raises what it raises, `Invalid` with a
        field for each problem, `Conflict` (REQUEST_KEY_REUSED, CATALOGUE_PUBLISHED,
        DOMAIN_SLOTS_FIXED, PORT_UNDER_WAY), `Unavailable` (repeat the same key).
        """
        check_key(key)
        check_addresses(tuple(with_proposed(changes)), self.allowed)
        return await self._writer.write(key, Amendment(actor, self._clock_ms(), tuple(changes), principal), guard)

    def subscribe(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """Call back with the revision after each change; the returned function ends it. Callbacks must not raise."""
        self._callbacks.append(callback)

        def end() -> None:
            with contextlib.suppress(ValueError):
                self._callbacks.remove(callback)

        return end

    def now_ms(self) -> int:
        """Give the wall clock that amendments are stamped with."""
        return self._clock_ms()

    @property
    def revision(self) -> int:
        """Sequence of the last change known here."""
        return self._state.revision

    @property
    def fresh_ms_ago(self) -> int:
        """Milliseconds since the log was last read; grows while the directory's unit is away."""
        return int((time.monotonic() - self._fresh_at) * 1_000)

    @property
    def domains(self) -> Mapping[str, DomainInfo]:
        """All regions by code, with the addresses of their units."""
        return MappingProxyType(self._state.domains)

    @property
    def units(self) -> Mapping[str, str]:
        """Addresses of storage units by name."""
        return MappingProxyType(self._state.units)

    @property
    def channels(self) -> Mapping[str, wire.ChannelRef]:
        """Access channels by code."""
        return MappingProxyType(self._state.channels)

    @property
    def partners(self) -> Mapping[str, wire.PartnerRef]:
        """Partners by code."""
        return MappingProxyType(self._state.partners)

    @property
    def state(self) -> State:
        """The whole picture, to read only."""
        return self._state

    @property
    def policy(self) -> Policy:
        """Who may do what, by the grants of this revision."""
        return self._state.policy

    def port(self, key: str) -> Port | None:
        """Give a port by its request key."""
        return self._state.ports.get(key)

    def ports_open(self) -> list[Port]:
        """Give the ports that have begun and not ended."""
        return [self._state.ports[key] for key in self._state.ports_open.values()]

    def catalogues(self, domain: str) -> tuple[wire.CatalogueRef, ...]:
        """Give the national catalogues and those of a domain, oldest first."""
        return self._state.catalogues_of(domain)

    def reference_revision(self, domain: str) -> int:
        """Give the revision that last changed `reference(domain)`; entries and ports don't move it."""
        return self._state.reference_revision(domain)

    def reference(self, domain: str) -> wire.Reference:
        """Give what the platform needs to know of a domain.

        Raises `NotFound` with reason DOMAIN_UNKNOWN.
        """
        info = self._state.domains.get(domain)
        if info is None:
            raise NotFound("DOMAIN_UNKNOWN", f"there is no domain {domain[:40]!r}", facts={"domain": domain[:40]})
        return wire.Reference(
            domain=domain,
            revision=self._state.reference_revision(domain),
            time_zone=info.time_zone,
            channels=tuple(self._state.channels.values()),
            partners=tuple(self._state.partners.values()),
            catalogues=self._state.catalogues_of(domain),
            domains=tuple(self._state.domains),
            grants=tuple(self._state.grants.values()),
            slots=info.slots,
        )

    def resolve(self, identity: str) -> Route:
        """Say where a normalised identity is served: by its explicit entry, else by the longest prefix.

        Raises `NotFound` with reason IDENTITY_UNROUTED.
        """
        return self.routes[identity]

    async def _read_on(self) -> None:
        async with self._lock:
            groups = await self._log.read_on()
            self._fresh_at = time.monotonic()
            for group in groups:
                self._take(group)

    def _take(self, group: Group) -> None:
        state = self._state
        for landed in self._assembler.take(group):
            touched = state.apply(landed.key, landed.digest, landed.amendment, landed.revision)
            if touched.all_routes:
                self.routes.forget_all()
            for identity in touched.identities:
                self.routes.pop(identity, None)
        state.revision = group.seq
        for callback in tuple(self._callbacks):
            callback(state.revision)

    async def _follow(self) -> None:
        while self.damage is None:
            await asyncio.sleep(self._poll_ms / 1_000)
            try:
                if await self._log.peek():
                    await self._read_on()
                else:
                    self._fresh_at = time.monotonic()
            except StoreUnavailable:
                continue
            except StoreRejected as error:
                log.error("the directory's unit refuses reads", why=str(error))
            except Broken as broken:
                log.critical("the control log is damaged, changes are not followed any more", why=broken.message)
                self.damage = broken

"""The directory as a process holds it: a copy of the control log's state that keeps itself up to date.

Every process polls the log (`poll_ms`, 200 at most), so what one instance amends all others know within that time.
Routes are cached; an amendment takes exactly the routes out of the cache that it changed.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence

from charging.errors import Broken
from directory.addresses import check_addresses
from directory.changes import Amendment, Change, with_proposed
from directory.checks import check_key
from directory.log import Assembler, Log
from directory.view import DirectoryView
from directory.wishes import Guard
from directory.writer import Writer
from evidence.anchors import Anchor
from evidence.keys import PROCESS_RING, KeyRing
from runtime.telemetry import logger
from storage.allowed import EVERYWHERE
from storage.unit import Group, StoreRejected, StoreUnavailable, Unit

log = logger("directory")

POLL_MS_MAX = 200
ROUTES_CACHED_MAX = 200_000


def wall_clock_ms() -> int:
    """Give the wall clock, UTC milliseconds; only written into amendments for people, never compared."""
    return time.time_ns() // 1_000_000


class Directory(DirectoryView):
    """One process's view of the control log, at most `poll_ms` behind. Made by `open`; `close` it at the end.

    While its unit is away it goes on with what it knows, and `fresh_ms_ago` grows.
    """

    def __init__(
        self,
        unit: Unit,
        poll_ms: int,
        *,
        routes_cached_max: int,
        clock_ms: Callable[[], int] = wall_clock_ms,
        ring: KeyRing = PROCESS_RING,
    ) -> None:
        super().__init__(routes_cached_max)
        self._poll_ms = min(poll_ms, POLL_MS_MAX)
        self._clock_ms = clock_ms
        self._assembler = Assembler()
        self._log = Log(unit, ring=ring)
        self._lock = asyncio.Lock()
        self._writer = Writer(
            self._log, self._state, self._assembler, self._lock, catch_up=self._read_on, take=self._take
        )
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
        """Sequence and tip (32 bytes) of the log as it was read: what an anchor of the directory notes."""
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
        """Call back with the revision after each change, in this loop and in order; the returned function ends it.

        Callbacks must not raise and must not wait: the log is not followed meanwhile.
        """
        self._callbacks.append(callback)

        def end() -> None:
            with contextlib.suppress(ValueError):
                self._callbacks.remove(callback)

        return end

    def now_ms(self) -> int:
        """Give the wall clock that amendments are stamped with."""
        return self._clock_ms()

    @property
    def fresh_ms_ago(self) -> int:
        """Milliseconds since the log was last read; grows while the directory's unit is away."""
        return int((time.monotonic() - self._fresh_at) * 1_000)

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

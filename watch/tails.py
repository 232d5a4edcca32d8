"""The newest of each journal, read and told once for all watchers; a journal that nobody watches is not looked at."""

import asyncio
from collections import deque
from collections.abc import Sequence

from msgspec import Struct

from domainservers.journal.journal import Corrupt
from evidence.keys import KeyRing
from runtime.telemetry import logger
from storage.unit import StoreRejected, StoreUnavailable
from watch.chains import ChainReader, Dropped, GetUnit, newest_known
from watch.telling import FeedGroup, feed_group

log = logger("watch.tails")

GROUPS_AT_ONCE = 32
FAILED_PAUSE_S = 1.0


class Pace(Struct, frozen=True):
    """How often a tail looks, and how much it keeps."""

    poll_s: float
    idle_s: float
    recent_bytes_max: int


class Tail:
    """The newest groups of one journal, from `first_seq` to before `next_seq`. Looks as long as somebody watches."""

    def __init__(self, name: str, unit: GetUnit, ring: KeyRing, pace: Pace) -> None:
        self.name = name
        self.ready = False
        """The end of the journal was reached: `next_seq` is what comes next."""
        self.damaged = False
        """The journal can't be read on from `next_seq`."""
        self.next_seq = 0
        self.looks = 0
        """Counts the times that the end was seen."""
        self._unit = unit
        self._ring = ring
        self._pace = pace
        self._recent: deque[FeedGroup] = deque()
        self._octets = 0
        self._wakes: set[asyncio.Event] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def first_seq(self) -> int:
        """The oldest group in memory."""
        return self._recent[0].seq if self._recent else self.next_seq

    @property
    def watched(self) -> bool:
        """Somebody wants to be woken."""
        return bool(self._wakes)

    def join(self, wake: asyncio.Event) -> None:
        """Begin to look, and set `wake` whenever something comes."""
        self._wakes.add(wake)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._look())

    def leave(self, wake: asyncio.Event) -> None:
        """Wake somebody no more; whoever is last ends the looking."""
        self._wakes.discard(wake)
        if not self._wakes and self._task is not None:
            self._task.cancel()
            self._task = None
            self._forget()

    def since(self, seq: int) -> Sequence[FeedGroup]:
        """Give some groups in memory from `seq` on, which must not be before `first_seq`."""
        skip = seq - self.first_seq
        return [self._recent[place] for place in range(skip, min(skip + GROUPS_AT_ONCE, len(self._recent)))]

    async def _look(self) -> None:
        while True:
            try:
                await self._follow()
            except (Corrupt, Dropped) as damage:
                self.damaged = True
                log.error("a journal can't be followed", slot=self.name, why=str(damage))
            except (StoreUnavailable, StoreRejected) as away:
                log.warning("a journal can't be read just now", slot=self.name, why=str(away))
            except Exception:
                log.exception("a journal can't be followed", slot=self.name)
            # Watchers that are not at the end read the store themselves meanwhile, and are told what is wrong with it.
            self._forget()
            self._wake()
            await asyncio.sleep(FAILED_PAUSE_S)

    async def _follow(self) -> None:
        reader = ChainReader(self._unit, self.name, await newest_known(await self._unit(), self.name), self._ring)
        self.next_seq = reader.seq + 1
        while await reader.read(GROUPS_AT_ONCE):
            self.next_seq = reader.seq + 1
        self.ready, self.damaged = True, False
        self._wake()
        pause_s = self._pace.poll_s
        while True:
            groups = await reader.read(GROUPS_AT_ONCE)
            for group in groups:
                self._keep(feed_group(self.name, group))
                await asyncio.sleep(0)
            if groups:
                pause_s = self._pace.poll_s
                self._wake()
                continue
            self.looks += 1
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, self._pace.idle_s)

    def _keep(self, group: FeedGroup) -> None:
        self._recent.append(group)
        self._octets += group.octets
        self.next_seq = group.seq + 1
        while self._octets > self._pace.recent_bytes_max and len(self._recent) > 1:
            self._octets -= self._recent.popleft().octets

    def _wake(self) -> None:
        for wake in self._wakes:
            wake.set()

    def _forget(self) -> None:
        self._recent.clear()
        self._octets = 0
        self.ready = False

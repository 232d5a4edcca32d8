"""The commit loop of a slot: one group in flight, the next one filling meanwhile."""

import asyncio
from collections.abc import Callable

from domainservers.base.clock import Age
from domainservers.base.limits import Limits
from domainservers.desk.answers import pack_fault, store_away
from domainservers.journal.groups import EntryGroup, Groups, Released, pack_entries, read_back
from domainservers.journal.journal import Fenced, Journal
from domainservers.journal.keys import KeyIndex
from domainservers.snapshots.snapshots import Snapshots
from runtime.telemetry import Metrics, logger
from storage.unit import StoreRejected

log = logger("domainservers.slot.committing")


class Committing:
    """Journals what the desk decided, and releases the answers once it is durable."""

    def __init__(
        self,
        journal: Journal,
        groups: Groups,
        keys: KeyIndex,
        snapshots: Snapshots,
        age: Age,
        permits: asyncio.Semaphore,
        limits: Limits,
        metrics: Metrics,
        *,
        landed: Callable[[], None],
        ended: Callable[[], None],
    ) -> None:
        """`permits` are the process's, for commits under way; `landed` is called after each group, when there is room
        again; `ended` when the slot is lost."""
        self._journal = journal
        self._groups = groups
        self._keys = keys
        self._snapshots = snapshots
        self._age = age
        self._permits = permits
        self._limits = limits
        self._metrics = metrics
        self._landed = landed
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._over = False
        self._since = 0.0
        """When the group in flight was sent off, seconds of the loop's time."""
        self._took = 0.01
        """Seconds that the newest commit took."""

    def wake(self) -> None:
        """Something may have been put into the open group; what can wait goes with what can't, or when it is let go."""
        if self._groups.pressing:
            self._wake.set()

    @property
    def stalled(self) -> bool:
        """A group is in flight and the store gives no answer for longer than callers should wait."""
        patience_s = self._limits.store_patience_ms / 1000
        return self._groups.flying is not None and self._loop.time() - self._since > patience_s

    def drain_ms(self, entries: int) -> int:
        """How long a queue of `entries` will take, roughly, by the newest commit: what callers are told to wait.

        Milliseconds, at least `Limits.retry_ms` and else at most 5,000.
        """
        groups = 1 + entries // self._limits.group_entries_max
        return max(self._limits.retry_ms, min(5_000, int(groups * self._took * 1000)))

    async def run(self) -> None:
        """Commit groups, one at a time and in order, until the slot is lost or the task cancelled.

        Never raises otherwise: whatever goes wrong, the slot steps down by `ended`, and its next owner begins from the
        journal.
        """
        name = self._journal.name
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                self._idle.clear()
                # While a group flies, the next one fills: under load groups grow with what a commit takes, without a
                # timer.
                while self._groups.pressing:
                    await self._commit()
                self._idle.set()
        except Fenced as fenced:
            log.warning("stepped down", slot=name, why=str(fenced))
            self._metrics.event("fenced")
            self._ended()
        except StoreRejected:
            log.exception("the store refuses a group, stepping down", slot=name)
            self._ended()
        except Exception:
            # A defect. A slot whose loop is gone must not stay: its next owner begins from what is journaled.
            log.exception("the commit loop failed, stepping down", slot=name)
            self._ended()
        finally:
            self._over = True
            self._idle.set()

    async def _commit(self) -> None:
        """Journal the open group. A capture is taken before anything else is decided, and written when it landed."""
        async with self._permits:
            group = self._groups.close()
            capture = self._snapshots.at_border(len(group.parts))
            payload = pack_entries(group.parts, group.marks)
            read_back(payload, group.parts)
            self._since = self._loop.time()
            await self._journal.commit(payload)
            self._took = self._loop.time() - self._since
        self._groups.landed()
        if capture is not None:
            self._snapshots.begin(capture, self._ended)
        self._release(group)
        limits, journal = self._limits, self._journal
        if journal.segment_groups >= limits.segment_groups_max or journal.segment_bytes >= limits.segment_bytes_max:
            await journal.roll(self._age.now_ms())

    def _release(self, group: EntryGroup) -> None:
        waiters, group.waiters = group.waiters, []
        self._groups.released = Released(group.seq, len(group.parts), self._since, self._took)
        for sink, place, body in waiters:
            sink.answer(place, body)
        self._groups.released = None
        for effect in group.effects:
            effect()
        self._keys.tidy()
        self._metrics.batch("journal", len(group.parts))
        self._metrics.latency("commit", self._took)
        self._landed()

    def relieve(self) -> None:
        """When the store is away for long, tell the waiting callers; their commits go on, the repeat will tell."""
        if not self.stalled:
            return
        body = pack_fault(store_away())
        for sink, place, _ in self._groups.take_waiters():
            sink.answer(place, body)

    def write_down_if_idle(self) -> None:
        """Begin a snapshot round when nothing moves and one is due."""
        if self._groups.resting:
            capture = self._snapshots.at_border(0)
            if capture is not None:
                self._snapshots.begin(capture, self._ended)

    async def settle(self) -> bool:
        """Wait until all that was decided is journaled. Nothing new may come in. False = the slot is lost meanwhile."""
        while not self._over and not self._groups.resting:
            self._idle.clear()
            self._groups.open.let_go = True
            self._wake.set()
            await self._idle.wait()
        return not self._over

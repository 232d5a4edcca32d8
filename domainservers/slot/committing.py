"""The commit loop of a slot: one group in flight, the next one filling meanwhile."""

import asyncio
from collections.abc import Callable

from domainservers.desk.item import pack_fault, store_away
from domainservers.journal.groups import Group, pack_entries, read_back
from domainservers.journal.journal import Fenced
from domainservers.slot.parts import Parts
from domainservers.snapshots.snapshots import Capture
from runtime.telemetry import logger
from storage.unit import StoreRejected

log = logger("domainservers.slot.committing")


class Committing:
    """Journals what the desk decided, and releases the answers once it is durable."""

    def __init__(self, parts: Parts, landed: Callable[[], None], ended: Callable[[], None]) -> None:
        """`landed` is called after each group, when there is room again; `ended` when the slot is lost."""
        self._parts = parts
        self._landed = landed
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._over = False
        self._since = 0.0
        self._took = 0.01
        parts.snapshots.captured_at = self._loop.time()

    def wake(self) -> None:
        """Something may have been put into the open group."""
        if self._parts.groups.open.parts:
            self._wake.set()

    @property
    def stalled(self) -> bool:
        """A group is in flight and the store gives no answer for longer than callers should wait."""
        patience = self._parts.limits.store_patience_ms / 1000
        return self._parts.groups.flying is not None and self._loop.time() - self._since > patience

    def drain_ms(self, entries: int) -> int:
        """How long a queue of `entries` will take, roughly."""
        groups = 1 + entries // self._parts.limits.group_entries_max
        return max(self._parts.limits.retry_ms, min(5_000, int(groups * self._took * 1000)))

    async def run(self) -> None:
        """Commit groups until the slot is lost or the task cancelled."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                self._idle.clear()
                while self._parts.groups.open.parts:
                    await self._commit()
                self._idle.set()
        except Fenced as fenced:
            log.warning("stepped down", slot=self._parts.name, why=str(fenced))
            self._parts.metrics.event("fenced")
            self._ended()
        except StoreRejected:
            log.exception("the store refuses a group, stepping down", slot=self._parts.name)
            self._ended()
        except Exception:
            # A defect. A slot whose loop is gone must not stay: its next owner begins from what is journaled.
            log.exception("the commit loop failed, stepping down", slot=self._parts.name)
            self._ended()
        finally:
            self._over = True
            self._idle.set()

    async def _commit(self) -> None:
        parts = self._parts
        async with parts.permits:
            group = parts.groups.close()
            capture = self._capture()
            payload = pack_entries(group.parts, group.marks)
            read_back(payload, group.parts)
            self._since = self._loop.time()
            await parts.journal.commit(payload)
            self._took = self._loop.time() - self._since
        parts.groups.landed()
        if capture is not None:
            parts.snapshots.begin(capture, self._ended)
        self._release(group)
        if (
            parts.journal.segment_groups >= parts.limits.segment_groups_max
            or parts.journal.segment_bytes >= parts.limits.segment_bytes_max
        ):
            await parts.journal.roll(parts.age.now_ms())

    def _capture(self) -> Capture | None:
        snapshots = self._parts.snapshots
        snapshots.entries += len(self._parts.groups.flying.parts) if self._parts.groups.flying is not None else 0
        if not snapshots.due(self._loop.time()):
            return None
        return snapshots.capture(self._parts.desk.newest_ms, self._loop.time())

    def _release(self, group: Group) -> None:
        parts = self._parts
        waiters, group.waiters = group.waiters, []
        for sink, place, body in waiters:
            sink.answer(place, body)
        if group.changed:
            parts.contracts.applied(group.changed)
        parts.keys.tidy()
        parts.metrics.batch("journal", len(group.parts))
        parts.metrics.latency("commit", self._took)
        self._landed()

    def relieve(self) -> None:
        """When the store is away for long, tell the waiting callers; their commits go on, the repeat will tell."""
        if not self.stalled:
            return
        body = pack_fault(store_away())
        for sink, place, _ in self._parts.groups.take_waiters():
            sink.answer(place, body)

    def write_down_if_idle(self) -> None:
        """Begin a snapshot round when nothing moves and one is due."""
        parts = self._parts
        now = self._loop.time()
        if parts.groups.flying is None and not parts.groups.open.parts and parts.snapshots.due(now):
            parts.snapshots.begin(parts.snapshots.capture(parts.desk.newest_ms, now), self._ended)

    async def settle(self) -> None:
        """Wait until all that was decided is journaled, then write everything down. Nothing new may come in."""
        parts = self._parts
        while not self._over and (parts.groups.open.parts or parts.groups.flying is not None):
            self._idle.clear()
            self._wake.set()
            await self._idle.wait()
        if self._over:
            return
        await parts.snapshots.settle()
        if parts.snapshots.entries:
            parts.snapshots.begin(parts.snapshots.capture(parts.desk.newest_ms, self._loop.time()), self._ended)
            await parts.snapshots.settle()
        await parts.contracts.flush()

"""A slot that is owned: takes requests, gets what they need into memory, lets the desk decide, journals in groups.

While a group is in flight, what arrives becomes the next group; there is no timer. Every wait is bounded: the queue by
items, a lane by items, reads under way by items, everything by the caller's deadline.
"""

import asyncio
from collections.abc import Callable, Sequence
from enum import Enum

from charging.errors import Fault, Unavailable, internal
from charging.wire import Ask, Instruct
from domainservers.desk.answers import pack_fault, slot_moving, store_away
from domainservers.desk.gate import let_in
from domainservers.desk.item import Item
from domainservers.journal.groups import ReplySink
from domainservers.slot.parts import SlotParts
from domainservers.slot.wiring import Hooks, Works
from evidence.anchors import Anchor
from runtime.pace import RunPace
from runtime.telemetry import logger

log = logger("domainservers.slot.slot")

CLOSE_TIMEOUT_S = 10.0
"""How long a slot may take to write itself down before it is given up all the same; the journal has everything."""

OnEnd = Callable[["Slot"], None]


class SlotState(Enum):
    """Where a slot is in its life."""

    SERVING = "serving"
    DRAINING = "draining"
    ENDED = "ended"


class Slot:
    """One owned slot. `close` gives it up in order; when it is fenced it steps down by itself."""

    def __init__(
        self, parts: SlotParts, on_end: OnEnd, fresh: Callable[[], bool] = lambda: True, pace: RunPace | None = None
    ) -> None:
        """`fresh` says whether nobody can have taken the slot over unnoticed; reads ask the journal first when not.
        `pace` is the process's, for what can wait; None = the slot is alone in it.
        """
        self.parts = parts
        """For those that look at it from outside."""
        self.name = parts.name
        self.sweep_s = parts.limits.sweep_ms / 1000
        """How often sessions past their validity are looked for."""
        self.state = SlotState.SERVING
        self._on_end = on_end
        self._retry_ms = parts.limits.retry_ms
        self._around = parts.around
        self._journal = parts.journal
        self._writing = parts.writing
        self._groups = parts.groups
        self._cells = parts.accounts.cells
        self._contracts = parts.contracts
        self._snapshots = parts.snapshots
        self._behind = (parts.bills.records, parts.customers)
        self._metrics = parts.metrics
        works = Works(parts, Hooks(self.take, self.end, fresh), pace or RunPace(parts.limits.run_percent / 100))
        self._commands = works.commands
        self._patient = works.patient
        self._asking = works.asking
        self._proving = works.proving
        self._instructing = works.instructing
        self._refuse = works.refuse
        self._loading = works.loading
        self._readers = works.readers
        self._committing = works.committing
        self.lanes = works.commands.lanes
        self.expiring = works.expiring
        self.stages = works.stages
        self.transfers = works.transfers
        self._snapshots.start()
        work = works.running(self._contracts.write_behind(), *[each.write_behind() for each in self._behind])
        self._tasks = [asyncio.get_running_loop().create_task(each) for each in work]

    def submit(self, sink: ReplySink, asks: Sequence[tuple[int, Ask]], origin: str = "") -> None:
        """Take requests of one batch. Each is answered once through the sink.

        `origin` is the role of whoever sent them through a data center; empty = they are this process's own.
        """
        refusal = self._refusal()
        if refusal is not None:
            body = pack_fault(refusal)
            for place, _ in asks:
                sink.answer(place, body)
            return
        self._around.look()
        work, items, patient = let_in(sink, asks, origin, self._around, self._metrics)
        self._patient.take(patient, others=len(items))
        commands, misses = self._commands, self._loading.misses
        commands.look_up(items)
        for each in work:
            try:
                if isinstance(each, Item):
                    commands.enter(each)
                else:
                    self._ask(sink, *each)
            except Exception:
                log.exception("a request could not be taken", slot=self.name)
                place = each.place if isinstance(each, Item) else each[0]
                sink.answer(place, pack_fault(internal()))
        misses = self._loading.misses - misses
        self._metrics.cache("account", hits=len(work) - misses, misses=misses)
        self._committing.wake()

    def _ask(self, sink: ReplySink, place: int, ask: Ask) -> None:
        if isinstance(ask, Instruct):
            self._instructing.instruct(sink, place, ask.instruction)
        else:
            self._proving.when_ours(sink, place, lambda: self._asking.read(sink, place, ask))

    def take(self, items: Sequence[Item]) -> None:
        """Take commits whose account is named. Each is answered once through its own sink, a refusal too."""
        refusal = self._refusal()
        if refusal is None:
            self._commands.take(items)
            return
        body = pack_fault(refusal)
        for item in items:
            item.sink.answer(item.place, body)

    def _refusal(self) -> Fault | None:
        if self.state is not SlotState.SERVING:
            return slot_moving(self.name, self._retry_ms)
        return store_away() if self._committing.stalled else None

    @property
    def accounts_in_memory(self) -> int:
        """How many, packed or not."""
        return len(self._cells)

    def tend(self) -> None:
        """Look after what time brings: a store that is away, a snapshot that is due though nothing moves."""
        self._committing.relieve()
        self._committing.write_down_if_idle()

    async def close(self) -> None:
        """Give the slot up in order: take nothing new, journal what was decided, write everything down. Idempotent."""
        if self.state is SlotState.SERVING:
            self.state = SlotState.DRAINING
            self._refuse(slot_moving(self.name, self._retry_ms))
            try:
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await self._write_down()
            except TimeoutError:
                log.warning("a slot is given up though the store did not answer", slot=self.name)
        self.end()

    async def _write_down(self) -> None:
        if await self._committing.settle():
            await self._snapshots.write_down(self.end)
            await self._contracts.flush()
            for records in self._behind:
                await records.flush()

    def anchor(self, now_ms: int) -> Anchor:
        """Say where its journal and its checkpoint stand, as far as they are durable now."""
        head, segments = self._journal.head, self._journal.segments
        return Anchor(
            self.name, head.epoch, head.seq, head.tip, segments[0].first_seq, self._writing.durable_seq, now_ms
        )

    def end(self) -> None:
        """Stop at once: what is not known to be applied is answered UNAVAILABLE, its repeat will tell. Idempotent."""
        if self.state is SlotState.ENDED:
            return
        self.state = SlotState.ENDED
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        for helper in (self._loading, self._readers, self._snapshots):
            helper.stop()
        text = f"slot {self.name} has another owner now; repeat the same request key"
        fault = Unavailable("OWNER_CHANGED", text, retry_ms=self._retry_ms)
        body = pack_fault(fault)
        for sink, place, _ in self._groups.take_waiters():
            sink.answer(place, body)
        self._refuse(slot_moving(self.name, self._retry_ms))
        self._proving.stop(body)
        self._loading.refuse(fault)
        self._on_end(self)

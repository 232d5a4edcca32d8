"""One simulated domain-server process: the real host and ownership over the simulated store."""

import asyncio
import contextvars
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from charging.errors import Unavailable
from charging.wire import Ask, failed, pack
from directory.state import DomainInfo
from domainservers.base.clock import SteadyClock
from domainservers.base.limits import Limits
from domainservers.ownership.anchoring import Anchoring
from domainservers.ownership.host import Host
from domainservers.ownership.ownership import Ownership
from domainservers.ownership.units import Units
from domainservers.slot.courier import Courier, Post
from domainservers.slot.keeping import Keeping
from domainservers.slot.slot import Slot
from domainservers.slot.witness import Witness
from evidence.anchors import Everywhere
from evidence.keys import ring_of
from evidence.seals import SealedUnit
from evidence.second import UnitAnchors
from runtime.telemetry import Metrics
from storage.unit import Unit
from tests.simulation.loop import NODE, SimulatedLoop
from tests.simulation.pace import a_pace
from tests.simulation.store import SimulatedUnit, Store, Wire

BASE_MS = 1_800_000_000_000
RING = ring_of([b"a simulated secret".ljust(32)])
ANCHOR_INTERVAL_MS = 1_500
LIMITS = Limits(
    group_entries_max=16,
    queue_entries_max=64,
    lane_entries_max=32,
    patient_max=4,
    segment_groups_max=12,
    snapshot_entries=40,
    snapshot_interval_ms=4_000,
    hot_accounts_max=3,
    packed_accounts_max=10_000,
    deltas_max=3,
    delta_states_max=30,
    kept_entries_max=12,
    sweep_ms=700,
    store_patience_ms=2_500,
    retry_ms=100,
)
LOST = pack(failed(Unavailable.told("NO_ANSWER", "nothing came back", retry_ms=100)))
TRY_S = 3.0
"""How long a caller waits for an answer; its deadline goes with the request, so that nothing of it is done later."""


class SkewedClock:
    """A wall clock that is wrong by minutes; nobody may rely on it."""

    def __init__(self, loop: SimulatedLoop, skew_ms: int) -> None:
        self._loop = loop
        self._skew_ms = skew_ms
        self.ahead_ms = 0
        """How far it has leapt."""

    def now_ms(self) -> int:
        return BASE_MS + self._skew_ms + self.ahead_ms + int(self._loop.now * 1000)

    def steady_ms(self) -> int:
        return int(self._loop.now * 1000)


class Answer:
    """A caller's sink: one answer, delayed or lost on its way back, held while the process is paused."""

    def __init__(self, loop: SimulatedLoop, wire: Wire, random: Random, loss: float) -> None:
        self.deadline = loop.now + TRY_S
        self.done: asyncio.Future[bytes] = loop.create_future()
        self._loop = loop
        self._wire = wire
        self._lost = random.random() < loss
        self._delay = random.uniform(0.0002, 0.004)

    def answer(self, position: int, body: bytes) -> None:
        if not self._lost:
            self._loop.call_later(self._delay, self._deliver, body)

    def _deliver(self, body: bytes) -> None:
        if self._wire.paused:
            self._loop.call_later(0.05, self._deliver, body)
        elif not self._wire.dead and not self.done.done():
            self.done.set_result(body)


async def _nobody(_: Unit) -> Mapping[str, str]:
    """Contracts are not looked at: their scan takes longer than most lives here."""
    return {}


class Node:
    """A process; `crash` and `start` as often as wanted."""

    def __init__(
        self,
        name: str,
        loop: SimulatedLoop,
        store: Store,
        random: Random,
        domains: Mapping[str, DomainInfo],
        post: Post,
        tally: Callable[[Metrics], None],
    ) -> None:
        self.name = name
        self.wire = Wire()
        self.wall = SkewedClock(loop, 0)
        self._ahead_ms = 0
        self.host: Host | None = None
        self.ownership: Ownership | None = None
        self._loop = loop
        self._store = store
        self._random = random
        self._domains = domains
        self._post = post
        self._tally = tally
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._context = contextvars.copy_context()

    def start(self) -> None:
        """Start the process, as new."""
        self.wire = Wire()
        self._tasks = {}
        self._context = contextvars.copy_context()
        self._context.run(NODE.set, self._tasks)
        self.wall = SkewedClock(self._loop, self._random.randrange(-600_000, 600_000))
        self.wall.ahead_ms = self._ahead_ms
        clock = SteadyClock(self.wall)
        unit = SimulatedUnit(self._store, self.wire)

        async def open_unit(_: str) -> Unit:
            return SealedUnit(unit, RING)

        units = Units(open_unit)
        metrics = Metrics("simulated")
        self._tally(metrics)
        self.host = Host(self.name, units, LIMITS, clock, 2, lambda _: 1, metrics, self._keeping, RING, pace=a_pace())
        places = Everywhere([UnitAnchors(SealedUnit(unit, RING), self.name)])
        self.host.witness = Witness(places, unit, _nobody)
        anchoring = Anchoring(self.host, places, lambda: (0, b""), clock, metrics, ANCHOR_INTERVAL_MS)
        self.ownership = Ownership(
            self.name,
            self.name,
            unit,
            lambda: self._domains,
            self.host,
            clock,
            serves=(),
            heartbeat_ms=400,
            ttl_ms=2_000,
        )
        self._spawn(self._life(self.ownership))
        self._spawn(self._note(anchoring))

    async def _life(self, ownership: Ownership) -> None:
        while True:
            try:
                await ownership.start()
                return
            except Exception:
                await asyncio.sleep(0.3)

    async def _note(self, anchoring: Anchoring) -> None:
        while True:
            await asyncio.sleep(ANCHOR_INTERVAL_MS / 1_000)
            await anchoring.note()

    def _keeping(self, slot: Slot) -> Keeping:
        return Keeping(slot, Courier(slot, self._post))

    def _spawn(self, coro: Any) -> asyncio.Task[Any]:
        return self._loop.create_task(coro, context=self._context)

    @property
    def up(self) -> bool:
        """The process exists (it may be paused)."""
        return self.host is not None and not self.wire.dead

    def leap(self, ahead_ms: int) -> None:
        """Set the machine's clock, for processes that run and that begin."""
        self._ahead_ms = self.wall.ahead_ms = ahead_ms

    def crash(self) -> None:
        """Kill -9."""
        self.wire.dead = True
        self.host = None
        for task in list(self._tasks):
            task.cancel()

    async def leave(self) -> None:
        """Stop in order."""
        ownership = self.ownership
        if ownership is not None and self.up:
            await self._spawn(ownership.stop())
            self.crash()

    def ask(self, slot: str, ask: Ask, loss: float) -> "asyncio.Future[bytes]":
        """Send an ask to a slot of this process; misrouted and lost ones give UNAVAILABLE or nothing."""
        answer = Answer(self._loop, self.wire, self._random, loss)
        delay = self._random.uniform(0.0002, 0.004)
        self._loop.call_later(delay, self._arrive, slot, ask, answer)
        return answer.done

    def _arrive(self, slot: str, ask: Ask, answer: Answer) -> None:
        if self.wire.paused:
            self._loop.call_later(0.05, self._arrive, slot, ask, answer)
            return
        host = self.host
        if host is None:
            return
        owned = host.slot(slot)
        if owned is None:
            answer.answer(0, LOST)
        else:
            self._context.run(owned.submit, answer, [(0, ask)])

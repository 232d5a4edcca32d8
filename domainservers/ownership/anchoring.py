"""Anchors of all slots of this process, and of the control log: noted at intervals, and when it stops.

One line an interval for all of them, of those alone that moved. A place that is away is told and tried again at the
next interval; serving goes on, for an anchor is evidence and no lock.
"""

import asyncio
from collections.abc import Callable

from domainservers.base.clock import Clock
from domainservers.ownership.host import Host
from domainservers.slot.slot import Slot
from evidence.anchors import DIRECTORY, NEVER, Anchor, Everywhere
from runtime.telemetry import Metrics, logger

log = logger("domainservers.ownership.anchoring")


class Anchoring:
    """Notes where the chains of one process stand."""

    def __init__(
        self,
        host: Host,
        places: Everywhere,
        control_log: Callable[[], tuple[int, bytes]],
        clock: Clock,
        metrics: Metrics,
        interval_ms: int,
    ) -> None:
        """`control_log` gives sequence and tip of the control log as this process has read it."""
        self._host = host
        self._places = places
        self._control_log = control_log
        self._clock = clock
        self._metrics = metrics
        self._interval_s = interval_ms / 1_000
        self._noted: dict[str, tuple[int, int, int]] = {}
        self._left: dict[str, Slot] = {}
        """Slots that ended since the last line."""
        self._directory_epoch = 1
        self._task: asyncio.Task[None] | None = None
        host.on_end = self._ended

    def start(self, known: Anchor | None) -> None:
        """Begin; `known` is the newest anchor of the control log."""
        if known is not None:
            self._directory_epoch = known.epoch
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Note the last state and end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self.note()
        await self._places.close()

    def _ended(self, slot: Slot) -> None:
        self._left[slot.name] = slot

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            try:
                await self.note()
            except Exception:
                log.exception("anchors could not be noted")

    async def note(self) -> None:
        """Note what moved since the last time. Never raises for a place that is away: all of it is noted again then."""
        now_ms = self._clock.now_ms()
        left, self._left = self._left, {}
        slots = [*left.values(), *self._host.slots()]
        anchors = [each.anchor(now_ms) for each in slots]
        seq, tip = self._control_log()
        anchors.append(Anchor(DIRECTORY, self._directory_epoch, seq, tip, 1, NEVER, now_ms))
        moved = [anchor for anchor in anchors if self._noted.get(anchor.slot) != _stand(anchor)]
        if not moved:
            return
        failed = await self._places.append(moved)
        for away in failed:
            log.error("anchors were not kept", why=str(away))
            self._metrics.event("anchors_away")
        if failed:
            self._left = left | self._left
        else:
            self._noted.update((anchor.slot, _stand(anchor)) for anchor in moved)


def _stand(anchor: Anchor) -> tuple[int, int, int]:
    return anchor.epoch, anchor.seq, anchor.checkpoint_seq

"""The platform's engine: takes batches from all callers, sends what arrived together in one batch to the data center.

Batches form by themselves: while `batches_in_flight_max` are under way, what arrives gathers; no timer, no delay.
Clients are served in turn, a few requests each, so one that floods can't starve another, whatever
streams it opens. A request costs no task, no
future and no timer here.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from appserver.access_log import AccessLog
from appserver.batches.pending import Counter
from appserver.reading.reader import Codec
from appserver.settings import AppServerSettings
from appserver.uplink.links import Way
from appserver.work.items import Batch, Caller, Source
from appserver.work.work import Work
from charging.errors import Broken, Fault
from runtime.telemetry import Metrics, logger

log = logger("appserver.engine")

TURN_REQUESTS = 64
"""Taken from one caller before the next has its turn."""
TURNS_MAX = 16
"""In one go, also when all that is taken up is answered on the spot."""
SWEEP_S = 0.02
"""How often deadlines are looked at."""


def wall_clock_ms() -> int:
    """UTC, milliseconds."""
    return time.time_ns() // 1_000_000


class Engine:
    """Works on the requests of one process, in one event loop."""

    def __init__(
        self,
        settings: AppServerSettings,
        uplink: Way,
        metrics: Metrics,
        wall_ms: Callable[[], int] = wall_clock_ms,
        name: str = "appserver",
    ) -> None:
        """`name` tells this process's access log from those of others."""
        self._loop = asyncio.get_running_loop()
        self.counter = Counter(metrics, self._loop.time)
        self._uplink = uplink
        self._metrics = metrics
        self._codec = Codec(settings.future_tolerance_ms, settings.country)
        self.access = AccessLog(settings.access_log, name, settings.access_log_bytes_max, settings.access_log_files_max)
        self._work = Work(self.counter, settings, self._loop.time, wall_ms, self._schedule, self.access)
        self._active: deque[Caller] = deque()
        self._scheduled = False
        self._sweeper = self._loop.call_later(SWEEP_S, self._sweep)
        metrics.gauge("items_in_flight", lambda: self.counter.items)
        metrics.gauge("bytes_in_flight", lambda: self.counter.bytes)
        metrics.gauge("accounts_cached", lambda: len(self._work.accounts))

    def submit(self, source: Source, batch: Batch) -> None:
        """Take a batch in. Its replies go to its sink in parts, the last not long after its deadline."""
        if not batch.missing:
            return
        caller = source.caller
        self.counter.enter(batch, caller)
        source.batches.append(batch)
        if not source.active:
            source.active = True
            caller.sources.append(source)
        if not caller.active:
            caller.active = True
            self._active.append(caller)
        self._schedule()

    def close(self) -> None:
        """Stop looking at deadlines."""
        self._sweeper.cancel()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        """Send the replies that got ready; fill one batch and send it, if a link has room."""
        self._scheduled = False
        self.counter.flush()
        work = self._work
        if not self._has_work():
            return
        link = self._uplink.pick()
        if link is None:
            return
        work.tick()
        work.serve_turns()
        ready, step = work.ready, work.step
        while ready and not work.out.is_full:
            step(ready.popleft())
        turns = TURNS_MAX
        while turns and self._active and not work.out.is_full:
            turns -= 1
            self._turn(self._active.popleft())
        self.counter.flush()
        if work.out.carriers:
            filled = work.open_batch()
            self._metrics.batch("route", len(filled.carriers))
            timeout_ms = int((filled.deadline - self._loop.time()) * 1000) + 1
            link.send(
                filled.request(max(timeout_ms, 1)), items=len(filled.carriers), sink=filled, timeout_ms=timeout_ms
            )
        if self._has_work():
            self._schedule()

    def _has_work(self) -> bool:
        work = self._work
        return bool(work.turns or work.ready or self._active or work.out.carriers)

    def _turn(self, caller: Caller) -> None:
        """Take up some requests of one caller; put it at the end of the row when it has more."""
        source = caller.sources.popleft()
        left = TURN_REQUESTS
        while left > 0 and source.batches:
            batch = source.batches[0]
            end = min(batch.cursor + left, len(batch.requests))
            left -= end - batch.cursor
            self._take_up(batch, end)
            if end == len(batch.requests):
                source.batches.popleft()
        if source.batches:
            caller.sources.append(source)
        else:
            source.active = False
        if caller.sources:
            self._active.append(caller)
        else:
            caller.active = False

    def _take_up(self, batch: Batch, end: int) -> None:
        """Read requests of a batch up to a position and begin with them."""
        now_ms = self._work.now_ms
        read, step = self._codec.read, self._work.step
        for position in range(batch.cursor, end):
            if batch.answered(position):
                continue
            try:
                item = read(batch, position, now_ms)
            except Fault as fault:
                self.counter.refuse(batch, position, fault, "any")
            except Exception:
                log.exception("request could not be read")
                self._metrics.event("request_failed")
                self.counter.refuse(batch, position, Broken("INTERNAL", "the request could not be read"), "any")
            else:
                step(item)
        batch.cursor = end

    def _sweep(self) -> None:
        self._sweeper = self._loop.call_later(SWEEP_S, self._sweep)
        self.counter.expire()
        self._work.library.recheck(self._work.out)
        if self._work.hits or self._work.misses:
            self._metrics.cache("accounts", hits=self._work.hits, misses=self._work.misses)
            self._work.hits = self._work.misses = 0
        # Also wakes a pump that found all links full when the batches in flight were lost without a part.
        self._schedule()

"""The platform's engine: takes batches from all callers, sends what arrived together in one batch to the data center.

Batches form by themselves: while `batches_in_flight_max` are under way, what arrives gathers; no timer, no delay.
Clients are served in turn, a few requests each, so one that floods can't starve another, whatever
streams it opens. A request costs no task, no
future and no timer here.
"""

import asyncio
from collections import deque

from appserver.accounts.cache import AccountCache
from appserver.batches.batch import Caller, RequestBatch, RequestSource
from appserver.batches.pending import Pending
from appserver.reading.reader import RequestReader
from appserver.uplink.outgoing import Outbox, Way
from appserver.work.batch_time import BatchTime
from appserver.work.library import Library
from appserver.work.work import Work
from charging.errors import Broken, Fault
from runtime.telemetry import Metrics, logger

log = logger("appserver.engine")

TURN_REQUESTS = 64
"""Taken from one caller before the next has its turn."""
TURN_BYTES = 16_000
"""Likewise, each request as those of its batch are on average: one with many uses takes the time of many."""
TURNS_MAX = 16
"""In one go, also when all that is taken up is answered on the spot."""
SWEEP_S = 0.02
"""How often deadlines are looked at."""


class Engine:
    """Works on the requests of one process, in one event loop."""

    def __init__(
        self,
        reader: RequestReader,
        work: Work,
        pending: Pending,
        outbox: Outbox,
        library: Library,
        accounts: AccountCache,
        time: BatchTime,
        uplink: Way,
        metrics: Metrics,
    ) -> None:
        """See `appserver.work.assembly`, which makes the parts."""
        self._loop = asyncio.get_running_loop()
        self._reader = reader
        self._work = work
        self._pending = pending
        self._outbox = outbox
        self._library = library
        self._accounts = accounts
        self._time = time
        self._uplink = uplink
        self._metrics = metrics
        self._active: deque[Caller] = deque()
        """Clients with requests that were not taken up, in turn."""
        self._scheduled = False
        self._sweeper = self._loop.call_later(SWEEP_S, self._sweep)
        metrics.gauge("items_in_flight", lambda: pending.items)
        metrics.gauge("bytes_in_flight", lambda: pending.bytes)

    def submit(self, source: RequestSource, batch: RequestBatch) -> None:
        """Take a batch in. Its replies go to its sink in parts, the last not long after its deadline.

        Returns at once; nothing is read of it before the loop's next turn. A batch without open requests has no
        replies.
        """
        if not batch.missing:
            return
        caller = source.caller
        self._pending.enter(batch, caller)
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
        self._pending.flush()
        if not self._has_work():
            return
        link = self._uplink.pick()
        if link is None:
            return
        self._time.tick()
        outbox = self._outbox
        self._work.go_on()
        turns = TURNS_MAX
        # One batch goes out for each turn of the loop: it fills while the link is busy with those before, so batches
        # grow with the load. `TURNS_MAX` bounds the turn when requests need nothing from below and so never fill the
        # batch.
        while turns and self._active and not outbox.is_full:
            turns -= 1
            self._turn(self._active.popleft())
        self._pending.flush()
        if outbox.items:
            items = outbox.items
            self._metrics.batch("route", items)
            request, sent = outbox.depart(self._loop.time(), self._library.hear, self._schedule)
            link.send(request, items=items, sink=sent, timeout_ms=request.timeout_ms)
        if self._has_work():
            self._schedule()

    def _has_work(self) -> bool:
        return self._work.waits or bool(self._active or self._outbox.items)

    def _turn(self, caller: Caller) -> None:
        """Take up some requests of one caller; put it at the end of the row when it has more."""
        source = caller.sources.popleft()
        left, left_bytes = TURN_REQUESTS, TURN_BYTES
        # Fair twice: each caller gets so many requests, and of a caller's streams each in turn, whatever the size of
        # their batches; a batch is left where `cursor` stands.
        while left > 0 and left_bytes > 0 and source.batches:
            batch = source.batches[0]
            count = len(batch.requests)
            each = batch.size // count
            taken = min(left, 1 + left_bytes // max(each, 1), count - batch.cursor)
            left -= taken
            left_bytes -= taken * each
            end = batch.cursor + taken
            self._take_up(batch, end)
            if end == count:
                source.batches.popleft()
        if source.batches:
            caller.sources.append(source)
        else:
            source.active = False
        if caller.sources:
            self._active.append(caller)
        else:
            caller.active = False

    def _take_up(self, batch: RequestBatch, end: int) -> None:
        """Read requests of a batch up to a position and begin with them."""
        now_ms = self._time.now_ms
        read, begin, requests = self._reader.read, self._work.begin, batch.requests
        for position in range(batch.cursor, end):
            if batch.answered(position):
                continue
            try:
                request = read(requests[position], now_ms)
            except Fault as fault:
                self._pending.refuse(batch, position, fault, "any")
            except Exception:
                log.exception("request could not be read")
                self._metrics.event("request_failed")
                self._pending.refuse(batch, position, Broken("INTERNAL", "the request could not be read"), "any")
            else:
                begin(request, batch, position)
        batch.cursor = end

    def _sweep(self) -> None:
        self._sweeper = self._loop.call_later(SWEEP_S, self._sweep)
        self._pending.expire()
        self._library.recheck()
        hits, misses = self._accounts.counted()
        if hits or misses:
            self._metrics.cache("accounts", hits=hits, misses=misses)
        # Also wakes a pump that found all links full when the batches in flight were lost without a part.
        self._schedule()

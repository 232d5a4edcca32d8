"""Callers' batches from when they are taken in until every request has its reply: replies, deadlines, figures."""

import asyncio
from collections.abc import Callable

from onetier.v1 import service_desk_pb2 as desk

from appserver.batches.batch import Caller, RequestBatch
from appserver.batches.item import WorkItem
from appserver.reading.asks import Kind
from appserver.replies.fill import fill_fault
from charging.errors import Expired, Fault
from runtime.telemetry import Metrics


class Pending:
    """All batches that are not wholly answered. `clock` is the loop's, seconds.

    A reply that was opened is sent, as it is then, with the next `flush`.
    """

    def __init__(self, metrics: Metrics, clock: Callable[[], float]) -> None:
        self.items = 0
        """Requests taken in and not answered."""
        self.bytes = 0
        """Of batches taken in and not wholly answered."""
        self._metrics = metrics
        self._clock = clock
        self._live: dict[RequestBatch, None] = {}
        self._touched: list[RequestBatch] = []
        self._good = [0] * (max(Kind) + 1)
        """Answered well since the last flush, by kind."""
        self._idle = asyncio.Event()
        self._idle.set()

    def enter(self, batch: RequestBatch, caller: Caller) -> None:
        """Take a batch of a client in; it has at least one request."""
        self._live[batch] = None
        batch.caller = caller
        self.items += batch.missing
        self.bytes += batch.size
        caller.items += batch.missing
        caller.bytes += batch.size
        self._idle.clear()
        self._metrics.batch("exchange", batch.missing)

    def reply(self, item: WorkItem) -> desk.ServiceReply | None:
        """Give the reply of a request that went well, to fill; None when it was answered already (it expired)."""
        self._good[item.request.kind] += 1
        return self._open(item.batch, item.position)

    def refuse_item(self, item: WorkItem, fault: Fault) -> None:
        """Answer an item with a fault, unless it was answered already."""
        self.refuse(item.batch, item.position, fault, item.request.kind.name)

    def refuse(self, batch: RequestBatch, position: int, fault: Fault, kind: str) -> None:
        """Answer a request with a fault, unless it was answered already."""
        reply = self._open(batch, position)
        if reply is not None:
            fill_fault(reply, fault, batch.requests[position].language)
            self._metrics.requests(kind, fault.reason)

    def flush(self) -> None:
        """Send what was answered since the last time, a batch's in one part: for the end of a turn, not each item."""
        if not self._touched:
            return
        now = self._clock()
        for batch in self._touched:
            response, batch.response = batch.response, None
            if response is None:
                continue
            count = len(response.positions)
            self.items -= count
            self._metrics.latency("exchange", now - batch.received, count)
            self._give_back(batch, count)
            batch.sink.deliver(batch, response)
        self._touched.clear()
        for kind in Kind:
            if self._good[kind]:
                self._metrics.requests(kind.name, "ok", self._good[kind])
                self._good[kind] = 0
        if not self.items:
            self._idle.set()

    def _give_back(self, batch: RequestBatch, count: int) -> None:
        whole = not batch.missing
        if whole:
            self._live.pop(batch, None)
            self.bytes -= batch.size
        caller = batch.caller
        if caller is not None:
            caller.items -= count
            caller.bytes -= batch.size if whole else 0

    def expire(self) -> None:
        """Answer what is past its deadline. An item that is under way may still happen: the repeat of its key tells."""
        now = self._clock()
        for batch in [batch for batch in self._live if batch.deadline <= now]:
            fault = Expired(
                "DEADLINE_EXCEEDED", "the deadline passed before an answer came; repeat the same request key"
            )
            for position in batch.open_positions():
                self.refuse(batch, position, fault, "any")
        self.flush()

    async def idle(self) -> None:
        """Wait until everything is answered."""
        await self._idle.wait()

    def _open(self, batch: RequestBatch, position: int) -> desk.ServiceReply | None:
        if batch.response is None:
            self._touched.append(batch)
        return batch.reply(position)

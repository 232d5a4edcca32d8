"""The way of a request to its answer: queues by endpoint, batches that form while others are in flight, repeats.

A request costs one `Call` object and a place in a few lists. Futures, timers and tasks exist by batch, or for the
caller's own single call. A repeat keeps the request, key and all, and stays within the call's overall deadline.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Sequence

import grpc
from onetier.v1.service_desk_pb2 import ExchangeRequest, ExchangeResponse, ServiceReply, ServiceRequest
from onetier.v1.service_desk_pb2_grpc import ServiceDeskServiceStub

from charging.errors import Denied, Expired, Fault, Invalid, Overloaded, Unavailable
from onetier_client.endpoints import Ranking
from runtime.channel import open_channel
from runtime.link import BatchLink
from runtime.status import DRAINING, ROLE_NOT_ALLOWED, from_status, to_status
from runtime.tls import Tls

BATCH_BYTES_MAX = 4_000_000
REQUEST_BYTES_MAX = 1_000_000
"""A larger one would break the stream for all that share it."""
AVOID_MIN_MS = 1_000
AVOID_MAX_MS = 30_000
"""How long an endpoint that let a batch go unanswered isn't preferred; doubles each time until it answers again."""
BACKOFF_MIN_MS = 20
BACKOFF_MAX_MS = 1_000
BATCH_TOO_LARGE = "BATCH_TOO_LARGE"
"""Reason of a batch refused whole; its fact "limit" is how many requests are taken."""
_REPEATED_CODES = frozenset(
    code.value[0]
    for code in (
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
    )
)

Answered = Callable[["Call", ServiceReply], None]


class Call:
    """A request on its way. `answered` is called once, with the last reply."""

    __slots__ = ("answered", "attempts", "deadline", "finished", "request", "shift")

    def __init__(self, request: ServiceRequest, deadline: float, answered: Answered) -> None:
        self.request = request
        self.deadline = deadline
        """On the monotonic clock, seconds."""
        self.answered = answered
        self.attempts = 0
        self.shift = 0
        """How many of the preferred endpoints have failed it."""
        self.finished = False

    def finish(self, reply: ServiceReply) -> None:
        """Hand over the reply; later ones are dropped."""
        if not self.finished:
            self.finished = True
            self.answered(self, reply)


class CallBatch:
    """The calls of one batch, and what to do with their answers."""

    __slots__ = ("_calls", "_line", "_lines")

    def __init__(self, calls: list[Call], line: "Line", lines: "Lines") -> None:
        self._calls: list[Call | None] = list(calls)
        self._line = line
        self._lines = lines

    def part(self, response: ExchangeResponse) -> int:
        """Take replies, in whatever order; those that ask for a repeat go round again. Gives how many it answered."""
        if response.HasField("error"):
            return self._refused(from_status(response.error))
        self._line.answers()
        calls = self._calls
        repeats: list[Call] = []
        fault: Fault | None = None
        # Those to be repeated go together after one pause, the longest that was asked for: else one batch would become
        # as many as it has refusals. An endpoint that drains is left out in the next round, by `shift`.
        for position, reply in zip(response.positions, response.replies, strict=True):
            call = calls[position]
            if call is None:
                continue
            calls[position] = None
            if reply.HasField("error") and reply.error.code in _REPEATED_CODES:
                found = from_status(reply.error)
                if found.reason == DRAINING:
                    call.shift += 1
                if fault is None or found.retry_ms > fault.retry_ms:
                    fault = found
                repeats.append(call)
            else:
                call.finish(reply)
        if fault is not None:
            self._lines.repeat(repeats, fault)
        return len(response.positions)

    def lost(self, fault: Fault) -> None:
        """The stream broke or the attempt took too long: repeat elsewhere what has no answer, though it may be done.

        The request key makes that safe.
        """
        calls = self._open()
        if fault.facts.get("cause") == ROLE_NOT_ALLOWED:
            # No instance will take a caller with this certificate; waiting for the deadline would only hide it.
            _finish_all(calls, Denied(ROLE_NOT_ALLOWED, fault.message))
            return
        for call in calls:
            call.shift += 1
        self._line.lets_down()
        self._lines.repeat(calls, fault)

    def _open(self) -> list[Call]:
        calls = [call for call in self._calls if call is not None]
        self._calls = [None] * len(self._calls)
        return calls

    def _refused(self, fault: Fault) -> int:
        """The whole batch is refused: smaller ones from now on if it was too large, else as each one's own fault."""
        calls = self._open()
        if self._line.shrink(len(self._calls), fault) or isinstance(fault, Unavailable | Overloaded | Expired):
            self._lines.repeat(calls, fault)
            return len(self._calls)
        _finish_all(calls, fault)
        return len(self._calls)


class Line:
    """The queue and the stream to one endpoint."""

    def __init__(self, lines: "Lines", address: str, tls: Tls | None) -> None:
        self._lines = lines
        self._channel = open_channel(address, tls, role="appserver")
        self._link: BatchLink[ExchangeRequest, ExchangeResponse] = BatchLink(
            address,
            ServiceDeskServiceStub(self._channel).Exchange,
            batches_in_flight_max=lines.batches_in_flight_max,
        )
        self._waiting: deque[Call] = deque()
        self._wake = asyncio.Event()
        self._batch_max = lines.batch_requests_max
        self._avoided_ms = 0
        self._avoided_until = 0.0
        self._pump_task = asyncio.create_task(self._pump(), name=f"batches to {address}")

    @property
    def up(self) -> bool:
        """False while the endpoint can't be reached, or has just let a batch go unanswered."""
        return self._link.up and (not self._avoided_ms or time.monotonic() >= self._avoided_until)

    def answers(self) -> None:
        """The endpoint is well."""
        self._avoided_ms = 0

    def lets_down(self) -> None:
        """A batch went unanswered: leave the endpoint for a while, with all that waits for it."""
        self._avoided_ms = min(max(self._avoided_ms * 2, AVOID_MIN_MS), AVOID_MAX_MS)
        self._avoided_until = time.monotonic() + self._avoided_ms / 1000
        if self._lines.closed:
            return  # What waits is told by `close`.
        waiting = list(self._waiting)
        self._waiting.clear()
        for call in waiting:
            self._lines.submit(call)

    def add(self, call: Call) -> None:
        """Queue a call for the next batch."""
        self._waiting.append(call)
        self._wake.set()

    def shrink(self, requests: int, fault: Fault) -> bool:
        """Learn the endpoint's own limit from a batch that it refused as too large; True if it was that.

        `requests` are those of the batch.
        """
        if requests <= 1 or fault.reason != BATCH_TOO_LARGE or "limit" not in fault.facts:
            return False
        self._batch_max = max(1, min(self._batch_max // 2, int(fault.facts["limit"])))
        return True

    async def close(self) -> list[Call]:
        """End the stream; gives the calls that were never sent, in order. Those under way hear of it by their batch."""
        self._pump_task.cancel()
        await asyncio.gather(self._pump_task, return_exceptions=True)
        await self._link.close(0)
        await self._channel.close()
        return list(self._waiting)

    async def _pump(self) -> None:
        while True:
            await self._wake.wait()
            await self._link.room()
            calls, left_ms = self._take()
            if not self._waiting:
                self._wake.clear()
            if calls:
                request = ExchangeRequest(timeout_ms=left_ms, requests=[call.request for call in calls])
                batch = CallBatch(calls, self, self._lines)
                self._link.send(request, items=len(calls), sink=batch, timeout_ms=left_ms)

    def _take(self) -> tuple[list[Call], int]:
        """Take the next batch and its time: the longest of its calls, at most one attempt's."""
        now = time.monotonic()
        calls: list[Call] = []
        last = 0.0
        size = 0
        waiting = self._waiting
        # Calls that ended meanwhile, for their caller gave up, are dropped here and not when they end: the line need
        # not be searched.
        while waiting and len(calls) < self._batch_max and size < BATCH_BYTES_MAX:
            call = waiting.popleft()
            if call.finished:
                continue
            own = call.request.ByteSize()
            if own > REQUEST_BYTES_MAX:
                _finish_all([call], _too_large(own))
                continue
            size += own
            calls.append(call)
            last = max(last, call.deadline)
        return calls, max(1, min(int((last - now) * 1000), self._lines.attempt_timeout_ms))


class Lines:
    """All endpoints. `submit` a call, and its `answered` is called before its deadline, or with the fault.

    Of one event loop. What was not answered in time is repeated, under the same key, at the next endpoint that is up; a
    call that nobody answered by its deadline is its caller's to give up.
    """

    def __init__(
        self,
        endpoints: Sequence[str],
        tls: Tls | None,
        *,
        attempt_timeout_ms: int,
        batch_requests_max: int,
        batches_in_flight_max: int,
    ) -> None:
        self.attempt_timeout_ms = attempt_timeout_ms
        self.batch_requests_max = batch_requests_max
        self.batches_in_flight_max = batches_in_flight_max
        self.repeats = 0
        """Attempts after the first, of all calls so far."""
        self.closed = False
        self._ranking = Ranking(endpoints)
        self._loop = asyncio.get_running_loop()
        self._pauses: dict[int, tuple[asyncio.TimerHandle, list[Call]]] = {}
        """Calls that wait to be repeated, by the number of their pause."""
        self._pause_number = 0
        self._lines = [Line(self, endpoint, tls) for endpoint in endpoints]

    def submit(self, call: Call) -> None:
        """Queue a call at the best endpoint that is up."""
        order = self._ranking.of(call.request.identity)
        lines = self._lines
        best = lines[order[call.shift % len(order)]]
        if not best.up:
            best = next((lines[index] for index in order if lines[index].up), best)
        best.add(call)

    def repeat(self, calls: Sequence[Call], fault: Fault) -> None:
        """Send calls again after a pause, all together; those that have no time left get the fault now.

        The pause is what the fault asks for or the back-off, whichever is more.
        """
        if self.closed:
            fault = Unavailable("CLIENT_CLOSED", "the client was closed; the same request key tells the outcome")
        now = time.monotonic()
        attempts = max((call.attempts for call in calls), default=0)
        pause_s = back_off_s(attempts, fault.retry_ms)
        again: list[Call] = []
        for call in calls:
            if call.finished:
                continue
            call.attempts += 1
            if now + pause_s < call.deadline and not self.closed:
                again.append(call)
            else:
                call.finish(ServiceReply(error=to_status(_final(fault, call.request.request_key))))
        if again:
            self.repeats += len(again)
            self._pause_number += 1
            handle = self._loop.call_later(pause_s, self._resubmit, self._pause_number)
            self._pauses[self._pause_number] = (handle, again)

    async def close(self) -> None:
        """End all streams; calls without an answer get Unavailable."""
        self.closed = True
        left: list[Call] = []
        for handle, calls in self._pauses.values():
            handle.cancel()
            left += calls
        self._pauses.clear()
        for line in self._lines:
            left += await line.close()
        self.repeat(left, Unavailable("CLIENT_CLOSED", "the client was closed"))

    def _resubmit(self, number: int) -> None:
        _handle, calls = self._pauses.pop(number)
        for call in calls:
            if not call.finished:
                self.submit(call)


def back_off_s(attempts: int, retry_ms: int) -> float:
    """What the server asks for or the back-off, whichever is more, with jitter so that callers don't come in step."""
    backoff_ms = min(BACKOFF_MIN_MS << min(attempts, 10), BACKOFF_MAX_MS)
    return max(retry_ms * random.uniform(1.0, 1.25), backoff_ms * random.uniform(0.5, 1.0)) / 1000


def _finish_all(calls: Sequence[Call], fault: Fault) -> None:
    reply = ServiceReply(error=to_status(fault))
    for call in calls:
        call.finish(reply)


def _too_large(size: int) -> Invalid:
    text = f"a request of {size} bytes is over the limit of {REQUEST_BYTES_MAX}"
    return Invalid("REQUEST_TOO_LARGE", text, facts={"limit": str(REQUEST_BYTES_MAX)})


def _final(fault: Fault, key: str) -> Fault:
    """What the caller is told when time is up: the last fault, and the key that tells the outcome."""
    facts = {**fault.facts, "request_key": key} if key else fault.facts
    return type(fault).told(fault.reason, fault.message, facts=facts, retry_ms=fault.retry_ms)

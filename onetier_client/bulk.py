"""Many requests at once: a window of them under way, replies as they come."""

import asyncio
import time
from collections.abc import Sequence

from onetier.v1.service_desk_pb2 import (
    REQUEST_TYPE_CHARGE,
    REQUEST_TYPE_EXECUTE,
    ServiceReply,
    ServiceRequest,
)

from charging.errors import Expired
from onetier_client.keys import new_key
from onetier_client.lines import Call, Lines
from runtime.status import to_status

Exchanged = tuple[ServiceRequest, ServiceReply]

SWEEP_MS = 100
_KEYED = frozenset((REQUEST_TYPE_CHARGE, REQUEST_TYPE_EXECUTE))


class Bulk:
    """One bulk exchange. Drive it with `step` until it gives nothing."""

    def __init__(self, lines: Lines, *, window: int, timeout_ms: int) -> None:
        self._lines = lines
        self._window = window
        self._timeout_s = timeout_ms / 1000
        self._open: dict[Call, None] = {}
        self._ready: list[Exchanged] = []
        self._arrived = asyncio.Event()

    @property
    def space(self) -> int:
        """How many more requests may go under way."""
        return self._window - len(self._open)

    async def step(self, requests: Sequence[ServiceRequest]) -> list[Exchanged]:
        """Send these, and give all replies that have come; waits for at least one while any is under way.

        Give at most `space` requests; those without a key get one. Replies come in no order, one a request, a failure
        as a reply with `error`. Nothing given back = nothing is under way.
        """
        deadline = time.monotonic() + self._timeout_s
        submit = self._lines.submit
        for request in requests:
            if not request.request_key and request.request_type in _KEYED:
                request.request_key = new_key()
            call = Call(request, deadline, self._answered)
            self._open[call] = None
            submit(call)
        while self._open and not self._ready:
            self._arrived.clear()
            try:
                async with asyncio.timeout(SWEEP_MS / 1000):
                    await self._arrived.wait()
            except TimeoutError:
                self._expire()
        ready, self._ready = self._ready, []
        return ready

    def abandon(self) -> None:
        """Forget what is under way; it may still be done."""
        for call in self._open:
            call.finished = True
        self._open.clear()

    def _answered(self, call: Call, reply: ServiceReply) -> None:
        self._open.pop(call, None)
        self._ready.append((call.request, reply))
        self._arrived.set()

    def _expire(self) -> None:
        """Give up calls whose overall deadline has passed. They stand in order of their deadlines."""
        now = time.monotonic()
        late: list[Call] = []
        for call in self._open:
            if call.deadline > now:
                break
            late.append(call)
        if late:
            fault = Expired("DEADLINE_EXCEEDED", "no answer came in time; the same request key tells the outcome")
            reply = ServiceReply(error=to_status(fault))
            for call in late:
                call.finish(reply)

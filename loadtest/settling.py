"""Batches sent until each request has its outcome: the same key again while it has none, as a front end must.

Locust hears of a batch once, with the time until its last outcome; what was told goes to the file for the journals.
"""

import time
from collections.abc import Callable, Sequence

import gevent
from locust.event import EventHook
from onetier.v1 import service_desk_pb2 as desk

from loadtest import checks
from loadtest.desk import DeskConnection, StreamBroken
from loadtest.told import ToldFile

PATIENCE_S = 30.0
"""How long a key is repeated before its outcome counts as lost; `make loadtest` lets users finish for longer."""

Check = Callable[[desk.ServiceRequest, desk.ServiceReply, bool], str]
"""Request, reply, sent more than once → what is wrong, or ""."""


class WrongAnswer(Exception):
    """The service answered, and the answer is wrong."""


class Unsettled(Exception):
    """A key was repeated for too long without an outcome."""


class Settler:
    """Settles the batches of one user over its stream. `refusals_count` says that a refusal of the business (no money,
    suspended) is a failure too."""

    def __init__(
        self, connection: DeskConnection, measured: EventHook, told: ToldFile, *, refusals_count: bool
    ) -> None:
        self._connection = connection
        self._measured = measured
        self._told = told
        self._refusals_count = refusals_count

    def settle(self, name: str, requests: Sequence[desk.ServiceRequest], check: Check) -> list[desk.ServiceReply]:
        """Send a batch until each item has its outcome, and check each; [] when one has none.

        Locust gets one request with the time until the last outcome, failed when an answer is wrong or missing.
        """
        with self._measured.measure("Exchange", f"{name} ×{len(requests)}") as measured:
            try:
                replies, resent = self._until_told(requests)
            except Unsettled as error:
                measured["exception"] = error
                return []
            measured["response_length"] = len(replies)
            wrong = [
                fault
                for position, (request, reply) in enumerate(zip(requests, replies, strict=True))
                if (self._refusals_count or not checks.refused(reply))
                and (fault := check(request, reply, position in resent))
            ]
            if wrong:
                measured["exception"] = WrongAnswer(wrong[0])
        self._told.charges(
            (request.request_key, reply.charge.amount, reply.charge.domain, position in resent)
            for position, (request, reply) in enumerate(zip(requests, replies, strict=True))
            if reply.HasField("charge")
        )
        return replies

    def _until_told(self, requests: Sequence[desk.ServiceRequest]) -> tuple[list[desk.ServiceReply], set[int]]:
        """Repeat the same keys until none is open; gives the replies and the positions that were sent again.

        Raises `Unsettled`.
        """
        replies = [desk.ServiceReply()] * len(requests)
        waiting, resent = list(range(len(requests))), set[int]()
        until = time.monotonic() + PATIENCE_S
        while True:
            pause_s, last = checks.PAUSE_S, ""
            try:
                told = self._connection.exchange([requests[position] for position in waiting])
            except (StreamBroken, gevent.Timeout) as error:
                last = f"{type(error).__name__}: {error}"
            else:
                for position, reply in zip(waiting, told, strict=True):
                    replies[position] = reply
                waiting = [position for position in waiting if checks.transient(replies[position])]
                if waiting:
                    pause_s, last = checks.pause_s(replies[waiting[0]]), replies[waiting[0]].error.message
            if not waiting:
                return replies, resent
            if time.monotonic() > until:
                raise Unsettled(f"{len(waiting)} keys have no outcome after {PATIENCE_S:.0f} s; the last word: {last}")
            resent.update(waiting)
            gevent.sleep(pause_s)

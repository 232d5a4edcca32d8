"""How a client asks: requests over streams, with repeats and deadlines inside; replies, or the errors they tell.

The calls themselves stand in the classes on top of it: `onetier_client.views`, `sessions`, and `generated.calls`.
"""

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from itertools import islice
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, Unpack, cast
from weakref import WeakSet

from onetier.v1 import service_desk_pb2 as desk

from charging.errors import Expired, Overloaded
from onetier_client import requests as build
from onetier_client.bulk import Bulk, Exchanged
from onetier_client.feed import Watch
from onetier_client.lines import Call, Lines
from onetier_client.messages import Command
from runtime.status import from_status
from runtime.tls import Tls

TIMEOUT_MS = 10_000
ATTEMPT_TIMEOUT_MS = 3_000
WINDOW = 4_000
CALLS_IN_FLIGHT_MAX = 20_000
P = ParamSpec("P")


class Asking:
    """The part of the asyncio client that every call stands on; see `onetier_client.desk.AsyncClient`."""

    def __init__(
        self,
        endpoints: Sequence[str],
        *,
        feeds: Sequence[str] = (),
        tls: Tls | None = None,
        channel: str = "front",
        partner: str = "",
        language: str = "",
        timeout_ms: int = TIMEOUT_MS,
        attempt_timeout_ms: int = ATTEMPT_TIMEOUT_MS,
        batch_requests_max: int = 1_000,
        batches_in_flight_max: int = 4,
    ) -> None:
        if not endpoints:
            raise ValueError("at least one endpoint is needed, as host:port")
        self._endpoints = tuple(endpoints)
        self._feeds = tuple(feeds)
        self._watches: WeakSet[Watch] = WeakSet()
        self._tls = tls
        self._defaults: build.Facts = {"channel": channel, "partner": partner, "language": language}
        self._timeout_ms = timeout_ms
        self._attempt_timeout_ms = attempt_timeout_ms
        self._batch_requests_max = batch_requests_max
        self._batches_in_flight_max = batches_in_flight_max
        self._opened: Lines | None = None
        self._calls = 0

    async def __aenter__(self) -> Self:
        """Open the streams."""
        self._lines()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the streams."""
        await self.close()

    async def close(self) -> None:
        """End the streams and watches; calls without an answer get Unavailable. Idempotent."""
        await asyncio.gather(*(watch.close() for watch in list(self._watches)))
        if self._opened is not None:
            lines, self._opened = self._opened, None
            await lines.close()

    @property
    def repeats(self) -> int:
        """Attempts after the first, of all calls so far."""
        return self._opened.repeats if self._opened is not None else 0

    async def ask(self, request: desk.ServiceRequest, timeout_ms: int = 0) -> desk.ServiceReply:
        """Send one request as it is and give its reply. Raises the reply's error as a `Fault`.

        `timeout_ms` is the deadline of all attempts, 0 = the client's. A command must have a key. Raises `Expired`
        DEADLINE_EXCEEDED and `Unavailable` when the outcome is unknown: the same key tells it; `Overloaded`
        CLIENT_OVERLOADED with nothing sent, when too many calls are under way.
        """
        if self._calls >= CALLS_IN_FLIGHT_MAX:
            raise Overloaded("CLIENT_OVERLOADED", f"{CALLS_IN_FLIGHT_MAX} calls are under way", retry_ms=50)
        seconds = (timeout_ms or self._timeout_ms) / 1000
        future: asyncio.Future[desk.ServiceReply] = asyncio.get_running_loop().create_future()
        call = Call(request, time.monotonic() + seconds, lambda _call, reply: _settle(future, reply))
        self._calls += 1
        try:
            async with asyncio.timeout(seconds):
                self._lines().submit(call)
                reply = await future
        except TimeoutError as error:
            text = "no answer came in time; the same request key tells the outcome"
            raise Expired("DEADLINE_EXCEEDED", text, facts={"request_key": request.request_key}) from error
        finally:
            call.finished = True
            self._calls -= 1
        if reply.HasField("error"):
            raise from_status(reply.error)
        return reply

    async def execute(self, identity: str, command: Command, **facts: Unpack[build.Facts]) -> desk.CommandResult:
        """Do any keyed command on the account, for example `SetContract(…)`.

        Raises `TypeError` for a message that is no command, else as `ask`.
        """
        return (await self.ask(build.execute(identity, command, **self._with({}, facts)))).command

    async def exchange(
        self, requests: Iterable[desk.ServiceRequest], *, window: int = WINDOW, timeout_ms: int = 0
    ) -> AsyncIterator[Exchanged]:
        """Send many requests, `window` of them under way, and yield (request, reply) as replies come: in no order.

        A failed request is a reply with `error`; nothing is raised for it. Missing request keys are set. Requests are
        taken from the iterable as there is room. What is under way when the caller leaves may still be done.
        """
        bulk = self.bulk(window=window, timeout_ms=timeout_ms)
        source = iter(requests)
        try:
            while True:
                ready = await bulk.step(list(islice(source, bulk.space)))
                if not ready:
                    return
                for pair in ready:
                    yield pair
        finally:
            bulk.abandon()

    def bulk(self, *, window: int = WINDOW, timeout_ms: int = 0) -> Bulk:
        """A bulk exchange to drive step by step, for callers that feed it themselves.

        At most `window` requests are under way; `timeout_ms` is that of each, 0 = the client's.
        """
        return Bulk(self._lines(), window=window, timeout_ms=timeout_ms or self._timeout_ms)

    def name_origin(self, request: desk.ServiceRequest, given: Mapping[str, object]) -> None:
        """Write the client's own channel, partner and language into a request, where the caller gave none."""
        if "channel" not in given:
            request.channel = self._defaults["channel"]
        if "partner" not in given:
            request.partner = self._defaults["partner"]
        if "language" not in given:
            request.language = self._defaults["language"]

    def _with(self, preset: build.Facts, facts: build.Facts) -> build.Facts:
        return {**self._defaults, **preset, **facts}

    def _narrowed(self, facts: build.Paged) -> build.Narrowed:
        given: build.Paged = {**self._defaults, **facts}
        return cast(build.Narrowed, given)

    def _lines(self) -> Lines:
        if self._opened is None:
            self._opened = Lines(
                self._endpoints,
                self._tls,
                attempt_timeout_ms=self._attempt_timeout_ms,
                batch_requests_max=self._batch_requests_max,
                batches_in_flight_max=self._batches_in_flight_max,
            )
        return self._opened


def asked(
    build: Callable[P, desk.ServiceRequest],
) -> Callable[Concatenate[Asking, P], Coroutine[object, object, desk.CommandResult]]:
    """Make the call of a command from what makes its request: same arguments, raises the reply's error as a `Fault`."""

    @functools.wraps(build)
    async def call(client: Asking, /, *args: P.args, **kwargs: P.kwargs) -> desk.CommandResult:
        request = build(*args, **kwargs)
        client.name_origin(request, kwargs)
        return (await client.ask(request)).command

    return call


def _settle(future: "asyncio.Future[desk.ServiceReply]", reply: desk.ServiceReply) -> None:
    if not future.done():
        future.set_result(reply)

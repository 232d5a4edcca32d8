"""The asyncio client of a front end: one call a request; batches, keys, repeats and deadlines inside.

    async with AsyncClient(["127.0.0.1:7000"]) as desk:
        charge = await desk.charge("13012345678", "voice", quantity=61, other_party="10086")
        print(charge.amount, charge.steps)

Errors are raised as `charging.errors.Fault`. After `Unavailable` or `Expired` the outcome is unknown: give the
same `request_key` again, or ask for the key's `outcome`, to learn it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import islice
from types import TracebackType
from typing import Self, Unpack

from onetier.v1 import service_desk_pb2 as desk

from charging.errors import Expired, Overloaded
from onetier_client import requests as build
from onetier_client.bulk import Bulk, Exchanged
from onetier_client.lines import Call, Lines
from runtime.status import from_status
from runtime.tls import Tls

TIMEOUT_MS = 10_000
ATTEMPT_TIMEOUT_MS = 3_000
WINDOW = 4_000
CALLS_IN_FLIGHT_MAX = 20_000


class AsyncClient:
    """A front end's desk. Belongs to the event loop in which it is first used; close it, or use `async with`.

    `timeout_ms` is the overall deadline of a call, repeats included; `attempt_timeout_ms` that of one attempt.
    `channel` and `partner` are the access channel that requests name unless they say otherwise.
    """

    def __init__(
        self,
        endpoints: Sequence[str],
        *,
        tls: Tls | None = None,
        channel: str = "front",
        partner: str = "",
        timeout_ms: int = TIMEOUT_MS,
        attempt_timeout_ms: int = ATTEMPT_TIMEOUT_MS,
        batch_requests_max: int = 1_000,
        batches_in_flight_max: int = 4,
    ) -> None:
        if not endpoints:
            raise ValueError("at least one endpoint is needed, as host:port")
        self._endpoints = tuple(endpoints)
        self._tls = tls
        self._defaults: build.Facts = {"channel": channel, "partner": partner}
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
        """End the streams; calls without an answer get Unavailable. Idempotent."""
        if self._opened is not None:
            lines, self._opened = self._opened, None
            await lines.close()

    @property
    def repeats(self) -> int:
        """Attempts after the first, of all calls so far."""
        return self._opened.repeats if self._opened is not None else 0

    async def ask(self, request: desk.ServiceRequest, timeout_ms: int = 0) -> desk.ServiceReply:
        """Send one request as it is and give its reply. Raises the reply's error as a `Fault`."""
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

    async def charge(
        self, identity: str, service: str, quantity: int = 1, **facts: Unpack[build.Facts]
    ) -> desk.ChargeResult:
        """Rate an event and take it from the balance. `quantity` is in seconds, bytes or events."""
        request = build.charge(identity, service, quantity, **self._with({"explain": True}, facts))
        return (await self.ask(request)).charge

    async def quote(
        self, identity: str, service: str, quantity: int = 1, **facts: Unpack[build.Facts]
    ) -> desk.ChargeResult:
        """Ask what an event would cost, and why. Changes nothing."""
        request = build.quote(identity, service, quantity, **self._with({"explain": True}, facts))
        return (await self.ask(request)).quote

    async def balance(self, identity: str, **facts: Unpack[build.Facts]) -> desk.BalanceView:
        """Books, what is held by sessions, what may be spent."""
        return (await self.ask(build.query(identity, "balance", **self._with({}, facts)))).balance

    async def usage(self, identity: str, **facts: Unpack[build.Facts]) -> desk.UsageView:
        """Accumulators, what is left of allowances, recent usage."""
        return (await self.ask(build.query(identity, "usage", **self._with({}, facts)))).usage

    async def contract(self, identity: str, **facts: Unpack[build.Facts]) -> desk.Contract:
        """What the identity has agreed with the operator."""
        return (await self.ask(build.query(identity, "contract", **self._with({}, facts)))).contract.contract

    async def history(
        self, identity: str, lines_max: int = 0, **facts: Unpack[build.Facts]
    ) -> Sequence[desk.HistoryLine]:
        """The newest changes of the account, newest first."""
        request = build.query(identity, "history", lines_max, **self._with({}, facts))
        return (await self.ask(request)).history.lines

    async def outcome(self, identity: str, key: str, **facts: Unpack[build.Facts]) -> desk.OutcomeView:
        """What a request key did, if anything; asking changes nothing."""
        given: build.Facts = {"request_key": key, "explain": True}
        return (await self.ask(build.query(identity, "outcome", **self._with(given, facts)))).outcome

    async def execute(self, identity: str, command: build.Command, **facts: Unpack[build.Facts]) -> desk.CommandResult:
        """Do any keyed command on the account, for example `SetContract(…)`."""
        return (await self.ask(build.execute(identity, command, **self._with({}, facts)))).command

    async def open_account(
        self, identity: str, account: desk.OpenAccount, **facts: Unpack[build.Facts]
    ) -> desk.CommandResult:
        """Open an account whose primary member is the identity."""
        return await self.execute(identity, account, **facts)

    async def top_up(
        self, identity: str, amount: int, *, book_id: str = "", kind: str = "deposit", **facts: Unpack[build.Facts]
    ) -> desk.CommandResult:
        """Put micro-units into a money book; "" is the main one."""
        return await self.execute(identity, build.top_up(amount, book_id=book_id, kind=kind), **facts)

    async def refund(
        self, identity: str, charge_key: str, amount: int = 0, *, reason: str = "", **facts: Unpack[build.Facts]
    ) -> desk.CommandResult:
        """Give back a charge by its request key; amount 0 = all that is left of it."""
        return await self.execute(identity, desk.Refund(charge_key=charge_key, amount=amount, reason=reason), **facts)

    async def approve(
        self, identity: str, of_key: str, *, reject: bool = False, reason: str = "", **facts: Unpack[build.Facts]
    ) -> desk.CommandResult:
        """Decide a command that was answered APPROVAL_NEEDED, as another principal than the one who sent it."""
        command = desk.Approve(of_key=of_key, reject=reject, reason=reason)
        return await self.execute(identity, command, **facts)

    async def transfer(
        self, identity: str, to_identity: str, amount: int, *, reason: str = "", **facts: Unpack[build.Facts]
    ) -> desk.CommandResult:
        """Move micro-units to the account of another identity, in whatever domain."""
        command = desk.Transfer(to_identity=to_identity, amount=amount, reason=reason)
        return await self.execute(identity, command, **facts)

    async def session(
        self, identity: str, step: desk.SessionRequest, **facts: Unpack[build.Facts]
    ) -> desk.SessionResult:
        """Take one step of a charging session: create, update or release."""
        return (await self.ask(build.execute(identity, step, **self._with({}, facts)))).session

    async def session_create(
        self, identity: str, session_id: str, units: Sequence[desk.UnitUse], **facts: Unpack[build.Facts]
    ) -> desk.SessionResult:
        """Begin a charging session and ask for quota."""
        return await self.session(identity, build.session(session_id, _CREATE, 0, units), **facts)

    async def session_update(
        self,
        identity: str,
        session_id: str,
        invocation: int,
        units: Sequence[desk.UnitUse],
        **facts: Unpack[build.Facts],
    ) -> desk.SessionResult:
        """Report what was used and ask for more; `invocation` counts 1, 2, …"""
        return await self.session(identity, build.session(session_id, _UPDATE, invocation, units), **facts)

    async def session_release(
        self,
        identity: str,
        session_id: str,
        invocation: int,
        units: Sequence[desk.UnitUse],
        **facts: Unpack[build.Facts],
    ) -> desk.SessionResult:
        """Report the last use and end the session."""
        return await self.session(identity, build.session(session_id, _RELEASE, invocation, units), **facts)

    async def exchange(
        self, requests: Iterable[desk.ServiceRequest], *, window: int = WINDOW, timeout_ms: int = 0
    ) -> AsyncIterator[Exchanged]:
        """Send many requests, `window` of them under way, and yield (request, reply) as replies come.

        A failed request is a reply with `error`; nothing is raised for it. Missing request keys are set.
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
        """A bulk exchange to drive step by step, for callers that feed it themselves."""
        return Bulk(self._lines(), window=window, timeout_ms=timeout_ms or self._timeout_ms)

    def _with(self, preset: build.Facts, facts: build.Facts) -> build.Facts:
        return {**self._defaults, **preset, **facts}

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


_CREATE = desk.SessionRequest.OPERATION_CREATE
_UPDATE = desk.SessionRequest.OPERATION_UPDATE
_RELEASE = desk.SessionRequest.OPERATION_RELEASE


def _settle(future: "asyncio.Future[desk.ServiceReply]", reply: desk.ServiceReply) -> None:
    if not future.done():
        future.set_result(reply)

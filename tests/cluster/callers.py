"""Callers who never give an intent up: each repeats its request under the same key until it is acknowledged."""

import asyncio
import time
from collections.abc import Callable

from msgspec import Struct
from onetier.v1 import service_desk_pb2 as desk

from charging.errors import Expired, Fault, Overloaded, Unavailable
from onetier_client import AsyncClient

PAUSE_S = 0.05


class Told(Struct, frozen=True):
    """An acknowledgement: what a caller was told that its request did."""

    identity: str
    amount: int
    """Charged; 0 for commands, whose outcome is in the movements."""
    version: int
    """Of the account afterwards."""
    movements: tuple[tuple[str, int, int], ...]
    """Book, before, after."""


class Callers:
    """`crowd` callers at once, each with its next request only when the one before is acknowledged."""

    def __init__(
        self, client: AsyncClient, make: Callable[[int], desk.ServiceRequest], crowd: int, timeout_ms: int
    ) -> None:
        """`make` gives the request of a number, always the same. `timeout_ms` is for one ask, repeats inside."""
        self.sent: dict[str, desk.ServiceRequest] = {}
        self.told: dict[str, Told] = {}
        self.unknown = 0
        """Asks that ended without an outcome, in the middle of a fault: the caller asked again."""
        self.unheard = 0
        """Acknowledged as repeated: the effect was there already, its acknowledgement had been lost."""
        self.complaints: list[str] = []
        """What no caller should be told."""
        self.waiting: dict[str, str] = {}
        """Keys that are not acknowledged yet, with what the caller heard last."""
        self.longest_s = 0.0
        """The longest that a caller waited for an acknowledgement."""
        self._client = client
        self._make = make
        self._timeout_ms = timeout_ms
        self._stopping = False
        self._next = 0
        self._crowd = [asyncio.create_task(self._call_on()) for _ in range(crowd)]

    async def stop(self, timeout_s: float) -> None:
        """Send nothing new, and wait until everything that was sent is acknowledged.

        Raises `TimeoutError` that says what is not.
        """
        self._stopping = True
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.gather(*self._crowd)
        except TimeoutError:
            waiting = "; ".join(f"{key} of {self.sent[key].identity}: {last}" for key, last in self.waiting.items())
            raise TimeoutError(f"not acknowledged in {timeout_s:.0f} s: {waiting}") from None
        finally:
            self.abandon()

    def abandon(self) -> None:
        """End at once."""
        for task in self._crowd:
            task.cancel()

    async def _call_on(self) -> None:
        while not self._stopping:
            request = self._make(self._next)
            self._next += 1
            self.sent[request.request_key] = request
            await self._persist(request)

    async def _persist(self, request: desk.ServiceRequest) -> None:
        since = time.monotonic()
        self.waiting[request.request_key] = "nothing"
        while True:
            try:
                reply = await self._client.ask(request, timeout_ms=self._timeout_ms)
            except (Unavailable, Expired, Overloaded) as fault:
                self.unknown += 1
                self.waiting[request.request_key] = f"{fault.reason} {fault.message}"
                await asyncio.sleep(PAUSE_S)
                continue
            except Fault as fault:
                self.complaints.append(f"{request.request_key}: {fault.reason} {fault.message}")
                return
            break
        del self.waiting[request.request_key]
        self.longest_s = max(self.longest_s, time.monotonic() - since)
        result = reply.charge if reply.HasField("charge") else reply.command
        self.unheard += result.repeated
        self.told[request.request_key] = Told(
            request.identity,
            reply.charge.amount,
            result.account_version,
            tuple((movement.book_id, movement.before, movement.after) for movement in result.movements),
        )

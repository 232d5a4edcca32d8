"""Callers who never give an intent up: each repeats its request under the same key until it is acknowledged."""

import asyncio
import time
from collections.abc import Callable, Sequence

from msgspec import Struct
from onetier.v1 import service_desk_pb2 as desk

from charging.errors import Expired, Fault, Overloaded, Refused, Unavailable
from onetier_client import AsyncClient

PAUSE_S = 0.05


class Told(Struct, frozen=True):
    """An acknowledgement: what a caller was told that its request did."""

    identity: str
    amount: int
    """Charged, in sessions by all steps so far; 0 for commands, whose outcome is in the movements."""
    version: int
    """Of the account afterwards."""
    movements: tuple[tuple[str, int, int], ...]
    """Book, before, after; a session's step is told none."""
    repeated: bool = False


TRANSFERS_PILE_UP = frozenset({"TRANSFERS_PENDING"})
"""While nobody serves the receivers, an account's transfers under way reach their bound: the business says so."""


class Callers:
    """`crowd` callers at once, each with its next request only when the one before is acknowledged."""

    def __init__(
        self,
        client: AsyncClient,
        make: Callable[[int], Sequence[desk.ServiceRequest]],
        crowd: int,
        timeout_ms: int,
        business: frozenset[str] = frozenset(),
    ) -> None:
        """`make` gives the requests of a number, always the same, to be asked one after the other.

        `timeout_ms` is for one ask, repeats inside. `business` are reasons for which a request may be refused; what was
        to follow it is not asked then.
        """
        self.sent: dict[str, desk.ServiceRequest] = {}
        self.told: dict[str, Told] = {}
        self.refused: dict[str, str] = {}
        """Key → the reason of the business."""
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
        self._business = business
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
            asked = self._make(self._next)
            self._next += 1
            for request in asked:
                self.sent[request.request_key] = request
                if not await self._persist(request):
                    break

    async def _persist(self, request: desk.ServiceRequest) -> bool:
        """Ask until there is an outcome; says whether it was done."""
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
                if isinstance(fault, Refused) and fault.reason in self._business:
                    self.refused[request.request_key] = fault.reason
                    del self.waiting[request.request_key]
                else:
                    self.complaints.append(f"{request.request_key}: {fault.reason} {fault.message}")
                return False
            break
        del self.waiting[request.request_key]
        self.longest_s = max(self.longest_s, time.monotonic() - since)
        self.told[request.request_key] = told = _told(request.identity, reply)
        self.unheard += told.repeated
        return True


def _told(identity: str, reply: desk.ServiceReply) -> Told:
    if reply.HasField("session"):
        step = reply.session
        charged = sum(grant.charged for grant in step.grants)
        return Told(identity, charged, step.account_version, (), step.repeated)
    result = reply.charge if reply.HasField("charge") else reply.command
    movements = tuple((movement.book_id, movement.before, movement.after) for movement in result.movements)
    return Told(identity, reply.charge.amount, result.account_version, movements, result.repeated)

"""The blocking client: the same calls as `AsyncClient`, driven on an event loop in a thread of its own.

    with Client(["127.0.0.1:7000"]) as desk:
        charge = desk.charge("13012345678", "voice", quantity=61, other_party="10086")
        print(charge.amount, charge.steps)

Any number of threads may share one; their calls share batches.
"""

import asyncio
import functools
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from itertools import islice
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

from onetier.v1 import service_desk_pb2 as desk

from onetier_client.bulk import Bulk, Exchanged
from onetier_client.desk import ATTEMPT_TIMEOUT_MS, TIMEOUT_MS, WINDOW, AsyncClient
from runtime.tls import Tls

P = ParamSpec("P")
T = TypeVar("T")


def _blocking(
    method: Callable[Concatenate[AsyncClient, P], Coroutine[object, object, T]],
) -> Callable[Concatenate["Client", P], T]:
    """Make the blocking call of an asyncio one: same arguments, same result, same errors."""

    @functools.wraps(method)
    def call(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.run(method(self.desk, *args, **kwargs))

    return call


class Client:
    """A front end's desk for code without asyncio. Close it, or use `with`. Arguments as of `AsyncClient`."""

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
        self.desk = AsyncClient(
            endpoints,
            tls=tls,
            channel=channel,
            partner=partner,
            timeout_ms=timeout_ms,
            attempt_timeout_ms=attempt_timeout_ms,
            batch_requests_max=batch_requests_max,
            batches_in_flight_max=batches_in_flight_max,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="onetier client", daemon=True)
        self._thread.start()

    ask = _blocking(AsyncClient.ask)
    charge = _blocking(AsyncClient.charge)
    quote = _blocking(AsyncClient.quote)
    balance = _blocking(AsyncClient.balance)
    usage = _blocking(AsyncClient.usage)
    contract = _blocking(AsyncClient.contract)
    history = _blocking(AsyncClient.history)
    outcome = _blocking(AsyncClient.outcome)
    execute = _blocking(AsyncClient.execute)
    open_account = _blocking(AsyncClient.open_account)
    top_up = _blocking(AsyncClient.top_up)
    refund = _blocking(AsyncClient.refund)
    approve = _blocking(AsyncClient.approve)
    transfer = _blocking(AsyncClient.transfer)
    session = _blocking(AsyncClient.session)
    session_create = _blocking(AsyncClient.session_create)
    session_update = _blocking(AsyncClient.session_update)
    session_release = _blocking(AsyncClient.session_release)

    def exchange(
        self, requests: Iterable[desk.ServiceRequest], *, window: int = WINDOW, timeout_ms: int = 0
    ) -> Iterator[Exchanged]:
        """Send many requests, `window` of them under way, and yield (request, reply) as replies come."""
        bulk = self.run(self._bulk(window, timeout_ms))
        source = iter(requests)
        try:
            while ready := self.run(bulk.step(list(islice(source, bulk.space)))):
                yield from ready
        finally:
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(bulk.abandon)

    @property
    def repeats(self) -> int:
        """Attempts after the first, of all calls so far."""
        return self.desk.repeats

    def run(self, coroutine: Coroutine[object, object, T]) -> T:
        """Run a coroutine on the client's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def close(self) -> None:
        """End the streams and the thread. Idempotent."""
        if self._loop.is_closed():
            return
        self.run(self.desk.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        """Give the client."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the client."""
        self.close()

    async def _bulk(self, window: int, timeout_ms: int) -> Bulk:
        return self.desk.bulk(window=window, timeout_ms=timeout_ms)

"""An event loop in a thread of its own, on which calls of the asyncio client are waited for."""

import asyncio
import functools
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from itertools import islice
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar, cast

from onetier.v1 import service_desk_pb2 as desk

from onetier_client.asking import WINDOW, Asking
from onetier_client.bulk import Bulk, Exchanged
from onetier_client.feed import Watch, WatchedEvent

P = ParamSpec("P")
T = TypeVar("T")
AskingT = TypeVar("AskingT", bound=Asking)


class Driving:
    """The part of the blocking client that every call stands on; see `onetier_client.blocking.Client`."""

    def __init__(self, desk: Asking) -> None:
        self.desk = desk
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="onetier client", daemon=True)
        self._thread.start()

    def exchange(
        self, requests: Iterable[desk.ServiceRequest], *, window: int = WINDOW, timeout_ms: int = 0
    ) -> Iterator[Exchanged]:
        """Send many requests, `window` of them under way, and yield (request, reply) as replies come: in no order.

        A failed request is a reply with `error`; nothing is raised for it. The iterable is read in the caller's thread.
        """
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
        """Run a coroutine on the client's loop and wait for it. Raises what it raises.

        Never call it on that loop: it would wait for itself.
        """
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


class BlockingWatch(Iterator[WatchedEvent]):
    """A watch for one thread at a time; any may close it, and so does closing the client."""

    def __init__(self, driving: Driving, watch: Watch) -> None:
        self._driving = driving
        self._watch = watch

    @property
    def cursor(self) -> str:
        """As `Watch.cursor`."""
        return self._watch.cursor

    def __next__(self) -> WatchedEvent:
        """Wait for the next event; ends once the watch is closed. Raises the feed's fault where no repeat helps."""
        if self._watch.closed or (told := self._driving.run(self._next())) is None:
            raise StopIteration
        return told

    def close(self) -> None:
        """End it, also for whoever waits. Idempotent."""
        if not self._watch.closed:
            self._driving.run(self._watch.close())

    def __enter__(self) -> Self:
        """Give the watch."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    async def _next(self) -> WatchedEvent | None:
        return await anext(self._watch, None)


def blocking(
    method: Callable[Concatenate[AskingT, P], Coroutine[object, object, T]],
) -> Callable[Concatenate[Driving, P], T]:
    """Make the blocking call of an asyncio one: same arguments, same result, same errors."""

    @functools.wraps(method)
    def call(self: Driving, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.run(method(cast(AskingT, self.desk), *args, **kwargs))

    return call

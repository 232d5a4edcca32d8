"""Calls to a folder that may never answer, such as a network mount whose server is gone, in a thread that may be left.

A call that is not answered in time is given up: the thread stays in it, for nothing can end it, and until it comes back
the folder is not asked again, so no more than one thread hangs for each folder, however long the line follows it.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TypeVar

from mediation.collecting.folders import SourceLost

ANSWER_S_MAX = 60.0
"""Of one call: a list, or a piece of a file."""
T = TypeVar("T")
_Call = Callable[[], None]
_hanging: dict[str, threading.Thread] = {}
"""By folder: the thread that is still in a call."""


class PatientThread:
    """Calls of one look at one folder, one after the other."""

    def __init__(self, name: str) -> None:
        """Raises `SourceLost` when the folder still hangs in a call of an earlier look."""
        known = _hanging.get(name)
        if known is not None and known.is_alive():
            raise SourceLost(f"{name} still does not answer a call of an earlier look: is its server there?")
        _hanging.pop(name, None)
        self.folder = name
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        # Left behind at the end, if it must be: a process ends although a mount hangs.
        self._thread = threading.Thread(target=self._run, name=f"folder {name}", daemon=True)
        self._thread.start()

    async def call(self, work: Callable[[], T]) -> T:
        """Do a piece of work there. Raises what it raises, and `SourceLost` when it takes too long."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._calls.put(lambda: _answered(loop, done, work))
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                return await done
        except TimeoutError as error:
            _hanging[self.folder] = self._thread
            raise SourceLost(f"{self.folder} did not answer for {ANSWER_S_MAX:g} s: is its server there?") from error

    def later(self, work: Callable[[], None]) -> None:
        """Do a piece of work there after all others; nobody waits for it."""
        self._calls.put(work)

    def close(self) -> None:
        """Let the thread end once it is back."""
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


def _answered(loop: asyncio.AbstractEventLoop, done: "asyncio.Future[T]", work: Callable[[], T]) -> None:
    """Do it, and tell the loop, if it is still there and still wants to know."""

    def tell(give: Callable[[], None]) -> None:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: None if done.done() else give())

    if done.done():
        return
    try:
        found = work()
    except Exception as error:
        fault = error
        tell(lambda: done.set_exception(fault))
    else:
        tell(lambda: done.set_result(found))

"""Who writes to the SQLite files of a process: one thread goes from file to file, and tells of all of them together.

A thread, a wake-up and two turns of the interpreter's lock for each little transaction cost more than the transaction.
So a file with writes waiting stands in a row; the thread that is at work takes one after another, and when the row is
empty it hands all results over at once. A file is in one thread at a time. A thread that is kept (a lock of another
process, a slow disk) keeps nobody else for long: after `PATIENCE_S` a further one takes the row over.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from weakref import WeakKeyDictionary

from msgspec import Struct

from storage.unit import StoreUnavailable

PATIENCE_S = 0.05
"""A thread that waits for the interpreter's lock among busy others is slow too; a tenth of this would start several."""
THREADS_MAX = 16
WRITES_WAITING_MAX = 20_000
TRANSACTION_WRITES_MAX = 2_000
TRANSACTION_BYTES_MAX = 16_000_000

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], object]
Commit = Callable[[Sequence[Work]], list[object]]
"""Does all in one transaction; gives what each gave or raised."""


class _Write(Struct):
    """A write that waits for its transaction."""

    work: Work
    size: int
    done: asyncio.Future[object]


class FileWriter:
    """The writes of one file. What arrives during a transaction makes the next one."""

    def __init__(self, name: str, commit: Commit, writers: "WriterThreads") -> None:
        self._name = name
        self._commit = commit
        self._writers = writers
        self._waiting: deque[_Write] = deque()
        self._taken: list[_Write] = []
        self._idle = asyncio.Event()
        self._idle.set()

    async def write(self, work: Callable[[sqlite3.Connection], T], size: int) -> T:
        """Wait until the work is durable. Raises what it raised, or `StoreUnavailable` when too much waits."""
        if len(self._waiting) >= WRITES_WAITING_MAX:
            raise StoreUnavailable(f"{WRITES_WAITING_MAX} writes wait for {self._name}; repeat later.")
        done: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Write(work, size, done))
        if self._idle.is_set():
            self._idle.clear()
            self._stand_in_row()
        return await done  # type: ignore[return-value]  # what `work` returned

    async def finish(self) -> None:
        """Wait until nothing waits and nothing is under way; new writes would prolong it."""
        await self._idle.wait()

    def _stand_in_row(self) -> None:
        """Take what fits one transaction, at least one write, and wait for a thread."""
        taken = [self._waiting.popleft()]
        size = taken[0].size
        while self._waiting and len(taken) < TRANSACTION_WRITES_MAX:
            size += self._waiting[0].size
            if size > TRANSACTION_BYTES_MAX:
                break
            taken.append(self._waiting.popleft())
        self._taken = taken
        self._writers.enter(self)

    def run(self) -> list[object]:
        """In a thread: the transaction."""
        try:
            return self._commit([write.work for write in self._taken])
        except BaseException as failure:  # Whoever waits must hear of it, whatever it is.
            return [failure] * len(self._taken)

    def land(self, results: Sequence[object]) -> None:
        """Tell those who wait; stand in the row again when there is more."""
        for write, result in zip(self._taken, results, strict=True):
            if write.done.done():
                continue  # its caller was cancelled
            if isinstance(result, BaseException):
                write.done.set_exception(result)
            else:
                write.done.set_result(result)
        if self._waiting:
            self._stand_in_row()
        else:
            self._taken = []
            self._idle.set()


class WriterThreads:
    """The threads of one event loop, at most `THREADS_MAX`, and the row of files before them, in their order."""

    def __init__(self) -> None:
        self.users = 0
        self._loop = asyncio.get_running_loop()
        self._threads = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="sqlite-write")
        self._row: deque[FileWriter] = deque()
        self._landed: deque[tuple[FileWriter, list[object]]] = deque()
        self._working = 0
        self._steps = 0
        """Files taken out of the row since `_look` last looked."""
        self._impatience: asyncio.TimerHandle | None = None

    def enter(self, writer: FileWriter) -> None:
        """Put a file at the end of the row."""
        self._row.append(writer)
        if not self._working:
            self._begin()

    def close(self) -> None:
        """End the threads; nothing is in the row."""
        self._threads.shutdown(wait=False)

    def _begin(self) -> None:
        self._working += 1
        if self._impatience is None:
            self._impatience = self._loop.call_later(PATIENCE_S, self._look)
        self._threads.submit(self._work)

    def _work(self) -> None:
        """In a thread: one file after another until the row is empty."""
        while True:
            try:
                writer = self._row.popleft()
            except IndexError:
                break
            self._steps += 1
            self._landed.append((writer, writer.run()))
        self._loop.call_soon_threadsafe(self._return)

    def _return(self) -> None:
        self._working -= 1
        self._collect()
        if self._row and not self._working:
            self._begin()
        if not self._working and self._impatience is not None:
            self._impatience.cancel()
            self._impatience = None

    def _collect(self) -> None:
        while self._landed:
            writer, results = self._landed.popleft()
            writer.land(results)

    def _look(self) -> None:
        """A thread has been away for long: take what it did so far, send another one if the row is slow."""
        self._impatience = self._loop.call_later(PATIENCE_S, self._look)
        self._collect()
        steps, self._steps = self._steps, 0
        if steps < len(self._row) and self._working < THREADS_MAX:
            self._begin()


_writers: WeakKeyDictionary[asyncio.AbstractEventLoop, WriterThreads] = WeakKeyDictionary()


def borrow() -> WriterThreads:
    """The threads of the running event loop. Give them back with `give_back`."""
    writers = _writers.get(asyncio.get_running_loop())
    if writers is None:
        writers = _writers[asyncio.get_running_loop()] = WriterThreads()
    writers.users += 1
    return writers


def give_back(writers: WriterThreads) -> None:
    """One user less; the last one ends the threads."""
    writers.users -= 1
    if not writers.users:
        del _writers[asyncio.get_running_loop()]
        writers.close()

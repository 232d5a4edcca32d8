"""Long reads of the journal take turns: few at once, and together only a share of the processor's time.

What a read costs is not bounded by its answer (forty lines may lie in forty groups), and the loop that decides charges
is one. So the reads of a slot wait in a line of bounded length, and each piece of their work is taken from a common
account of time that fills at a fixed pace: when it is empty they rest, and charges find the processor free.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from charging.errors import Expired, Overloaded

READERS_MAX = 8
"""Reads that are under way; each may hold a page of an answer."""
LINE_MAX = 500
"""Reads that wait to begin."""
SHARE = 0.2
"""Of the processor, for all reads of a slot together."""
BURST_S = 0.05
"""Work that reads may do at once after a quiet time."""
GROUP_S = 0.000_2
"""Added for each group: what the store's client did for it."""
RETRY_MS = 500


class Turns:
    """The line of one slot's reads, and their common account of the loop's time, in seconds."""

    def __init__(self) -> None:
        self._readers = asyncio.Semaphore(READERS_MAX)
        self._in_line = 0
        self._credit_s = BURST_S
        self._filled_at = 0.0

    @asynccontextmanager
    async def reader(self, deadline: float) -> AsyncIterator[None]:
        """Be one of the reads under way. `deadline` is of the event loop's clock, seconds.

        Raises `Overloaded` HISTORY_BUSY when the line is full, `Expired` past the deadline.
        """
        if self._in_line >= LINE_MAX:
            text = f"{LINE_MAX} reads of the journal wait already"
            raise Overloaded("HISTORY_BUSY", f"{text}; ask again, or for less", retry_ms=RETRY_MS)
        self._in_line += 1
        try:
            await self._readers.acquire()
        finally:
            self._in_line -= 1
        try:
            if asyncio.get_running_loop().time() >= deadline:
                raise Expired("DEADLINE_EXCEEDED", "the deadline passed before the journal was read; ask again")
            yield
        finally:
            self._readers.release()

    async def rest(self) -> None:
        """Wait until there is time for a piece of work."""
        loop = asyncio.get_running_loop()
        while True:
            now = loop.time()
            self._credit_s = min(BURST_S, self._credit_s + SHARE * (now - self._filled_at))
            self._filled_at = now
            if self._credit_s > 0:
                return
            await asyncio.sleep(-self._credit_s / SHARE)

    @contextmanager
    def work(self) -> Iterator[None]:
        """Do a piece of work, without waiting inside; it is taken from the common account."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        try:
            yield
        finally:
            self._credit_s -= loop.time() - begin + GROUP_S

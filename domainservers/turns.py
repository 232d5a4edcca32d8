"""Long reads of the journal take turns: few at once, and together only a share of the processor's time.

What a read costs is not bounded by its answer (forty lines may lie in forty groups), and the loop that decides charges
is one. So the reads of a slot work one after the other, rest after each piece for a multiple of what it took, and wait
in a line of bounded length; charges find the processor free between them.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from charging.errors import Expired, Overloaded

READERS_MAX = 8
"""Reads that are under way; each may hold a page of an answer."""
LINE_MAX = 500
"""Reads that wait to begin."""
REST_FACTOR = 4
"""Rest for each second of work: reads get a fifth of the processor at most."""
REST_MIN_S = 0.001
"""After each group: the store's client worked too."""
RETRY_MS = 500


class Turns:
    """Of one slot."""

    def __init__(self) -> None:
        self._readers = asyncio.Semaphore(READERS_MAX)
        self._working = asyncio.Lock()
        self._in_line = 0

    @asynccontextmanager
    async def reader(self, deadline: float) -> AsyncIterator[None]:
        """Be one of the reads under way. Raises `Overloaded` when the line is full, `Expired` past the deadline."""
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

    @asynccontextmanager
    async def work(self) -> AsyncIterator[None]:
        """Do a piece of work without waiting inside, then rest; no other read works meanwhile."""
        loop = asyncio.get_running_loop()
        async with self._working:
            begin = loop.time()
            yield
            await asyncio.sleep(max(REST_MIN_S, REST_FACTOR * (loop.time() - begin)))

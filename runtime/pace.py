"""How work that can wait lets others go first: in short steps, and with a share of the loop while anybody else asks.

A billing run asks for as much as it is given. So it is given what nobody else wants, and beside others no more than its
share: after each step it rests, for as long as others go on asking. Where nobody asks it never rests.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

STEP_S = 0.002
"""What others wait for at most because a step is under way, besides the last piece of it."""


class RunStep:
    """A step under way."""

    __slots__ = ("_clock", "_until")

    def __init__(self, clock: Callable[[], float], until: float) -> None:
        self._clock = clock
        self._until = until

    @property
    def over(self) -> bool:
        """No further piece of work should be begun."""
        return self._clock() >= self._until


class RunPace:
    """Of one event loop: whoever can wait does a step at a time, one after the other."""

    def __init__(self, share: float = 1.0, clock: Callable[[], float] = time.perf_counter) -> None:
        """`share` of the loop's time while others ask, above 0, at most 1; `clock` tells seconds."""
        self._rest_for = 1 / share - 1
        self._clock = clock
        self._one = asyncio.Lock()
        self._asked = 0
        self._seen = 0
        self._took = 0.0

    def others(self) -> None:
        """Somebody who can't wait asks for something."""
        self._asked += 1

    @asynccontextmanager
    async def step(self) -> AsyncIterator[RunStep]:
        """Have a turn; what is done in it must not wait."""
        async with self._one:
            await self._rest()
            begin = self._clock()
            try:
                yield RunStep(self._clock, begin + STEP_S)
            finally:
                self._took = self._clock() - begin

    async def _rest(self) -> None:
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        until = loop.time() + self._took * self._rest_for
        # In pieces, for who has just asked may be the last one: a run must not wait for nobody.
        while self._asked != self._seen and (left := until - loop.time()) > 0:
            self._seen = self._asked
            await asyncio.sleep(min(left, STEP_S))
        self._seen = self._asked

"""Time as this room sees it: the wall clock is asked through here, waiting goes through the event loop.

The simulation gives both; nothing else in this room reads a clock.
"""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time of day."""

    def now_ms(self) -> int:
        """Milliseconds UTC since 1970. Recorded, or compared with validity times; order comes from journals."""
        ...

    def steady_ms(self) -> int:
        """Milliseconds since some moment: nobody can set it, it never goes back, a stopped machine stops it."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Milliseconds UTC since 1970."""
        return time.time_ns() // 1_000_000

    def steady_ms(self) -> int:
        """Milliseconds since some moment."""
        return time.monotonic_ns() // 1_000_000


class Age:
    """How long a slot has been owned, all its owners together: by it, and by no clock, things are forgotten.

    It goes on from the checkpoint at the pace of the owner's steady time. A clock that leaps changes nothing of it;
    while nobody owns the slot it stands still, so keys are kept for longer, never for less.
    """

    def __init__(self, clock: Clock, before_ms: int) -> None:
        self._clock = clock
        self._start_ms = clock.steady_ms() - before_ms

    def now_ms(self) -> int:
        """Milliseconds."""
        return self._clock.steady_ms() - self._start_ms

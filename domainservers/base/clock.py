"""Time as this room sees it: the wall clock is asked through here, waiting goes through the event loop.

The simulation gives both; nothing else in this room reads a clock.
"""

import time
from typing import Protocol

LEAP_MS_MIN = 60_000
"""A step of the machine's clock that is not followed unseen; what time servers set right is far below it."""
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


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
        """Milliseconds since some moment; the time that the machine sleeps counts."""
        return time.clock_gettime_ns(_STEADY) // 1_000_000


class SteadyClock:
    """A wall clock that does not leap: it follows the machine's in small steps, and goes on at its old pace through a
    large one, until `accept` or until the machine's clock is back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall_ms = clock.now_ms()
        self._since_ms = clock.steady_ms()
        self.leapt_ms = 0
        """How far the machine's clock is ahead of this one since it leapt; 0 = it is not."""

    def now_ms(self) -> int:
        """Milliseconds UTC since 1970."""
        wall_ms, steady_ms = self._clock.now_ms(), self._clock.steady_ms()
        paced_ms = self._wall_ms + steady_ms - self._since_ms
        off_ms = wall_ms - paced_ms
        if -LEAP_MS_MIN < off_ms < LEAP_MS_MIN:
            self._wall_ms, self._since_ms, self.leapt_ms = wall_ms, steady_ms, 0
            return wall_ms
        self.leapt_ms = off_ms
        return paced_ms

    def steady_ms(self) -> int:
        """Milliseconds since some moment."""
        return self._clock.steady_ms()

    def accept(self) -> None:
        """Believe the machine's clock as it is now."""
        self._wall_ms, self._since_ms, self.leapt_ms = self._clock.now_ms(), self._clock.steady_ms(), 0


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

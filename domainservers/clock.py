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


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Milliseconds UTC since 1970."""
        return time.time_ns() // 1_000_000

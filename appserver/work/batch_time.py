"""One time for all requests of a batch."""

from collections.abc import Callable


class BatchTime:
    """The time as it was when the batch that fills was begun: its requests see one, whatever their number."""

    __slots__ = ("_clock", "_wall_ms", "now_ms", "now_s")

    def __init__(self, clock: Callable[[], float], wall_ms: Callable[[], int]) -> None:
        """`clock` is the loop's, seconds; `wall_ms` gives UTC."""
        self._clock = clock
        self._wall_ms = wall_ms
        self.now_s = clock()
        """On the loop's clock, which never leaps: for leases and quotas."""
        self.now_ms = wall_ms()
        """UTC: for what is written down."""

    def tick(self) -> None:
        """Look at the clocks."""
        self.now_s = self._clock()
        self.now_ms = self._wall_ms()

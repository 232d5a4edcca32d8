"""What one caller may take of a process: rates as token buckets, and a fair share of what is bounded in all.

Both are asked once for a batch, never for an item.
"""

WAIT_MS_MAX = 10_000


class Bucket:
    """Tokens that come at a steady rate, at most a second's worth of them saved.

    Whoever finds some left may take more than there are and is in debt then: a batch is taken whole or not at all, and
    however large it is, the rate holds.
    """

    __slots__ = ("_at", "_left", "_rate")

    def __init__(self, per_s: int, now: float) -> None:
        self._rate = float(per_s)
        self._left = float(per_s)
        self._at = now

    def wait_ms(self, now: float) -> int:
        """Say how long until something may be taken; 0 = now. `now` in seconds, of any steady clock."""
        self._left = min(self._rate, self._left + max(now - self._at, 0.0) * self._rate)
        self._at = now
        if self._left > 0:
            return 0
        return min(int(-self._left / self._rate * 1000) + 1, WAIT_MS_MAX)

    def take(self, tokens: int) -> None:
        """Take tokens, after `wait_ms` gave 0."""
        self._left -= tokens


def within_share(own: int, wanted: int, taken: int, most: int) -> bool:
    """Say whether a caller that holds `own` may have `wanted` more while all hold `taken` of at most `most`.

    A caller may have as much as is still free then: alone up to half, beside n greedy others one part of n + 2; and
    for a newcomer there is always room. (Dynamic thresholds, as switches share their buffers.)
    """
    return own + wanted <= most - taken

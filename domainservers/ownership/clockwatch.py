"""Whether this server's clock may be believed: against its own steady time, and against the clocks of its peers.

Balances never rest on a clock, but the ends of sessions and books and the windows of refunds do. So who finds that its
clock leapt, or that it is alone with its time, owns nothing until it is right again. Clocks may differ by minutes; what
counts as wrong is a half hour.
"""

from collections.abc import Iterable

from directory.members import Member
from domainservers.base.clock import SteadyClock
from runtime.telemetry import Metrics, logger

log = logger("domainservers.ownership.clockwatch")

DIFFERENCE_MS_MAX = 1_800_000
"""Between two clocks of one country. Their readings are as old as a heartbeat, which is far less."""


class ClockWatch:
    """Judges one server's clock, round by round."""

    def __init__(self, clock: SteadyClock, metrics: Metrics) -> None:
        self.why = ""
        """Why nothing may be owned; empty = the clock is believed."""
        self._clock = clock
        self._metrics = metrics

    def look(self, peers: Iterable[Member], *, owns: bool) -> bool:
        """Compare once; `peers` are the others that are alive, `owns` says that this server serves already.

        Gives whether this server must not own anything.
        """
        now_ms = self._clock.now_ms()
        times = [peer.time_ms for peer in peers if peer.time_ms and not peer.draining]
        leapt_ms = self._clock.leapt_ms
        why = self._after_leap(now_ms, leapt_ms, times) if leapt_ms else _alone(now_ms, times, owns=owns)
        if why != self.why:
            self.why = why
            if why:
                self._metrics.event("clock_doubted")
                log.error("nothing is owned: the clock is not believed", why=why)
            else:
                log.info("the clock is believed")
        return bool(why)

    def _after_leap(self, now_ms: int, leapt_ms: int, times: list[int]) -> str:
        """Judge a leap by the majority of the peers. Without peers, time goes on at its old pace."""
        with_pace = sum(_near(each, now_ms) for each in times)
        with_wall = sum(_near(each, now_ms + leapt_ms) for each in times)
        if 2 * with_wall > len(times) and with_wall >= with_pace:
            log.warning("the clock was set, as its peers' are", by_ms=leapt_ms)
            self._clock.accept()
            return ""
        if 2 * with_pace > len(times):
            return f"it leapt by {leapt_ms} ms, and {with_pace} of {len(times)} peers' clocks did not"
        if self.why == "":
            log.error("the clock leapt; time goes on at its old pace", by_ms=leapt_ms)
        return ""


def _alone(now_ms: int, times: list[int], *, owns: bool) -> str:
    """Say why a clock that did not leap is wrong: all others are elsewhere, and this one is new or outvoted."""
    if not times or any(_near(each, now_ms) for each in times):
        return ""
    outvoted = len(times) > 1 and max(times) - min(times) <= DIFFERENCE_MS_MAX
    if owns and not outvoted:
        return ""
    return f"it differs by {times[0] - now_ms} ms from those of all {len(times)} peers"


def _near(one_ms: int, other_ms: int) -> bool:
    return abs(one_ms - other_ms) <= DIFFERENCE_MS_MAX

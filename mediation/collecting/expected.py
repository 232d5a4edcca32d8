"""How often a switch writes, so that a late one is seen: by time in idle hours, by size in busy ones (seed 002).

Pure, by a clock that is handed in.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from mediation.written import Finding

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


class BusyHours(Struct, frozen=True, forbid_unknown_fields=True):
    """Hours in which a switch closes a file when it is full."""

    begin: str
    """Local time, `08:00`."""
    end: str
    """The first minute that is idle again; before `begin` when they go over midnight."""
    every_s: int
    """Full files come at least so often."""
    bytes: int = 0
    """A full file has at least so many; a smaller one is told, for the switch restarted or lost traffic."""

    def faults(self) -> Iterator[Finding]:
        """Give what is wrong with it."""
        for where, clock in (("begin", self.begin), ("end", self.end)):
            if _CLOCK.fullmatch(clock) is None:
                yield where, "must be a time of the day like 08:00"
        if self.begin == self.end:
            yield "end", "must be another time than begin"
        if self.every_s < 1:
            yield "every_s", "must be 1 second or more"
        if self.bytes < 0:
            yield "bytes", "must be 0 or more"

    def holds(self, clock: str) -> bool:
        """Say whether a local time is among them."""
        if self.begin < self.end:
            return self.begin <= clock < self.end
        return clock >= self.begin or clock < self.end


class ExpectedFiles(Struct, frozen=True, forbid_unknown_fields=True):
    """How often files come."""

    every_s: int
    """In idle hours a file is closed at least so often."""
    busy: BusyHours | None = None
    zone: str = "UTC"
    """Of the switch's hours."""

    def faults(self) -> Iterator[Finding]:
        """Give what is wrong with it."""
        if self.every_s < 1:
            yield "every_s", "must be 1 second or more"
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield "zone", f"{self.zone[:40]!r} is no zone: write one like Asia/Shanghai"
        if self.busy is not None:
            yield from ((f"busy.{where}", what) for where, what in self.busy.faults())

    def late_s(self, last_ms: int, now_ms: int) -> int:
        """Give by how many seconds a file is late; 0 = none is. `last_ms` is when one was taken last, or looked for
        first."""
        since_s, allowed_s = (now_ms - last_ms) // 1_000, self._allowed_s(last_ms, now_ms)
        return max(0, since_s - allowed_s)

    def short(self, taken_ms: int, size: int) -> bool:
        """Say whether a file of busy hours is smaller than those that are full."""
        return self.busy is not None and size < self.busy.bytes and self.busy.holds(self._clock(taken_ms))

    def _allowed_s(self, last_ms: int, now_ms: int) -> int:
        # Where an idle hour is among them, the switch may have waited for its time.
        if self.busy is None or not (self.busy.holds(self._clock(last_ms)) and self.busy.holds(self._clock(now_ms))):
            return self.every_s
        return min(self.every_s, self.busy.every_s)

    def _clock(self, at_ms: int) -> str:
        return datetime.fromtimestamp(at_ms / 1_000, UTC).astimezone(ZoneInfo(self.zone)).strftime("%H:%M")

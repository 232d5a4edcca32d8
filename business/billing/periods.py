"""Billing periods: which months an account is billed for, by the day on which its cycle begins.

A period is written `2026-10/1`: the one that begins in October 2026 for those whose cycle begins on the 1st. The cycle
day is part of it and not read off the first day, because in a short month the cycles of the 29th, 30th and 31st begin
on the same one.
"""

import re
from calendar import monthrange
from datetime import date

from msgspec import Struct

from charging.base.localtime import DAY_S, LocalTime, day_of
from charging.errors import Invalid

CYCLE_DAY_MAX = 31
_TEXT = re.compile(r"(?P<year>20[0-9]{2})-(?P<month>0[1-9]|1[0-2])/(?P<day>[1-9]|[12][0-9]|3[01])")
_WANTED = "a month and the day on which the cycle begins, such as 2026-10/1"


class Period(Struct, frozen=True, array_like=True, order=True, gc=False):
    """One billing period. Of one cycle day, the periods are ordered as they follow each other."""

    month: int
    """Months since the year 0: the one in which it begins."""
    cycle_day: int
    """1 … 31, in a shorter month its last day."""

    def __str__(self) -> str:
        """Write it as people do."""
        return f"{self.month // 12}-{self.month % 12 + 1:02d}/{self.cycle_day}"

    @property
    def next(self) -> "Period":
        """The period that follows it."""
        return Period(self.month + 1, self.cycle_day)

    @property
    def first(self) -> date:
        """Its first day."""
        year, month = self.month // 12, self.month % 12 + 1
        return date(year, month, min(self.cycle_day, monthrange(year, month)[1]))


def read_period(text: str) -> Period:
    """Read a period. Raises `Invalid` PERIOD_MALFORMED."""
    match = _TEXT.fullmatch(text)
    if match is None:
        raise Invalid(
            "PERIOD_MALFORMED", f"{text[:40]!r} is no billing period: give {_WANTED}", fields={"period": _WANTED}
        )
    return Period(int(match["year"]) * 12 + int(match["month"]) - 1, int(match["day"]))


def ends_ms(period: Period, zone: LocalTime) -> int:
    """Give the moment at which a period is over in a zone, UTC, milliseconds: the local midnight before the next."""
    day = day_of(period.next.first.isoformat())
    # The evening before is a moment of the day before in every zone; the next midnight there is the one.
    evening_s = day * DAY_S - zone.offset(day * DAY_S) - DAY_S // 4
    return zone.next_day(evening_s) * 1000

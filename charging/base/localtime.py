"""Clock and calendar of a region as tables: offsets of its zone, days, periods.

The zone's rules are read once, when a catalogue version is compiled; afterwards everything is arithmetic on integers.
Days are counted from 1970-01-01.
"""

from bisect import bisect_right
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAY_S = 86_400
DAYS_KNOWN_MAX = 10_000
"""Days of a zone whose beginnings are remembered."""
FAR_S = 1 << 60
"""Later than anything that happens."""
_FIRST = datetime(1990, 1, 1, tzinfo=UTC)
_LAST = datetime(2100, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

CALL, DAY, WEEK, MONTH, CYCLE, YEAR, LIFE, SUBSCRIPTION = range(8)
PERIODS = {
    "call": CALL,
    "day": DAY,
    "week": WEEK,
    "month": MONTH,
    "cycle": CYCLE,
    "year": YEAR,
    "life": LIFE,
    "subscription": SUBSCRIPTION,
}


WHOLE_LIFE = "all"
"""Text of the one period of what counts for ever."""


class LocalTime:
    """Offsets from UTC of one zone, in seconds, with the moments at which they change."""

    __slots__ = ("_begins", "fixed", "offsets", "starts", "zone")

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self.starts, self.offsets = _offsets(zone)
        self.fixed = self.offsets[0] if len(self.offsets) == 1 else None
        self._begins: dict[int, int] = {}

    def offset(self, utc_s: int) -> int:
        """Give what to add to UTC seconds for the local clock."""
        if self.fixed is not None:
            return self.fixed
        return self.offsets[max(0, bisect_right(self.starts, utc_s) - 1)]

    def next_change(self, utc_s: int) -> int:
        """Give the UTC second at which the offset changes next; `FAR_S` when it does not."""
        if self.fixed is not None:
            return FAR_S
        index = bisect_right(self.starts, utc_s)
        return self.starts[index] if index < len(self.starts) else FAR_S

    def day(self, utc_s: int) -> int:
        """Give the local day of a UTC second."""
        return (utc_s + self.offset(utc_s)) // DAY_S

    def next_day(self, utc_s: int) -> int:
        """Give the UTC second at which the next local day begins: in Cairo or Santiago one a year has no midnight."""
        day, at = self.day(utc_s), utc_s
        # Step by step, since the clock may change on the way: to what would be midnight by the offset of now, or to the
        # change, whichever comes first.
        while self.day(at) == day:
            at = min((day + 1) * DAY_S - self.offset(at), self.next_change(at))
        return at

    def day_begins(self, day: int) -> int:
        """Give the UTC second at which a local day begins, though it may have no midnight."""
        known = self._begins.get(day)
        if known is None:
            if len(self._begins) >= DAYS_KNOWN_MAX:
                self._begins.clear()
            noon = (day - 1) * DAY_S + DAY_S // 2
            known = self._begins[day] = self.next_day(noon - self.offset(noon))
        return known

    def moment_ms(self, text: str) -> int:
        """Turn the text of a `Moment` into milliseconds UTC; text without offset is local."""
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(self.zone))
        return int(moment.timestamp()) * 1000


@lru_cache(maxsize=64)
def _offsets(zone: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Find all changes of offset by looking at each week and halving those in which it changed."""
    info = ZoneInfo(zone)

    def offset(utc_s: int) -> int:
        delta = datetime.fromtimestamp(utc_s, UTC).astimezone(info).utcoffset()
        return int((delta or timedelta(0)).total_seconds())

    at = int(_FIRST.timestamp())
    last = int(_LAST.timestamp())
    starts, offsets = [at], [offset(at)]
    while at < last:
        after = min(last, at + 7 * DAY_S)
        if offset(after) != offsets[-1]:
            low, high = at, after
            while high - low > 1:
                middle = (low + high) // 2
                if offset(middle) == offsets[-1]:
                    low = middle
                else:
                    high = middle
            starts.append(high)
            offsets.append(offset(high))
            after = high
        at = after
    return tuple(starts), tuple(offsets)


def day_of(text: str) -> int:
    """Turn 2026-10-01 into a day, counted from 1970-01-01. Raises `ValueError` for any other text."""
    return date.fromisoformat(text).toordinal() - _EPOCH_ORDINAL


def weekday(day: int) -> int:
    """Give the day of the week of a day counted from 1970-01-01; 0 = Monday."""
    return (day + 3) % 7


def day_text(day: int) -> str:
    """Write a day as yyyymmdd."""
    return date.fromordinal(day + _EPOCH_ORDINAL).strftime("%Y%m%d")


class Span(NamedTuple):
    """A period: its days and the texts that accumulator keys carry."""

    start: int
    """First local day, counted from 1970-01-01."""
    end: int
    """First day after it."""
    text: str
    """Sorts as the periods follow each other."""
    previous_start: int
    """First day of the period before it."""
    previous_text: str


@lru_cache(maxsize=65_536)
def span(period: int, day: int, cycle_day: int) -> Span:
    """Give the period that contains a local day, counted from 1970-01-01.

    `period` is one of the constants above. `cycle_day` is the day of month on which the bill cycle begins, 1 to 31, in
    a shorter month its last one; other periods do not look at it.
    """
    if period in (LIFE, SUBSCRIPTION, CALL):
        return Span(0, 1 << 40, WHOLE_LIFE, 0, "none")
    start = _start(period, day, cycle_day)
    before = _start(period, start - 1, cycle_day)
    end = _after(period, start, cycle_day)
    return Span(start, end, day_text(start), before, day_text(before))


def next_cycle_ms(local: LocalTime, now_ms: int, cycle_day: int) -> int:
    """Give when the bill cycle after the one of a moment begins, UTC, milliseconds."""
    return local.day_begins(span(CYCLE, local.day(now_ms // 1000), cycle_day).end) * 1000


def _start(period: int, day: int, cycle_day: int) -> int:
    if period == DAY:
        return day
    if period == WEEK:
        return day - weekday(day)
    when = date.fromordinal(day + _EPOCH_ORDINAL)
    if period == YEAR:
        return when.replace(month=1, day=1).toordinal() - _EPOCH_ORDINAL
    first = cycle_day if period == CYCLE else 1
    if when.day < min(first, monthrange(when.year, when.month)[1]):
        when = when.replace(day=1) - timedelta(days=1)
    return _on(when, first)


def _after(period: int, start: int, cycle_day: int) -> int:
    if period == DAY:
        return start + 1
    if period == WEEK:
        return start + 7
    when = date.fromordinal(start + _EPOCH_ORDINAL)
    if period == YEAR:
        return when.replace(year=when.year + 1).toordinal() - _EPOCH_ORDINAL
    following = when.replace(day=1) + timedelta(days=32)
    return _on(following, cycle_day if period == CYCLE else 1)


def _on(when: date, day: int) -> int:
    """Give a day of the month of a date, in a shorter month its last."""
    last = monthrange(when.year, when.month)[1]
    return when.replace(day=min(day, last)).toordinal() - _EPOCH_ORDINAL


def cycle_month(day: int, cycle_day: int) -> int:
    """Give the bill cycle that contains a local day, counted from 1970-01-01: the month in which it begins, counted
    from the year 0.

    `cycle_day` as of `span`. Of every day there is, also those that no calendar of Python reaches.
    """
    # Civil days after Howard Hinnant: years begin in March, so that a leap day is their last.
    days = day + 719_468
    era, of_era = divmod(days, 146_097)
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    since_march = (5 * of_year + 2) // 153
    day_of_month = of_year - (153 * since_march + 2) // 5 + 1
    year += era * 400
    month = year * 12 + since_march + 2
    length = 31 if since_march in (0, 2, 4, 5, 7, 9, 10) else 30
    if since_march == 11:
        length = 29 if (year + 1) % 4 == 0 and ((year + 1) % 100 != 0 or (year + 1) % 400 == 0) else 28
    return month if day_of_month >= min(cycle_day, length) else month - 1


def month_text(month: int) -> str:
    """Write a month, counted from the year 0, as people do: 2026-10."""
    return f"{month // 12}-{month % 12 + 1:02d}"


QUARTER_MS = 900_000
MONTHS_KNOWN_MAX = 50_000
_months: dict[tuple[str, int, int], int] = {}
_zones: dict[str, LocalTime] = {}


def zone_of(name: str) -> LocalTime:
    """Give the clock of a zone, made once. Raises `zoneinfo.ZoneInfoNotFoundError`, or `ValueError`, for no zone."""
    known = _zones.get(name)
    if known is None:
        known = _zones[name] = LocalTime(name)
    return known


def month_at(zone: str, cycle_day: int, time_ms: int) -> int:
    """Give the billing period of a moment, UTC, milliseconds, for accounts of a zone and cycle day.

    A quarter of an hour lies within one local day, whatever the zone: each is worked out once.
    """
    quarter = (zone, cycle_day, time_ms // QUARTER_MS)
    known = _months.get(quarter)
    if known is None:
        if len(_months) >= MONTHS_KNOWN_MAX:
            _months.clear()
        known = _months[quarter] = cycle_month(zone_of(zone).day(time_ms // 1000), cycle_day)
    return known

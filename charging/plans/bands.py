"""Time bands as tables: which schedule counts at a second, and until when.

A table knows, for each kind of day (weekday and calendars), the seconds of the local day at which another schedule
begins. Where the zone's offset changes, a run ends and is looked up afresh, so local clock times mean what they say.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from charging.base.localtime import DAY_S, LocalTime
from charging.catalogue.words import Band

OUTSIDE = -1
_WEEKDAYS = {name: index for index, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}


class BandTable:
    """For each second, the index of the first group of bands that contains it, else `OUTSIDE`."""

    __slots__ = ("_days", "_local", "_masks", "_tables")

    def __init__(
        self, groups: Sequence[Sequence[Band]], calendars: Mapping[str, frozenset[int]], local: LocalTime
    ) -> None:
        names = sorted({c for group in groups for band in group for c in (*band.calendars, *band.except_calendars)})
        days: dict[int, int] = {}
        for bit, name in enumerate(names):
            for day in calendars[name]:
                days[day] = days.get(day, 0) | 1 << bit
        bits = {name: 1 << bit for bit, name in enumerate(names)}
        self._local = local
        self._days = days
        self._masks = {mask: index for index, mask in enumerate(sorted({0, *days.values()}))}
        self._tables = tuple(
            _day_table(groups, weekday, mask, bits) for mask in sorted(self._masks) for weekday in range(7)
        )

    def at(self, utc_s: int) -> tuple[int, int]:
        """Give the index at a UTC second and the later second at which it may change; `OUTSIDE` = in no group.

        It does not change before; at local midnight and when the zone's clock changes it is to be asked again.
        """
        local_s = utc_s + self._local.offset(utc_s)
        day = local_s // DAY_S
        second = local_s - day * DAY_S
        mask = self._masks[self._days.get(day, 0)] if self._days else 0
        starts, indexes = self._tables[mask * 7 + (day + 3) % 7]
        place = bisect_right(starts, second)
        end = starts[place] if place < len(starts) else DAY_S
        return indexes[place - 1], min(utc_s + end - second, self._local.next_change(utc_s))

    def runs(self, start_s: int, quantity: int) -> list[tuple[int, int]]:
        """Cut a call into runs of one index: (offset at which the run ends, index), in order.

        `start_s` is UTC, `quantity` seconds; offsets count from the start, the last is `quantity`. Neighbours differ in
        index.
        """
        index, change = self.at(start_s)
        if change - start_s >= quantity:
            return [(quantity, index)]
        found: list[tuple[int, int]] = []
        end_s = start_s + quantity
        # `at` tells when the index may change, at the latest at midnight or a change of the clock: often it does not.
        while change < end_s:
            following, later = self.at(change)
            if following != index:
                found.append((change - start_s, index))
                index = following
            change = later
        found.append((quantity, index))
        return found

    def next_switch(self, utc_s: int) -> int:
        """Give the UTC second after `utc_s` at which the index changes within eight days; 0 when it does not."""
        index, change = self.at(utc_s)
        while change - utc_s <= 8 * DAY_S:
            following, later = self.at(change)
            if following != index:
                return change
            change = later
        return 0


def clock_s(text: str) -> int:
    """Turn 18:30 or 18:30:15 into seconds of the day."""
    parts = [int(part) for part in text.split(":")]
    return parts[0] * 3600 + parts[1] * 60 + (parts[2] if len(parts) > 2 else 0)


def _day_table(
    groups: Sequence[Sequence[Band]], weekday: int, mask: int, bits: Mapping[str, int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    spans = [
        [span for band in group if _on_day(band, weekday, mask, bits) for span in clock_spans(band)] for group in groups
    ]
    cuts = sorted({0, *(cut for group in spans for span in group for cut in span if cut < DAY_S)})
    starts: list[int] = []
    indexes: list[int] = []
    for cut in cuts:
        index = next((i for i, group in enumerate(spans) if any(a <= cut < b for a, b in group)), OUTSIDE)
        if not indexes or indexes[-1] != index:
            starts.append(cut)
            indexes.append(index)
    return tuple(starts), tuple(indexes)


def clock_spans(band: Band) -> list[tuple[int, int]]:
    """Give the parts of a local day that a band covers, in order; one over midnight has two.

    Seconds from local midnight, the end exclusive. Equal ends are a whole day.
    """
    start, end = clock_s(band.start), clock_s(band.end)
    if start < end:
        return [(start, end)]
    return [span for span in ((0, end), (start, DAY_S)) if span[0] < span[1]]


def _on_day(band: Band, weekday: int, mask: int, bits: Mapping[str, int]) -> bool:
    if band.weekdays and weekday not in (_WEEKDAYS[name] for name in band.weekdays):
        return False
    if any(mask & bits[name] for name in band.except_calendars):
        return False
    return not band.calendars or any(mask & bits[name] for name in band.calendars)

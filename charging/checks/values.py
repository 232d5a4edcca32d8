"""Values: dates that exist, clock times of a day, ends after beginnings."""

import re
from collections.abc import Iterator
from datetime import date
from zoneinfo import available_timezones

from charging.base.identity import is_country
from charging.base.localtime import DAY_S, LocalTime
from charging.catalogue.document import Catalogue
from charging.catalogue.words import LABEL_PATTERN, LANGUAGES, Band, Calendar
from charging.checks.walk import Finding, Path, structs
from charging.plans.bands import clock_s
from charging.plans.compile import Dated

_LABEL = re.compile(LABEL_PATTERN)
# Only the order of moments is asked here; texts without offset stand in one zone, whichever it is.
LOCAL = LocalTime("UTC")
FIRST_DAY, LAST_DAY = "0001-01-02", "9999-12-30"
"""Before and after every date that an entry may be given."""


def check_values(catalogue: Catalogue, _national: Catalogue | None) -> Iterator[Finding]:
    """Find dates that no calendar has, bands that no clock has, and entries that end before they begin."""
    yield from _where(catalogue)
    for path, node in structs(catalogue):
        name = getattr(node, "name", "")
        if isinstance(name, str) and not _LABEL.search(name):
            yield Finding((*path, "name"), "write words for people, at most 100 characters, on one line")
        for language in name if isinstance(name, dict) else ():
            if language not in LANGUAGES:
                yield Finding(
                    (*path, "name", language), f"names are told in {' and '.join(LANGUAGES)}, not {language!r}"
                )
        if isinstance(node, Calendar):
            yield from _days(path, node)
        elif isinstance(node, Band):
            yield from _clock(path, node)
        else:
            yield from _effective(path, getattr(node, "effective_from", ""), getattr(node, "effective_to", ""))


def _where(catalogue: Catalogue) -> Iterator[Finding]:
    for name, text, is_known, example in (
        ("country", catalogue.country, is_country, "CN or DE"),
        ("time_zone", catalogue.time_zone, available_timezones().__contains__, "Asia/Shanghai or Europe/Berlin"),
    ):
        if text and catalogue.domain:
            yield Finding((name,), f"the {name} is said once for all, in the national catalogue: leave it out")
        elif text and not is_known(text):
            yield Finding((name,), f"there is no {name} {text!r}: write its code, such as {example}")


def moment_ms(text: str) -> int | None:
    """Give the moment of a text; None when there is no such moment (2026-02-30)."""
    try:
        return LOCAL.moment_ms(text)
    except (ValueError, OverflowError):
        return None


def covers(outer: Dated, inner: Dated) -> bool:
    """Say whether one entry is in force all the time that another is; dates that don't exist are told elsewhere."""
    begins, ends = moment_ms(outer.effective_from or FIRST_DAY), moment_ms(outer.effective_to or LAST_DAY)
    since, until = moment_ms(inner.effective_from or FIRST_DAY), moment_ms(inner.effective_to or LAST_DAY)
    if begins is None or ends is None or since is None or until is None:
        return True
    return begins <= since and until <= ends


def _effective(path: Path, start: str, end: str) -> Iterator[Finding]:
    begins = moment_ms(start) if start else None
    ends = moment_ms(end) if end else None
    for name, text, found in (("effective_from", start, begins), ("effective_to", end, ends)):
        if text and found is None:
            yield Finding((*path, name), f"there is no {text}: write a date of the calendar, such as 2026-02-28")
    if begins is not None and ends is not None and ends <= begins:
        yield Finding((*path, "effective_to"), f"ends at {end}, not after it begins ({start})")


def _days(path: Path, calendar: Calendar) -> Iterator[Finding]:
    for index, day in enumerate(calendar.days):
        try:
            date.fromisoformat(day)
        except ValueError:
            yield Finding(
                (*path, "days", index), f"there is no {day}: write a date of the calendar, such as 2026-02-28"
            )


def _clock(path: Path, band: Band) -> Iterator[Finding]:
    start, end = clock_s(band.start), clock_s(band.end)
    if start >= DAY_S:
        yield Finding((*path, "from"), f"begins at {band.start}: write 00:00 to 23:59:59")
    if end > DAY_S:
        yield Finding((*path, "to"), f"ends at {band.end}: write 00:00 to 24:00")
    if start == end:
        yield Finding((*path, "to"), f"begins and ends at {band.start}: leave both out if the whole day is meant")

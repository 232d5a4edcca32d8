"""Numbers in the names of files: what is missing between them, where they began anew, what came twice.

Pure. Numbers wrap, and files come late and in any order: a number is read as the one nearest to the highest so far,
half of the range below or above it, so 0001 after 9999 is a file further on and 9998 after 0001 is one that came late.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from msgspec import Struct

from mediation.written import Finding

NUMBER_MAX = 10**12
GAPS_TOLD_MAX = 1_000
_DIGITS_MAX = 12


class SequenceRule(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the number stands in a name."""

    pattern: str
    """Regular expression over the whole name with a group `number`; within a group `period`, such as the day, numbers
    begin anew."""
    last: int
    """After this number comes `first` again."""
    first: int = 0

    def faults(self) -> Iterator[Finding]:
        """Give what is wrong with it."""
        try:
            groups = re.compile(self.pattern).groupindex
        except re.error as error:
            yield "pattern", f"is no regular expression: {error}"
        else:
            if "number" not in groups or set(groups) - {"number", "period"}:
                yield "pattern", "must have a group (?P<number>[0-9]+), and no other named one than (?P<period>…)"
        if not 0 <= self.first < self.last <= NUMBER_MAX:
            yield "last", f"must be greater than first, both from 0 to {NUMBER_MAX}"

    def number(self, name: str) -> tuple[str, int] | None:
        """Give period and number of a name; None = it has none, or one outside the range."""
        match = re.fullmatch(self.pattern, name)
        if match is None or not _is_number(digits := match["number"] or ""):
            return None
        number = int(digits)
        period = (match.groupdict().get("period") or "") if "period" in match.re.groupindex else ""
        return (period, number) if self.first <= number <= self.last else None


class MissingFiles(Struct, frozen=True):
    """Files that lie between two that were taken, and were not."""

    period: str
    begin: int
    """The first number that is missing."""
    end: int
    """The last one; smaller than `begin` when the numbers began anew between them."""
    files: int
    after: str
    """Name of the file before them."""
    place: int = 0
    """Of the first of them in the whole sequence of the period, which never begins anew."""
    range: tuple[int, int] = (0, 1)
    """The first number there is, and how many there are."""

    def numbered(self, place: int) -> int:
        """Give the number of a file by its place."""
        return self.range[0] + place % self.range[1]


class SequenceReport(Struct, frozen=True):
    """What the numbers of a source's files say."""

    missing: tuple[MissingFiles, ...] = ()
    accepted: int = 0
    """Files that are missing beside these, and a person said that they never come."""
    wraps: int = 0
    """How often numbers began anew after the last one."""
    twice: tuple[str, ...] = ()
    """Names whose number had been taken with another content."""
    unnumbered: tuple[str, ...] = ()
    """Names in which no number was found."""


class _Period:
    """Numbers of one period, counted on over wraps."""

    def __init__(self, rule: SequenceRule) -> None:
        self.rule = rule
        self.range = rule.last - rule.first + 1
        self._highest: int | None = None
        self.taken: dict[int, tuple[str, str]] = {}

    def place(self, number: int) -> int:
        """Give the place of a number in the whole sequence."""
        step = number - self.rule.first
        if self._highest is None:
            return step
        half = self.range // 2
        return self._highest - half + (step - (self._highest - half)) % self.range

    def take(self, number: int, name: str, digest: str) -> bool:
        """Take a number; says whether another content has it already."""
        place = self.place(number)
        self._highest = place if self._highest is None else max(self._highest, place)
        return self.taken.setdefault(place, (name, digest))[1] != digest

    def number(self, place: int) -> int:
        """Give the number that stands at a place."""
        return self.rule.first + place % self.range

    def wraps(self) -> int:
        """Say how often the numbers began anew."""
        return max(self.taken) // self.range - min(self.taken) // self.range if self.taken else 0


def in_sequence(rule: SequenceRule, files: Iterable[tuple[str, str]]) -> SequenceReport:
    """Say what is missing among files, each a name and a digest, in the order in which they were taken."""
    periods: dict[str, _Period] = {}
    twice: list[str] = []
    unnumbered: list[str] = []
    for name, digest in files:
        if (found := rule.number(name)) is None:
            unnumbered.append(name)
            continue
        if periods.setdefault(found[0], _Period(rule)).take(found[1], name, digest):
            twice.append(name)
    missing = [gap for name, period in sorted(periods.items()) for gap in _gaps(name, period)]
    wraps = sum(period.wraps() for period in periods.values())
    return SequenceReport(tuple(missing[:GAPS_TOLD_MAX]), 0, wraps, tuple(twice), tuple(unnumbered))


def later_names(rule: SequenceRule, taken: Iterable[str], names: Iterable[str]) -> frozenset[str]:
    """Give those of the names beside or before which a file with a later number stands.

    `taken` are names of earlier files, oldest first. In a period that another one has followed, all are earlier.
    """
    periods: dict[str, _Period] = {}
    found: dict[str, tuple[str, int]] = {}
    for name in taken:
        if (number := rule.number(name)) is not None:
            periods.setdefault(number[0], _Period(rule)).take(number[1], name, name)
    for name in names:
        if (number := rule.number(name)) is not None:
            period = periods.setdefault(number[0], _Period(rule))
            found[name] = (number[0], period.place(number[1]))
            period.take(number[1], name, name)
    if not found:
        return frozenset()
    newest = max(periods)
    return frozenset(
        name for name, (period, place) in found.items() if period < newest or place < max(periods[period].taken)
    )


def _is_number(text: str) -> bool:
    return 0 < len(text) <= _DIGITS_MAX and text.isascii() and text.isdecimal()


def _gaps(name: str, period: _Period) -> Iterator[MissingFiles]:
    places = sorted(period.taken)
    for before, after in pairwise(places):
        if after - before > 1:
            begin, end = period.number(before + 1), period.number(after - 1)
            files, of = after - before - 1, (period.rule.first, period.range)
            yield MissingFiles(name, begin, end, files, period.taken[before][0], before + 1, of)

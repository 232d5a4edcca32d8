"""The national number plan, from the geocoding data of `phonenumbers`: digits of E.164 → provincial domain.

The data names a place for each of some 110,000 seven-digit mobile prefixes (86 + seven digits), for shorter prefixes
where a whole block lies in one place, and for the area codes of fixed lines. The place's name begins (Chinese) or ends
(English) with its province.
"""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from country.domains import REGIONS

COUNTRY = "86"
SEVEN_DIGITS = len(COUNTRY) + 7


class NationalPlan(Struct, frozen=True):
    """What the source gave: the ranges, how many of each kind, and what could not be mapped."""

    ranges: tuple[tuple[str, str], ...]
    """(prefix, domain), ordered by prefix."""
    seven_digit_mobile: int
    shorter_mobile: int
    fixed: int
    by_english_only: int
    """Ranges whose place has no Chinese name in the source; mapped by the English one."""
    unmapped: tuple[tuple[str, str], ...]
    """(prefix, place) of every range that names no province: reported, never loaded."""

    def by_domain(self) -> dict[str, list[str]]:
        """Give the prefixes of each domain."""
        prefixes: dict[str, list[str]] = {region.code: [] for region in REGIONS}
        for prefix, domain in self.ranges:
            prefixes[domain].append(prefix)
        return prefixes

    def unmapped_places(self) -> list[tuple[str, int]]:
        """Count the unmapped ranges by place, most frequent first."""
        return Counter(place for _, place in self.unmapped).most_common()

    def resolver(self) -> "Resolver":
        """Make a longest-prefix look-up of this plan."""
        return Resolver(dict(self.ranges))


class Resolver:
    """Longest prefix of a number plan, for the generators; the data center has its own."""

    def __init__(self, ranges: dict[str, str]) -> None:
        self._ranges = ranges
        self._lengths = sorted({len(prefix) for prefix in ranges}, reverse=True)

    def domain_of(self, digits: str) -> str:
        """Give the domain of a number (digits of E.164), "" when no range covers it."""
        for length in self._lengths:
            domain = self._ranges.get(digits[:length])
            if domain is not None:
                return domain
        return ""


def is_mobile(prefix: str) -> bool:
    """Say whether a prefix lies in the mobile part of the plan: 86 1[3-9]…; 86 10… is Beijing's area code."""
    return prefix.startswith(COUNTRY + "1") and prefix[3:4] != "0"


def read(places: dict[str, dict[str, str]] | None = None) -> NationalPlan:
    """Build the plan from the geocoding table of `phonenumbers`, or one of its shape: prefix → language → place.

    Ranges in order of prefixes. The Chinese name of a place counts, else the English one; what has neither of a
    province is among `unmapped`.
    """
    source = _geodata() if places is None else places
    chinese = {region.chinese: region.code for region in REGIONS}
    english = {region.name: region.code for region in REGIONS}
    ranges: list[tuple[str, str]] = []
    unmapped: list[tuple[str, str]] = []
    by_english_only = 0
    for prefix in sorted(key for key in source if key.startswith(COUNTRY)):
        names = source[prefix]
        domain = _by_chinese(names.get("zh", ""), chinese)
        if not domain:
            domain = english.get(names.get("en", "").rpartition(", ")[2], "")
            by_english_only += domain != ""
        if domain:
            ranges.append((prefix, domain))
        else:
            unmapped.append((prefix, names.get("en") or names.get("zh") or "no name"))
    mobile = [prefix for prefix, _ in ranges if is_mobile(prefix)]
    seven = sum(len(prefix) == SEVEN_DIGITS for prefix in mobile)
    return NationalPlan(
        tuple(ranges), seven, len(mobile) - seven, len(ranges) - len(mobile), by_english_only, tuple(unmapped)
    )


def _geodata() -> dict[str, dict[str, str]]:
    # Imported here: the table of the whole world takes half a second to load, and most commands need none of it.
    from phonenumbers.geodata import GEOCODE_DATA

    table: dict[str, dict[str, str]] = GEOCODE_DATA
    return table


def _by_chinese(place: str, provinces: dict[str, str]) -> str:
    # Every short name has two characters but Inner Mongolia and Heilongjiang, which have three.
    return provinces.get(place[:2]) or provinces.get(place[:3]) or ""


def plan_lines(plan: NationalPlan) -> Iterable[str]:
    """Tell what the national number plan holds, and what of it maps to no province."""
    yield (
        f"{len(plan.ranges):,} ranges: {plan.seven_digit_mobile:,} seven-digit mobile prefixes, "
        f"{plan.shorter_mobile:,} shorter ones, {plan.fixed} of fixed lines; "
        f"{plan.by_english_only} mapped by their English name only"
    )
    yield f"{len(plan.unmapped)} ranges map to no province" + (":" if plan.unmapped else "")
    for place, count in plan.unmapped_places():
        yield f"  {place}: {count}"

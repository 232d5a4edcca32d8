"""A month of use as a customer describes it: so many usages of a kind, on which days, at which hours."""

from collections.abc import Sequence

from msgspec import Struct
from onetier.v1 import service_desk_pb2 as desk

from appserver.reading.checks import field_fault
from appserver.reading.quantities import ATTRIBUTES_MAX, BYTES_MAX, QUANTITY_MAX
from charging.base.bounds import ATTRIBUTE_CHARS_MAX
from charging.base.names import is_place, is_service
from charging.base.party import party
from charging.errors import Invalid

USES_MAX = 64
COUNT_MAX = 3_000
"""Usages of all uses together."""
HOURS = 24
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class PatternAsk(Struct, frozen=True):
    """One use of a pattern, normalised."""

    service: str
    quantity: int
    """Base units, of each usage."""
    count: int
    other_party: str
    visited: str
    attributes: dict[str, str]
    weekdays: tuple[int, ...]
    """0 = Monday; ascending, never empty."""
    from_hour: int
    to_hour: int
    """Exclusive, of the region's clock."""


def read_pattern(pattern: desk.UsagePattern, country: str) -> tuple[PatternAsk, ...]:
    """Read a pattern. Raises `Invalid` PATTERN_MALFORMED, SERVICE_UNKNOWN, QUANTITY_OUT_OF_RANGE, PARTY_MALFORMED…"""
    uses: Sequence[desk.PatternUse] = pattern.uses
    if not 0 < len(uses) <= USES_MAX:
        raise _malformed("pattern.uses", f"1 to {USES_MAX} uses")
    found = tuple(_use(each, f"pattern.uses[{place}]", country) for place, each in enumerate(uses))
    if sum(each.count for each in found) > COUNT_MAX:
        raise _malformed("pattern.uses", f"at most {COUNT_MAX} usages together")
    return found


def _use(use: desk.PatternUse, path: str, country: str) -> PatternAsk:
    if is_service(use.service_code) is None:
        text = "a service code"
        raise field_fault("SERVICE_UNKNOWN", f"{path}.service_code", f"{path}.service_code must be {text}", text)
    most = QUANTITY_MAX.get(use.service_code, BYTES_MAX)
    if not 0 < use.quantity <= most:
        text = f"1 to {most} base units"
        raise field_fault("QUANTITY_OUT_OF_RANGE", f"{path}.quantity", f"{path}.quantity must be {text}", text)
    if not 0 < use.count <= COUNT_MAX:
        raise _malformed(f"{path}.count", f"1 to {COUNT_MAX}")
    if use.visited_place and is_place(use.visited_place) is None:
        text = "the code of a region or of a network abroad"
        raise field_fault("REGION_UNKNOWN", f"{path}.visited_place", f"the visited place must be {text}", text)
    called = party(use.other_party, country) if use.other_party else ""
    return PatternAsk(
        use.service_code,
        use.quantity,
        use.count,
        called,
        use.visited_place,
        _attributes(use, path),
        _weekdays(use, path),
        *_hours(use, path),
    )


def _weekdays(use: desk.PatternUse, path: str) -> tuple[int, ...]:
    if any(day not in WEEKDAYS for day in use.weekdays):
        raise _malformed(f"{path}.weekdays", f"some of {', '.join(WEEKDAYS)}, or none for every day")
    return tuple(place for place, day in enumerate(WEEKDAYS) if not use.weekdays or day in use.weekdays)


def _hours(use: desk.PatternUse, path: str) -> tuple[int, int]:
    begin, end = use.from_hour, use.to_hour or HOURS
    if not 0 <= begin < end <= HOURS:
        raise _malformed(f"{path}.to_hour", "hours of a day: from_hour 0 to 23, to_hour later, up to 24")
    return begin, end


def _attributes(use: desk.PatternUse, path: str) -> dict[str, str]:
    given = dict(use.attributes)
    if len(given) > ATTRIBUTES_MAX or any(
        not 0 < len(text) <= ATTRIBUTE_CHARS_MAX for pair in given.items() for text in pair
    ):
        text = f"at most {ATTRIBUTES_MAX}, of 1 to {ATTRIBUTE_CHARS_MAX} characters"
        raise field_fault("ATTRIBUTE_TOO_LONG", f"{path}.attributes", f"attributes are {text}", text)
    return given


def _malformed(field: str, text: str) -> Invalid:
    return field_fault("PATTERN_MALFORMED", field, f"{field} must be {text}", text)

"""Parts of calls → calls: which parts belong together, and whether one is missing.

A switch that was started anew counts its calls from the beginning, so parts of two calls may have the same name. They
are told apart by number and time: a part follows another when its number is the next one and it begins where the other
ended. What the parts are decides, never the order in which they came.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from mediation.formats.format import PartsRule

NUMBERS_MAX = 10_000
"""Of parts that are looked for in one call: half a year of half hours, longer than a call can be waited for."""
_HOUR_MS = 3_600_000


class StoredPart(Struct, frozen=True):
    """A part of a call as the plant keeps it. The order of its fields is that of the table."""

    digest: str
    """Of its file."""
    position: int
    chain: bytes
    number: int
    start_ms: int
    more: int
    """1 = another part follows."""
    until_ms: int
    """Moment until which the call waits for other parts."""
    batch: int
    """That has the call: 0 = none yet, -1 = it went to suspense as a whole."""
    key: bytes
    record: bytes
    """The usage record, packed."""
    seconds: int


class JoinedCall(Struct, frozen=True):
    """Parts that belong together, in order."""

    parts: tuple[StoredPart, ...]
    missing: tuple[int, ...]
    """Numbers of parts that must be there and are not; of the last, the number behind the last that is there."""

    @property
    def charged(self) -> bool:
        """Say whether some of it is in a batch, or in suspense as a call."""
        return any(part.batch for part in self.parts)


def calls_of(parts: Iterable[StoredPart], rule: PartsRule) -> list[JoinedCall]:
    """Divide parts of one name into calls."""
    found: list[list[StoredPart]] = []
    for part in sorted(parts, key=lambda part: (part.start_ms, part.number, part.position)):
        if found and _follows(found[-1][-1], part, rule):
            found[-1].append(part)
        else:
            found.append([part])
    return [JoinedCall(tuple(each), _missing(each, rule.first)) for each in found]


def _follows(part: StoredPart, other: StoredPart, rule: PartsRule) -> bool:
    if not part.more or other.number <= part.number:
        return False
    if rule.starts == "call":
        return True
    apart_ms = other.start_ms - part.start_ms - part.seconds * 1_000
    if other.number == part.number + 1:
        return abs(apart_ms) <= rule.apart_s * 1_000
    return -rule.apart_s * 1_000 <= apart_ms <= rule.wait_h * _HOUR_MS


def _missing(parts: Sequence[StoredPart], first: int) -> tuple[int, ...]:
    numbers = {part.number for part in parts}
    last = parts[-1].number + parts[-1].more
    begin = min(first, parts[0].number)
    return tuple(number for number in range(begin, min(last, begin + NUMBERS_MAX) + 1) if number not in numbers)

"""How the text in a field of a record becomes a value: telephone numbers, times, durations, whole numbers, choices.

Each reader gives a value or raises `BadText` with what was expected; nothing is guessed. A local time that a clock
shows twice or never is no time: whoever guesses charges another tariff.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from charging.base.bounds import TEXT_CHARS_MAX
from charging.base.identity import plain, read

WHOLE_MAX = 1 << 62
_WHOLE = re.compile(r"[0-9]{1,19}")
_CLOCK = re.compile(r"([0-9]{1,4}):?([0-5][0-9]):?([0-5][0-9])")
_OFFSET = re.compile(r"([+-])([01][0-9]):?([0-5][0-9])")
_DAY_S = 86_400


class BadText(Exception):
    """A text is no value of its kind."""

    def __init__(self, wanted: str, reason: str = "FIELD_UNREADABLE") -> None:
        super().__init__(wanted)
        self.wanted = wanted
        self.reason = reason


class TextValue(Struct, frozen=True, tag="text", tag_field="type", forbid_unknown_fields=True):
    """Text as it stands, full-width characters made plain, without the spaces around it."""

    def read(self, text: str) -> str:
        """Raises `BadText` when it is too long."""
        value = plain(text)
        if len(value) > TEXT_CHARS_MAX:
            raise BadText(f"at most {TEXT_CHARS_MAX} characters")
        return value


class NumberValue(Struct, frozen=True, tag="number", tag_field="type", forbid_unknown_fields=True):
    """A telephone number or another identity, in its one spelling."""

    kind: str = ""
    """Put before a number that stands in E.164 without saying so: `msisdn`, `fixed`, `broadband`, …"""
    country: str = ""
    """Whose national spellings are read (ISO 3166)."""
    fillers: str = ""
    """Characters at its end that mean nothing, such as the `F` of packed digits (TS 24.008, 10.5.4.7)."""
    strip: str = ""
    """What stands before each number and is no part of it, such as a route prefix."""

    def read(self, text: str) -> str:
        """Raises `BadText` when it can't be read for certain."""
        digits = plain(text).rstrip(self.fillers).removeprefix(self.strip)
        spelling, wanted = read(f"{self.kind}:{digits}" if self.kind else digits, self.country)
        if wanted:
            raise BadText(f"an identity: {wanted}")
        return spelling


class TimeValue(Struct, frozen=True, tag="time", tag_field="type", forbid_unknown_fields=True):
    """A moment. Its zone is the switch's, by name or offset, unless the pattern reads one (`%z`)."""

    pattern: str
    """As Python's `strptime` has it; or `epoch_s`, `epoch_ms`."""
    zone: str = ""
    """IANA name or an offset such as `+08:00`."""

    def fault(self) -> str:
        """Say what is wrong with how it is written; "" = nothing."""
        if self.pattern in ("epoch_s", "epoch_ms"):
            return "zone: an epoch is UTC, leave it out" if self.zone else ""
        if "%z" not in self.pattern and not self.zone:
            return "zone: write the switch's zone, such as Asia/Shanghai or +08:00"
        if self.zone and zone_named(self.zone) is None:
            return f"zone: {self.zone[:40]!r} is no zone: write its name or an offset, Asia/Shanghai or +08:00"
        missing = [part for part in ("%d", "%H") if part not in self.pattern and "%c" not in self.pattern]
        if missing:
            return f"pattern: it has no {missing[0]}, so it tells no moment"
        return ""

    def read(self, text: str) -> int:
        """Give milliseconds, UTC. Raises `BadText`; its reason is TIME_AMBIGUOUS where clocks were changed."""
        value = plain(text)
        if self.pattern in ("epoch_s", "epoch_ms"):
            return whole(value) * (1_000 if self.pattern == "epoch_s" else 1)
        try:
            local = datetime.strptime(value, self.pattern)
        except (ValueError, OverflowError) as error:
            raise BadText(f"a time such as {datetime(2026, 1, 31, 23, 59, 58).strftime(self.pattern)!r}") from error
        if local.tzinfo is None:
            local = _certain(local, self.zone)
        moment = local - datetime(1970, 1, 1, tzinfo=UTC)
        return moment // timedelta(milliseconds=1)


class DurationValue(Struct, frozen=True, tag="duration", tag_field="type", forbid_unknown_fields=True):
    """A length of time in seconds, a begun one counts."""

    unit: Literal["s", "ms", "clock"] = "s"
    """`clock`: hours, minutes and seconds, `0:01:30` or `000130`."""

    def read(self, text: str) -> int:
        """Raises `BadText`."""
        value = plain(text)
        if self.unit != "clock":
            count = whole(value)
            return count if self.unit == "s" else -(-count // 1_000)
        match = _CLOCK.fullmatch(value)
        if match is None:
            raise BadText("hours, minutes and seconds, such as 0:01:30 or 000130")
        return int(match[1]) * 3_600 + int(match[2]) * 60 + int(match[3])


class WholeValue(Struct, frozen=True, tag="integer", tag_field="type", forbid_unknown_fields=True):
    """A whole number, such as of bytes."""

    times: int = 1
    """What one of it is in base units: 1024 where a switch counts kibibytes."""

    def read(self, text: str) -> int:
        """Raises `BadText`."""
        return whole(plain(text)) * self.times


class ChoiceValue(Struct, frozen=True, tag="choice", tag_field="type", forbid_unknown_fields=True):
    """One of a few codes, each with what it means here."""

    of: dict[str, str]

    def read(self, text: str) -> str:
        """Raises `BadText` for a code that is not among them."""
        found = self.of.get(plain(text))
        if found is None:
            raise BadText(f"one of {', '.join(sorted(self.of))[:120]}")
        return found


FieldValue = TextValue | NumberValue | TimeValue | DurationValue | WholeValue | ChoiceValue


def whole(text: str) -> int:
    """Read a whole number of 0 or more. Raises `BadText`."""
    if _WHOLE.fullmatch(text) is None or int(text) > WHOLE_MAX:
        raise BadText("a whole number, at most 19 digits")
    return int(text)


def zone_named(name: str) -> ZoneInfo | timezone | None:
    """Give a zone by its name or offset; None = there is none."""
    match = _OFFSET.fullmatch(name)
    if match is not None:
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(-offset if match[1] == "-" else offset)
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return None


def _certain(local: datetime, zone_name: str) -> datetime:
    """Put a local time into its zone. Raises `BadText` where clocks were put back or forward over it."""
    zone = zone_named(zone_name)
    early, late = local.replace(tzinfo=zone, fold=0), local.replace(tzinfo=zone, fold=1)
    if early.utcoffset() != late.utcoffset():
        text = f"a time that clocks of {zone_name} show once: this one is shown twice or never"
        raise BadText(text, "TIME_AMBIGUOUS")
    return early

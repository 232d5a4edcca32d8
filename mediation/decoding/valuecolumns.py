"""Columns of text → columns of values, as the readers of a format read each text (`mediation.formats.values`).

What texts look like every day is read by expressions over the whole column; any other text is read once by the reader
itself, however often it stands there. So a value is always what the reader says, and what it refuses is null: that
record is left to be read, and refused, by itself.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
import polars as pl

from charging.base.bounds import TEXT_CHARS_MAX
from charging.base.identity import everyday_mobiles
from mediation.formats.values import (
    BadText,
    DurationValue,
    FieldValue,
    NumberValue,
    TextValue,
    TimeValue,
    WholeValue,
    zone_named,
)

WIDE = r"[\u{FF01}-\u{FF5E}\u{3000}\u{A0}]"
"""What `charging.base.identity.plain` puts something else for."""
WHOLE_EVERYDAY = r"^[0-9]{1,15}$"
"""Whole numbers that can be taken a thousand times in 64 bits."""
TIMES_MAX = 1_000
TEXT_BYTES_EVERYDAY = TEXT_CHARS_MAX
DAYS_MAX = 500
"""Different days in one piece of a file whose offsets are worth being looked up; more are read one by one."""
_DAY_MS = 86_400_000
_INTEGER = pl.Int64()
_TEXT = pl.String()
_INT_END = 1 << 63
_DIRECTIVES = {
    "%Y": "[0-9]{4}",
    "%m": "(?:0[1-9]|1[0-2])",
    "%d": "(?:0[1-9]|[12][0-9]|3[01])",
    "%H": "(?:[01][0-9]|2[0-3])",
    "%M": "[0-5][0-9]",
    "%S": "[0-5][0-9]",
}


class ValueColumn:
    """Reads columns by one reader."""

    def __init__(self, reader: FieldValue) -> None:
        self._reader = reader
        self._kind = _INTEGER if isinstance(reader, (TimeValue, DurationValue, WholeValue)) else _TEXT

    def everyday(self, text: pl.Expr) -> pl.Expr:
        """Give the values of texts as they stand every day, null for others; `text` has no space around it."""
        match self._reader:
            case TextValue():
                return pl.when(~text.str.contains(WIDE) & (text.str.len_bytes() <= TEXT_BYTES_EVERYDAY)).then(text)
            case NumberValue() as number:
                return _number(number, text)
            case TimeValue() as time:
                return _local(time, text)
            case DurationValue(unit="s"):
                return _whole(text)
            case DurationValue(unit="ms"):
                return (_whole(text) + 999) // 1_000
            case WholeValue(times=times) if 0 <= times <= TIMES_MAX:
                return _whole(text) * times
            case _:
                return pl.lit(None, self._kind)

    def read(self, texts: pl.Series, values: pl.Series) -> pl.Series:
        """Give the values of texts of which `values` is what `everyday` gave: null where the reader refuses."""
        if isinstance(self._reader, TimeValue) and self._reader.zone:
            values = _moments(values, self._reader.zone)
        left = texts.filter(values.is_null() & texts.is_not_null()).unique()
        if not len(left):
            return values
        read = pl.Series([self._one(text) for text in left], dtype=self._kind)
        others = texts.replace_strict(left, read, default=None, return_dtype=self._kind)
        return values.zip_with(values.is_not_null(), others)

    def _one(self, text: str) -> str | int | None:
        try:
            value = self._reader.read(text)
        except BadText:
            return None
        # What 64 bits can't hold is refused later on, with a reason.
        return None if isinstance(value, int) and not -_INT_END <= value < _INT_END else value


def vetted(values: pl.Series, check: Callable[[str], None]) -> pl.Series:
    """Give texts, null where `check` raises `BadText`; it is asked once for each."""
    bad: list[str] = []
    for value in values.drop_nulls().unique():
        try:
            check(value)
        except BadText:
            bad.append(value)
    return values.set(values.is_in(bad), None) if bad else values


def mobiles(text: pl.Expr, country: str) -> pl.Expr:
    """Give the one spelling of mobile numbers of a country as they stand every day, null for other texts."""
    pattern, prefix = everyday_mobiles(country)
    if not prefix:
        return pl.lit(None, _TEXT)
    number = text.str.strip_prefix(f"+{prefix.rpartition(':')[2]}")
    # Digits of other scripts are none here, either.
    usual = number.str.contains(f"^(?:{pattern})$".replace(r"\d", "[0-9]"))
    return pl.when(usual).then(pl.lit(prefix) + number)


def _number(number: NumberValue, text: pl.Expr) -> pl.Expr:
    if not number.country or not (number.fillers + number.strip).isascii():
        return pl.lit(None, _TEXT)
    digits = text.str.strip_chars_end(number.fillers) if number.fillers else text
    digits = digits.str.strip_prefix(number.strip) if number.strip else digits
    return mobiles(pl.lit(f"{number.kind}:") + digits if number.kind else digits, number.country)


def _whole(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.contains(WHOLE_EVERYDAY)).then(text.cast(_INTEGER, strict=False))


def _local(time: TimeValue, text: pl.Expr) -> pl.Expr:
    """Give milliseconds of the switch's own clock; of an epoch, UTC."""
    if time.pattern in ("epoch_s", "epoch_ms"):
        return _whole(text) * (1_000 if time.pattern == "epoch_s" else 1)
    shape = _shape(time.pattern)
    if shape is None:
        return pl.lit(None, _INTEGER)
    local = text.str.strptime(pl.Datetime("ms"), time.pattern, strict=False)
    return pl.when(text.str.contains(shape)).then(local.dt.epoch("ms"))


def _shape(pattern: str) -> str | None:
    """Give what a time looks like that every clock writes alike; None = there is no such look."""
    parts = re.split("(%.)", pattern)
    named = parts[1::2]
    if sorted(named) != sorted(_DIRECTIVES) or "".join(parts[::2]).count("%"):
        return None
    return f"^{''.join(_DIRECTIVES.get(part) or re.escape(part) for part in parts)}$"


def _moments(local: pl.Series, zone: str) -> pl.Series:
    """Give moments of a zone's clock, UTC; null on days on which it was put back or forward."""
    days = (local // _DAY_MS).fill_null(0).to_numpy()
    each, place = np.unique(days, return_inverse=True)
    if len(each) > DAYS_MAX:
        return pl.Series(local.name, [None], _INTEGER).new_from_index(0, len(local))
    offsets = pl.Series([_offset_ms(zone, int(day)) for day in each], dtype=_INTEGER)
    return local - offsets.gather(place)


@lru_cache(maxsize=4_096)
def _offset_ms(zone_name: str, day: int) -> int | None:
    """Give how far a zone's clock is ahead of UTC on a day that it shows; None = not all day the same."""
    zone = zone_named(zone_name)
    try:
        begin = datetime(1970, 1, 1) + timedelta(days=day)
        hours = [begin + timedelta(hours=hour) for hour in range(25)]
    except OverflowError:
        return None
    offsets = {hour.replace(tzinfo=zone, fold=fold).utcoffset() for hour in hours for fold in (0, 1)}
    if len(offsets) != 1:
        return None
    (offset,) = offsets
    return None if offset is None else offset // timedelta(milliseconds=1)

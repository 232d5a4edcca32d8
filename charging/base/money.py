"""Money: exact decimal text in, exact rationals inside, whole micro-units out. Never binary floating point.

One unit of a currency is 1,000,000 micro-units. An exact value is a pair numerator/denominator in micro-units.
"""

import re
from fractions import Fraction

MICRO = 1_000_000
NO_CURRENCY = "XXX"
"""ISO 4217 for "no currency": of catalogues that name none, and of accounts by them."""

HALF_UP, HALF_EVEN, HALF_DOWN, UP, DOWN = range(5)
MODES = {"half_up": HALF_UP, "half_even": HALF_EVEN, "half_down": HALF_DOWN, "up": UP, "down": DOWN}

_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]*)")
_FACTORS = {
    "": 1,
    "s": 1,
    "min": 60,
    "h": 3600,
    "d": 86_400,
    "B": 1,
    "KB": 1 << 10,
    "MB": 1 << 20,
    "GB": 1 << 30,
    "TB": 1 << 40,
    "event": 1,
    "events": 1,
}
SECOND_UNITS = frozenset({"s", "min", "h", "d"})
BYTE_UNITS = frozenset({"B", "KB", "MB", "GB", "TB"})


def micro(text: str) -> Fraction:
    """Turn decimal text of the currency ("0.15") into exact micro-units; empty text is zero."""
    return Fraction(text or "0") * MICRO


def quantity(text: str) -> int:
    """Turn "200 min", "1.5 GB" or "60" into base units; empty text is zero.

    Raises `ValueError` for anything else, a part of a base unit included.
    """
    exact = exact_quantity(text)
    if exact.denominator != 1:
        raise ValueError(f"{text!r} is no whole number of seconds, bytes or events")
    return exact.numerator


def exact_quantity(text: str) -> Fraction:
    """Do the same where a part of a base unit may stand, as in a price per 0.1 MB; exact.

    KB, MB, GB and TB are powers of 1,024. Raises `ValueError` for what is no quantity.
    """
    if not text:
        return Fraction(0)
    match = _QUANTITY.fullmatch(text)
    if match is None or match[2] not in _FACTORS:
        raise ValueError(f"{text!r} is no quantity: write 60, 1 min or 10 GB")
    return Fraction(match[1]) * _FACTORS[match[2]]


def quantity_unit(text: str) -> str:
    """Say which base unit the text names: second, byte, event; empty when it is a bare number."""
    match = _QUANTITY.fullmatch(text)
    suffix = match[2] if match else ""
    if suffix in SECOND_UNITS:
        return "second"
    if suffix in BYTE_UNITS:
        return "byte"
    return "event" if suffix else ""


def round_off(numerator: int, denominator: int, mode: int, step: int) -> int:
    """Round a value that is not negative to a multiple of `step` micro-units; `mode` is one of `MODES`.

    The value is numerator / denominator micro-units. Exact: nothing is a float on the way.
    """
    unit = denominator * step
    whole, rest = divmod(numerator, unit)
    if rest == 0 or mode == DOWN:
        return whole * step
    if mode == UP:
        return (whole + 1) * step
    twice = 2 * rest
    if twice > unit or (twice == unit and (mode == HALF_UP or (mode == HALF_EVEN and whole & 1))):
        whole += 1
    return whole * step


def show(numerator: int, denominator: int = 1) -> str:
    """Write numerator / denominator micro-units as decimal text of the currency: "0.7167".

    Nine digits behind the point at most; what they can't say exactly ends in "…".
    """
    sign = "-" if numerator < 0 else ""
    whole, rest = divmod(abs(numerator), denominator * MICRO)
    digits = ""
    unit = denominator * MICRO
    while rest and len(digits) < 9:
        digit, rest = divmod(rest * 10, unit)
        digits += str(digit)
    dots = "…" if rest else ""
    return f"{sign}{whole}.{digits}{dots}" if digits else f"{sign}{whole}{dots}"

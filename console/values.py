"""What people write on the command line for amounts of money and for moments."""

from datetime import datetime
from decimal import Context, Inexact, InvalidOperation, Overflow

import typer

from charging.base.bounds import AMOUNT_MAX

SHOWN_CHARS = 40
"""Of a wrong amount that its message repeats."""
EXACT = Context(prec=28, traps=[InvalidOperation, Inexact, Overflow])
MICRO = EXACT.create_decimal(1_000_000)


def time_ms(text: str) -> int:
    """Read a time: ISO 8601, or milliseconds UTC as they are; gives milliseconds UTC, 0 when none is given.

    Raises `typer.BadParameter` for one without its offset from UTC.
    """
    if not text or (text.isdecimal() and text.isascii() and len(text) < 16):
        return int(text or 0)
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no time: write it as 2026-01-05T10:00:00+08:00") from error
    if when.tzinfo is None:
        raise typer.BadParameter(f"{text!r} lacks its offset from UTC: write it as 2026-01-05T10:00:00+08:00")
    return round(when.timestamp() * 1000)


def micro_units(text: str) -> int:
    """Read an amount of money exactly. Raises `typer.BadParameter` when it is none, or finer than a micro-unit."""
    try:
        amount = EXACT.multiply(EXACT.create_decimal(text), MICRO)
    except InvalidOperation as error:
        raise typer.BadParameter(f"{text[:SHOWN_CHARS]!r} is no amount of money") from error
    except Inexact as error:
        raise typer.BadParameter(f"{text[:SHOWN_CHARS]!r} has more digits than an amount of money") from error
    if not (amount.is_finite() and text.isascii()):
        raise typer.BadParameter(f"{text[:SHOWN_CHARS]!r} is no amount of money")
    if amount != amount.to_integral_value():
        raise typer.BadParameter(f"{text[:SHOWN_CHARS]!r} is finer than a millionth of the currency")
    if abs(amount) > AMOUNT_MAX:
        raise typer.BadParameter(f"{text[:SHOWN_CHARS]!r} is more than an account may hold")
    return int(amount)

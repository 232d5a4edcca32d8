"""Taxes and coins of bills as the law says them, in fractions: an independent second opinion in a few lines."""

from collections.abc import Sequence
from fractions import Fraction
from math import floor


def half_up(value: Fraction, coin: int) -> int:
    """Round to the coin, halves away from zero."""
    coins = floor(abs(value) / coin + Fraction(1, 2))
    return (coins if value >= 0 else -coins) * coin


def exact_tax(amount: int, percent: Fraction, *, include: bool) -> Fraction:
    return amount * percent / (100 + percent if include else 100)


def taxes(amounts: Sequence[tuple[int, Fraction]], coin: int, *, include: bool, by_line: bool) -> list[int]:
    """Tax of each line, given as (amount, percent); one group a percent."""
    exact = [exact_tax(amount, percent, include=include) for amount, percent in amounts]
    if by_line:
        return [half_up(value, coin) for value in exact]
    found = [0] * len(amounts)
    for percent in {percent for _, percent in amounts}:
        members = [i for i, (_, mine) in enumerate(amounts) if mine == percent]
        total = half_up(sum((exact[i] for i in members), Fraction(0)), coin)
        for i in members:
            found[i] = floor(exact[i] / coin) * coin
        # One coin each to those that lost most, until nothing is missing.
        losers = sorted(members, key=lambda i: found[i] - exact[i])
        for i in losers[: (total - sum(found[i] for i in members)) // coin]:
            found[i] += coin
        assert sum(found[i] for i in members) == total
    return found


def due(gross: int, carried_in: int, coin: int, minimum: int) -> tuple[int, int]:
    """What is asked, and what is carried on."""
    amount = Fraction(carried_in + gross)
    if 0 < amount < minimum:
        return 0, int(amount)
    asked = floor(amount / coin) * coin
    return asked, int(amount - asked)

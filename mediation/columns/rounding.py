"""Rounding by columns: as `charging.base.money.round_off`, each row by the rounding of its price."""

import numpy as np

from charging.base.money import DOWN, HALF_DOWN, HALF_EVEN, HALF_UP, UP
from mediation.columns.passing import Pass
from mediation.columns.ruler import Ints


def rounded(run: Pass, at: Ints, value: Ints, denominator: Ints) -> Ints:
    """Round values of rows at some places to micro-units."""
    columns = np.zeros((2, len(run.shapes)), dtype=np.int64)
    for number in run.used:
        price = run.shapes[number].price
        columns[:, number] = price.rounding.mode, price.rounding.step
    modes, steps = (run.spread(column, run.used, at) for column in columns)
    if (denominator == denominator[:1]).all():
        denominator = denominator[:1]
    unit = denominator * steps
    whole, rest = np.divmod(value, unit)
    if not rest.any():
        return np.asarray(whole * steps, dtype=np.int64)
    twice = 2 * rest
    half = (modes == HALF_UP) | ((modes == HALF_EVEN) & (whole & 1 == 1))
    up = (modes == UP) & (rest > 0)
    up |= (twice > unit) & ((modes == HALF_UP) | (modes == HALF_EVEN) | (modes == HALF_DOWN))
    up |= (twice == unit) & half
    up &= modes != DOWN
    return np.asarray((whole + up) * steps, dtype=np.int64)

"""What a spending limit counts: the keys of its accumulators, and when its period ends.

A limit has a counter of its own for each period. Rating adds to it what a usage costs (`charging.rating.limits`), the
owner holds the sum against the limit (`charging.ledger.spending`), so members who spend at once can't pass it.
"""

from charging.base import accumulators
from charging.base.account import Account, SpendingLimit
from charging.base.localtime import CYCLE, DAY, LocalTime, Span, span

HOUSE = "~"
"""Begins the name of what the house counts by itself, and no name of the catalogue."""
PREFIX = HOUSE + "limit."
_PERIODS = {"day": DAY, "cycle": CYCLE}


def is_spending(key: str) -> bool:
    """Say whether an accumulator is a limit's."""
    return key.startswith(PREFIX)


def counter_of(limit: SpendingLimit) -> str:
    """Give what the keys of a limit have in common over all its periods."""
    return accumulators.counter_of(accumulators.key(PREFIX + limit.limit_id, "", limit.member))


def key_of(limit: SpendingLimit, cycle_day: int, day: int) -> str:
    """Give the key of the period that contains a local day, counted from 1970-01-01."""
    return accumulators.key(PREFIX + limit.limit_id, _span(limit, cycle_day, day).text, limit.member)


def spent(account: Account, limit: SpendingLimit, now_ms: int) -> int:
    """Give what the period of a moment has counted, micro-units, what sessions keep left out."""
    day = LocalTime(account.terms.zone).day(now_ms // 1000)
    return account.accumulators.get(key_of(limit, account.terms.cycle_day, day), 0)


def resets_ms(account: Account, limit: SpendingLimit, time_ms: int) -> int:
    """Give when the period of a moment ends, UTC."""
    local = LocalTime(account.terms.zone)
    return local.day_begins(_span(limit, account.terms.cycle_day, local.day(time_ms // 1000)).end) * 1000


def _span(limit: SpendingLimit, cycle_day: int, day: int) -> Span:
    return span(_PERIODS[limit.period], day, cycle_day)

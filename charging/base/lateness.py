"""How late a usage may come, and so how long what it needs is kept. One bound, for every kind of state.

A counter that is gone reads as zero: a cap, a tier or a free minute would be given once more, and nobody told. So the
counters of a period stay as long as usage of that period is taken, and usage that comes later is refused by name. What
an expired book has left waits as long (`charging.ledger.commands.top_up`). A counter of days keeps as many days as
that, any longer period the ones that such usage can fall into, and the one before for what rolls over: the bound is
also that of an account's size, some forty numbers for each counter of days.

Usage that looks at no counter and at no book of units is never too late: its price is that of its own time.
"""

from datetime import date, timedelta

from charging.base.accumulators import parts
from charging.base.localtime import month_at
from charging.base.usage import Charge, SealedCharge
from charging.errors import Invalid

TOO_LATE = "USAGE_TOO_LATE"
LATE_DAYS_MAX = 35
"""The longest cycle and four days: roaming files come within a month."""
LATE_MS_MAX = LATE_DAYS_MAX * 86_400_000
LATE_CYCLES_MAX = 3
"""Cycles before the present one of which usage is taken at no price, to be rated with all of its cycle."""
BEFORE_KEPT = 2
"""Periods kept that began before all usage that is taken: the one it may fall into, and the one that rolls into it."""
_CLOCKS_DAYS = 2
"""What two clocks and two zones may differ by, and a day that has begun."""


def refuse_late(charge: Charge | SealedCharge, start_ms: int, now_ms: int) -> None:
    """Raise `Invalid` USAGE_TOO_LATE for the charge of a usage whose counters may be forgotten by now.

    Both times are UTC, milliseconds: when the usage began, and now. Platform and owner ask each by their own clock. A
    charge that reads no counter and no balance, and counts for none, is taken however late.
    """
    if start_ms < now_ms - LATE_MS_MAX and (charge.depends or charge.accruals):
        text = f"at most {LATE_DAYS_MAX} days ago: {now_ms - LATE_MS_MAX} or later"
        raise Invalid(
            TOO_LATE,
            f"the usage began at {start_ms}, and what it counts for is kept no more: it must have begun {text}",
            fields={"event_time_ms": text},
            facts={"days": str(LATE_DAYS_MAX)},
        )


def within_cycles(zone: str, cycle_day: int, start_ms: int, now_ms: int) -> bool:
    """Say whether usage is late and can still be rated with its whole cycle: all later details are rated again, too.

    `zone` and `cycle_day` are the account's; both times are UTC, milliseconds.
    """
    return month_at(zone, cycle_day, now_ms) - month_at(zone, cycle_day, start_ms) <= LATE_CYCLES_MAX


def forgotten(keys: list[str]) -> list[str]:
    """Say which keys of one counter, given all and sorted, no usage can need any more once the newest one counts."""
    if len(keys) <= BEFORE_KEPT:
        return []
    newest = parts(keys[-1]).period
    if not newest.isdigit():
        return []
    day = date(int(newest[:4]), int(newest[4:6]), int(newest[6:]))
    first = (day - timedelta(days=LATE_DAYS_MAX + _CLOCKS_DAYS)).strftime("%Y%m%d")
    before = [key for key in keys if parts(key).period <= first]
    return before[:-BEFORE_KEPT]

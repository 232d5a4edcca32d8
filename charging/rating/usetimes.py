"""What holds at a moment for the uses of one subscriber, and from when until when it does."""

from dataclasses import dataclass

from charging.base.contract import Contract, Subscription
from charging.plans.alike import DAYS_MAX, DayStretch, PlanMemory
from charging.plans.conditions import band_table
from charging.plans.plan import Plan
from charging.plans.prefixes import digits_of


@dataclass(slots=True, eq=False)
class UseTime:
    """A stretch of time in which all is alike for a subscriber but the uses themselves."""

    plan: Plan
    from_ms: int
    until_ms: int
    """UTC, exclusive."""
    day: int
    """Local day, counted from 1970-01-01."""
    bands_until_s: int
    """UTC second up to which no band of the plan begins or ends."""
    subscriptions: list[Subscription]
    """That hold."""
    names: tuple[str, ...]
    """Their offerings."""
    taxed_since: int
    """As `Charge.taxed_since`."""


def use_time(plan: Plan, contract: Contract, start_ms: int) -> UseTime:
    """Give the stretch that a moment lies in; the plan is that of the moment."""
    stretch = stretch_at(plan, start_ms // 1_000)
    held = plan.valid_subscriptions(contract, start_ms)
    first = max(stretch.from_s * 1_000, plan.from_ms, contract.valid_from_ms)
    last = min(stretch.until_s * 1_000, plan.to_ms)
    for each in contract.subscriptions:
        ends = [each.valid_from_ms, each.valid_to_ms]
        if each.offering in plan.limited:
            ends.append(each.valid_from_ms + plan.limited[each.offering])
        for end in ends:
            if end <= start_ms:
                first = max(first, end)
            else:
                last = min(last, end)
    names = tuple([each.offering for each in held])
    since = plan.taxes.since(stretch.day) if plan.taxes.changes else 0
    return UseTime(plan, first, last, stretch.day, stretch.until_s, held, names, since)


def head_of(plan: Plan, party: str) -> str:
    """Give what tables of destinations can see of another party: as many digits as the longest pattern names, and how
    long the number is as far as a pattern asks; all of one that is named in whole, or is no number."""
    memory: PlanMemory = plan.memory
    if memory.head < 0:
        _learn_heads(plan, memory)
    number = digits_of(party)
    size = len(number)
    if size <= memory.head or number in memory.whole or not (number.isascii() and number.isdigit()):
        return number
    return f"{number[: memory.head]}+{min(size, memory.longest + 1)}"


def _learn_heads(plan: Plan, memory: PlanMemory) -> None:
    merged = plan.merged
    patterns = [text for entry in merged.destinations.values() for text in entry.value.prefixes]
    patterns += [text for entry in merged.parties.values() for text in entry.value.prefixes]
    named = [text.rstrip("*") for text in patterns]
    memory.whole = frozenset([text[:-1] for text in named if text.endswith("$") and "?" not in text])
    bodies = [text.rstrip("$") for text in named if not text.endswith("$") or "?" in text]
    memory.head = max([0, *[len(body.rstrip("?")) for body in bodies]])
    memory.longest = max([0, *[len(body) for body in bodies]])


def stretch_at(plan: Plan, at_s: int) -> DayStretch:
    """Give the stretch of a local day that a UTC second lies in; laid out once a day and plan."""
    memory: PlanMemory = plan.memory
    day = plan.local.day(at_s)
    stretches = memory.days.get(day)
    if stretches is None:
        if len(memory.days) >= DAYS_MAX:
            memory.days.clear()
        stretches = memory.days[day] = _stretches(plan, day)
    for stretch in stretches:
        if at_s < stretch.until_s:
            return stretch
    return stretches[-1]


def _stretches(plan: Plan, day: int) -> tuple[DayStretch, ...]:
    local = plan.local
    tables = [band_table([[name]], plan.merged, local) for name in plan.merged.bands]
    at = local.day_begins(day)
    end = local.next_day(at)
    found: list[DayStretch] = []
    while at < end:
        until = min([end, *[table.at(at)[1] for table in tables]])
        found.append(DayStretch(day, at, until))
        at = until
    return tuple(found)

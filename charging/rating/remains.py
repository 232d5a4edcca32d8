"""What is left of the allowances of a contract: of which period, until when, and where a rest came from."""

from functools import lru_cache

from charging.base.account import Account
from charging.base.contract import Contract, Subscription
from charging.base.localtime import CALL, DAY_S, LIFE, WHOLE_LIFE, LocalTime, Span, span
from charging.base.usage import AllowanceLeft
from charging.plans.compiled import CompiledAllowance, GrantedAllowance
from charging.plans.plan import Plan
from charging.rating.freeunits import Source, grant_sources


def allowances(plan: Plan, contract: Contract, account: Account, time_ms: int) -> list[AllowanceLeft]:
    """Give what a contract may still use of its allowances at a moment, UTC, each service's once.

    In order of services, of each in order of consumption; quantities in base units. Books of free units are not among
    them.
    """
    held = plan.valid_subscriptions(contract, time_ms)
    names = tuple([subscription.offering for subscription in held])
    start_s = time_ms // 1000
    day = (start_s + plan.local.offset(start_s)) // DAY_S
    found: dict[tuple[str, str], AllowanceLeft] = {}
    for service in plan.services:
        for grant in plan.profile(service, names).grants:
            for place, source in enumerate(grant_sources(grant, held, contract, account, plan, day)):
                key = (grant.allowance.name, source.keys[0] if source.keys else "")
                found[key] = _left(plan, grant, held, source, place, contract, account, day)
    return list(found.values())


def _left(
    plan: Plan,
    grant: GrantedAllowance,
    held: list[Subscription],
    source: Source,
    place: int,
    contract: Contract,
    account: Account,
    day: int,
) -> AllowanceLeft:
    allowance, cycle_day = grant.allowance, account.terms.cycle_day
    used = account.accumulators.get(source.keys[0], 0) if source.keys else 0
    remaining = max(0, min(source.left, source.cap_left) if source.cap_key else source.left)
    of = [held[grant.places[place]]] if allowance.by_subscription else [held[each] for each in grant.places]
    period = span(allowance.counter.period, day, cycle_day)
    begins_ms, ends_ms = _bounds_ms(plan, allowance, period, of)
    roll = allowance.roll_counter
    rolled = roll is not None and roll.key(contract.identity, cycle_day, day) in source.keys
    return AllowanceLeft(
        allowance.name,
        source.label,
        allowance.unit,
        source.quota,
        used,
        remaining,
        WHOLE_LIFE if allowance.counter.period == CALL else period.text,
        begins_ms,
        ends_ms,
        allowance.member_cap,
        account.accumulators.get(source.cap_key, 0) if source.cap_key else 0,
        allowance.counter.shared,
        period.previous_text if rolled else "",
        of[0].valid_from_ms if allowance.by_subscription else 0,
    )


def _bounds_ms(plan: Plan, allowance: CompiledAllowance, period: Span, of: list[Subscription]) -> tuple[int, int]:
    """Give when a period began and when what is left lapses, UTC: with the period, or with the last subscription."""
    ends = [_end_ms(plan, each) for each in of]
    over_ms = 0 if 0 in ends else max(ends)
    if allowance.by_subscription or allowance.counter.period in (CALL, LIFE):
        return min(each.valid_from_ms for each in of), over_ms
    begins_ms, ends_ms = _day_ms(plan.local, period.start), _day_ms(plan.local, period.end)
    return begins_ms, min(ends_ms, over_ms) if over_ms else ends_ms


@lru_cache(maxsize=4_096)
def _day_ms(local: LocalTime, day: int) -> int:
    """Give when a local day begins, UTC: all accounts of a region ask for the same few."""
    return local.day_begins(day) * 1000


def _end_ms(plan: Plan, held: Subscription) -> int:
    """Give when a subscription ends, by itself or by the catalogue; 0 = never."""
    lasts_ms = plan.limited.get(held.offering, 0)
    return held.valid_to_ms or (held.valid_from_ms + lasts_ms if lasts_ms else 0)

"""Whether spending limits allow what would be charged or kept; the owner of the account says so, alone."""

from charging.base.account import Account, SpendingLimit
from charging.base.accumulators import counter_of as key_counter
from charging.base.accumulators import parts
from charging.base.localtime import day_of
from charging.base.spending import counter_of, is_spending, resets_ms
from charging.errors import Refused
from charging.ledger.funds import Pairs

NOON_MS = 43_200_000
DAY_MS = 86_400_000


def hold(account: Account, accruals: Pairs) -> None:
    """Refuse SPENDING_LIMIT_REACHED what would pass a limit, with what open sessions keep counted as spent."""
    for key, amount in accruals:
        if amount <= 0 or not is_spending(key):
            continue
        limit = _limit_of(account, key)
        if limit is None:
            continue
        before = account.accumulators.get(key, 0) + _kept(account, key)
        if before + amount > limit.amount:
            raise _reached(account, limit, key, before, amount)


def warned(before: Account, after: Account) -> list[str]:
    """Give the notices of limits whose mark, or end, the spending of a period has reached by a change."""
    notices: list[str] = []
    if before.accumulators is after.accumulators:
        return notices
    for limit in after.terms.limits:
        counter = counter_of(limit)
        for key, spent in after.accumulators.items():
            known = before.accumulators.get(key, 0)
            if spent == known or not is_spending(key) or key_counter(key) != counter:
                continue
            # Exactly: a hundredth of a micro-unit is no rounding's to decide.
            if limit.warn_percent and known * 100 < limit.amount * limit.warn_percent <= spent * 100:
                notices.append(f"spending:{limit.limit_id}")
            if known < limit.amount <= spent:
                notices.append(f"spending-reached:{limit.limit_id}")
    return notices


def without(accumulators: dict[str, int], limit: SpendingLimit) -> dict[str, int]:
    """Give accumulators without those of a limit."""
    counter = counter_of(limit)
    return {key: spent for key, spent in accumulators.items() if not is_spending(key) or key_counter(key) != counter}


def _limit_of(account: Account, key: str) -> SpendingLimit | None:
    counter = key_counter(key)
    return next((limit for limit in account.terms.limits if counter_of(limit) == counter), None)


def _kept(account: Account, key: str) -> int:
    return sum(
        amount
        for session in account.open.sessions
        for hold in session.holds
        for known, amount in hold.reserved_accruals
        if known == key
    )


def _reached(account: Account, limit: SpendingLimit, key: str, before: int, amount: int) -> Refused:
    period = parts(key).period
    day = day_of(f"{period[:4]}-{period[4:6]}-{period[6:]}")
    # Noon of its first day, whatever the zone does at midnight.
    resets = resets_ms(account, limit, day * DAY_MS + NOON_MS)
    whose = limit.member or "the account"
    text = (
        f"{whose} may spend {limit.amount} a {limit.period}, and {before} is spent or kept: {amount} more is too much"
    )
    return Refused(
        "SPENDING_LIMIT_REACHED",
        text,
        facts={
            "limit": limit.limit_id,
            "most": str(limit.amount),
            "spent": str(before),
            "asked": str(amount),
            "resets_ms": str(resets),
        },
    )

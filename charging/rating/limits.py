"""Which spending limits of an account a usage counts for, and how much."""

from charging.base.account import Account, SpendingLimit
from charging.base.contract import Contract
from charging.base.spending import key_of
from charging.base.usage import Usage
from charging.plans.plan import Plan


def counted(
    plan: Plan, usage: Usage, contract: Contract, account: Account, amount: int, day: int
) -> list[tuple[str, int]]:
    """Give what limits of an account count of a charge, micro-units; `day` is the local day on which usage began."""
    cycle_day = account.terms.cycle_day
    return [
        (key_of(limit, cycle_day, day), amount)
        for limit in account.terms.limits
        if _concerns(plan, limit, usage, contract, account)
    ]


def _concerns(plan: Plan, limit: SpendingLimit, usage: Usage, contract: Contract, account: Account) -> bool:
    """Say whether a usage is in a limit's scope. A scope that the catalogue has no more is no border: it protects."""
    if limit.member not in ("", usage.identity) or (limit.services and usage.service not in limit.services):
        return False
    scope = plan.allowances.get(limit.scope) if limit.scope else None
    return scope is None or all(test(usage, contract, account) for test in scope.tests)

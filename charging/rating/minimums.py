"""Minimums of closed periods: a fee in arrears less what was used (`minus`), looked at again when usage came late.

What was posted is given back and posted anew, newest first, since a mark says only where the newest posting ends; where
nothing differs the two add up to nothing. It is done as long as the account keeps the counter: one that is forgotten
reads as nothing used, and the minimum would be asked for once more.
"""

from charging.base.account import Account
from charging.base.contract import Contract, Subscription
from charging.base.due import Due
from charging.catalogue.offers import Fee
from charging.ledger.accruals import is_kept
from charging.ledger.feemarks import mark_of, postings
from charging.plans.plan import Plan
from charging.rating.closing import begins_ms, ended_ms
from charging.rating.due_fees import PlanAt, given_back, of_time


def late_minimums(
    plan_at: PlanAt, contract: Contract, held: Subscription, account: Account, fee_id: str, value: Fee
) -> list[Due]:
    """Give what of a minimum is to be given back because usage of its time came late, newest first; () = nothing."""
    months = {key.origin for key in account.buckets.keys if key.origin and not key.kind} if value.minus else set()
    mark = mark_of(account, contract.identity, held.offering, fee_id) if months else None
    if mark is None:
        return []
    spans = [(begins_ms(account, month), ended_ms(account, month)) for month in months]
    posted = [each for each in postings(mark) if each.from_ms >= held.valid_from_ms]
    wrong = 0
    for place, each in enumerate(posted, 1):
        if any(each.from_ms < over and begun < each.to_ms for begun, over in spans):
            plan = plan_at(each.from_ms)
            if _counts(plan, contract, account, fee_id, each.from_ms):
                now = of_time(plan, fee_id, contract, account, held, each.from_ms, each.to_ms)
                wrong = place if now.amount != each.amount else wrong
    if not all(_counts(plan_at(each.from_ms), contract, account, fee_id, each.from_ms) for each in posted[:wrong]):
        return []
    return [
        due
        for each in posted[:wrong]
        for due in given_back(plan_at, contract, account, held, each, each.from_ms, last=False)
    ]


def _counts(plan: Plan, contract: Contract, account: Account, fee_id: str, from_ms: int) -> bool:
    """Say whether the account still has what a minimum of a time was less by."""
    fee = plan.fees.get(fee_id)
    if fee is None or fee.minus is None:
        return False
    day = plan.local.day(from_ms // 1000)
    return is_kept(account, fee.minus.key(contract.identity, account.terms.cycle_day, day))

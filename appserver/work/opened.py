"""What an account is opened with: when it begins, whether it is sold so, and what it costs.

What begins with the account is sold under the rules of `subscribe`, and its fees are posted in the same act. What began
before comes from elsewhere, where it was paid for: it is taken as it stands, of whoever is granted "open_account_past".
"""

from msgspec.structs import replace

from appserver.reference import DomainReference
from appserver.work.granting import may
from appserver.work.items import OpeningItem
from charging.base.contract import Subscription
from charging.ledger.commands.open_account import OpenAccount, began_before, require_new
from charging.ledger.revising import started
from charging.plans.plan import Plan
from charging.rating.due_fees import of_change
from charging.rating.selling import check_change
from charging.rating.terms import check_terms

PAST = "open_account_past"
_PATH = "open_account.contract.subscriptions"


def opened_on(order: OpenAccount, item: OpeningItem, reference: DomainReference, now_ms: int) -> OpenAccount:
    """Complete an opening by moments, the ends that the catalogue gives, and fees.

    A beginning of 0 is now; of a caller who may bring the past it is what it is: never told. Raises `Refused`
    OPENED_IN_PAST, and what `charging.ledger.revising.started`, `charging.rating.selling.check_change`,
    `charging.rating.terms.check_terms` and `charging.rating.due_fees.of_change` raise.
    """
    contract = order.contract
    if not may(item, PAST, reference):
        begun = [each if each.valid_from_ms else replace(each, valid_from_ms=now_ms) for each in contract.subscriptions]
        contract = replace(contract, subscriptions=tuple(begun))
        require_new(contract, now_ms)
    old = tuple([each for each in contract.subscriptions if began_before(each, now_ms)])
    new = [each for each in contract.subscriptions if not began_before(each, now_ms)]
    order = replace(order, contract=contract, carried=bool(old))
    if not new or not reference.sells:
        return order
    plan_at = reference.timeline.plan_at
    before = after = replace(contract, subscriptions=old)
    for each in new:
        after = started(after, _completed(each, plan_at(each.valid_from_ms), now_ms), now_ms, _PATH)
    for each in new:
        check_change(plan_at, after, each.offering, each.valid_from_ms, now_ms, _PATH)
    order = replace(order, contract=after)
    account = order.state(now_ms)
    check_terms(plan_at, before, after, account, _PATH, changes=False, at_ms=now_ms)
    return replace(order, dues=of_change(plan_at, before, after, account, now_ms, changes=False, at_ms=now_ms))


def _completed(new: Subscription, plan: Plan, now_ms: int) -> Subscription:
    """Fill in the end of an offering that lasts for a time only, and when its first fees are due."""
    begins_ms, lasts_ms = new.valid_from_ms, plan.limited.get(new.offering, 0)
    ends_ms = new.valid_to_ms or (begins_ms + lasts_ms if lasts_ms else 0)
    return replace(new, valid_to_ms=ends_ms, first_fees="activation" if begins_ms > now_ms else "")

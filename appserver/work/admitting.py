"""Members that an account takes in → commands for the owner: their moment, what the catalogue says, and their fees."""

from typing import TypeVar

from msgspec.structs import replace

from appserver.reference import DomainReference
from charging.base.account import Account
from charging.base.contract import Contract
from charging.base.fields import NEXT_CYCLE
from charging.base.localtime import next_cycle_ms
from charging.errors import Refused
from charging.ledger.commands.join import Join
from charging.ledger.commands.reopen_account import NEVER, Reopen
from charging.rating.due_fees import of_change
from charging.rating.selling import check_change
from charging.rating.terms import check_terms

DAY_MS = 86_400_000
OrderT = TypeVar("OrderT", Join, Reopen)


def joined_on(order: Join, account: Account, reference: DomainReference, now_ms: int) -> Join:
    """Complete a joining by its moment, the end that the catalogue gives, and fees. Raises as `_priced`."""
    from_ms = order.from_ms
    if not from_ms:
        local = reference.timeline.local
        from_ms = next_cycle_ms(local, now_ms, account.terms.cycle_day) if order.when == NEXT_CYCLE else now_ms
    return _priced(replace(order, from_ms=from_ms), account, reference, now_ms, "join.offering")


def reopened_on(order: Reopen, account: Account, reference: DomainReference, now_ms: int) -> Reopen:
    """Complete a reopening by how far back the catalogue allows it, and by its member's fees. Raises as `_priced`."""
    days = reference.timeline.plan_at(now_ms).merged.reopen_days if reference.sells else 0
    order = replace(order, from_ms=now_ms, closed_since_ms=now_ms - days * DAY_MS if days else NEVER)
    return _priced(order, account, reference, now_ms, "reopen_account.offering") if order.member else order


def _priced(order: OrderT, account: Account, reference: DomainReference, now_ms: int, path: str) -> OrderT:
    """Complete it by the end of its offering, and by fees.

    Raises what `charging.rating.selling.check_change`, `charging.rating.terms.check_terms` and
    `charging.rating.due_fees.of_change` raise. What the account itself says against it the owner refuses, under its
    key.
    """
    if not order.offering or not reference.sells:
        return order
    plan_at, from_ms = reference.timeline.plan_at, order.from_ms
    lasts_ms = plan_at(from_ms).limited.get(order.offering, 0)
    order = replace(order, ends_ms=from_ms + lasts_ms if lasts_ms else 0)
    try:
        after = order.begun(account, now_ms)
    except Refused:
        return order
    check_change(plan_at, after, order.offering, from_ms, now_ms, path)
    before = Contract(order.member, account.account_id, account.terms.domain)
    check_terms(plan_at, before, after, account, path, changes=False, at_ms=from_ms)
    dues = of_change(plan_at, before, after, account, now_ms, changes=False, at_ms=from_ms)
    return replace(order, dues=dues, begins_later=from_ms > now_ms)

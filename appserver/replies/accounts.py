"""Accounts with their members → protobuf replies."""

from collections.abc import Sequence

from onetier.v1 import service_desk_pb2 as desk

from charging.base import accumulators
from charging.base.account import Account, SpendingLimit
from charging.base.spending import spent
from charging.plans.compiled import CompiledAllowance


def fill_account(view: desk.AccountView, account: Account, members: Sequence[str], next_cursor: str) -> None:
    """Write an account, with one page of its members."""
    terms = account.terms
    view.account_id = account.account_id
    view.customer_id = account.customer_id
    view.payer_account_id = account.open.payers[-1][1] if account.open.payers else ""
    view.payee_account_ids.extend(account.open.payees)
    view.domain = terms.domain
    view.status = terms.status
    view.status_reason = terms.status_reason
    view.payment_mode = terms.payment_mode
    view.currency = terms.currency
    view.credit_limit = terms.credit_limit
    view.cycle_day = terms.cycle_day
    view.account_attributes.update(terms.attributes)
    view.customer_attributes.update(terms.customer_attributes)
    view.agreements.extend(terms.agreements)
    for mark in terms.thresholds:
        view.thresholds.add(threshold_id=mark.threshold_id, watches=mark.watches, mark=mark.mark)
    view.version = account.version
    view.members_count = len(account.members)
    for member in members:
        view.members.add(identity=member)
    view.next_cursor = next_cursor


def fill_cap(limit: desk.MemberLimit, allowance: CompiledAllowance, key: str, used: int) -> None:
    """Write what a member may use of a shared allowance; `key` is of what it has used in the period."""
    limit.kind = "allowance"
    limit.of = allowance.name
    limit.unit = allowance.unit
    limit.period = accumulators.parts(key).period
    limit.cap = allowance.member_cap
    limit.used = used
    limit.remaining = max(0, allowance.member_cap - used)


def fill_spending(row: desk.MemberView, account: Account, now_ms: int) -> None:
    """Write what a member may spend; the limits of all together are in the balance."""
    for limit in account.terms.limits:
        if limit.member == row.identity:
            _spending(row.limits.add(), account, limit, now_ms)


def _spending(into: desk.MemberLimit, account: Account, limit: SpendingLimit, now_ms: int) -> None:
    used = spent(account, limit, now_ms)
    into.kind = "spending"
    into.of = limit.limit_id
    into.unit = "money"
    into.period = limit.period
    into.cap = limit.amount
    into.used = used
    into.remaining = max(0, limit.amount - used)

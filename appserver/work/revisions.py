"""Changes of what a contract subscribes to → commands for the owner: their moment, and what the catalogue says."""

from msgspec.structs import replace

from appserver.reference import DomainReference
from charging.base.account import Account
from charging.base.contract import Contract
from charging.base.fields import NEXT_CYCLE
from charging.base.localtime import next_cycle_ms
from charging.errors import Refused
from charging.ledger.commands.change_identity import ChangeIdentity
from charging.ledger.commands.change_plan import ChangePlan
from charging.ledger.commands.leave import Leave
from charging.ledger.commands.pause import Pause
from charging.ledger.commands.resume import Resume
from charging.ledger.commands.subscribe import Subscribe
from charging.ledger.commands.unsubscribe import Unsubscribe
from charging.ledger.revising import PAST_MS_MAX, Late, as_of
from charging.rating.due_fees import of_change
from charging.rating.past_changes import check_past, of_past_change
from charging.rating.selling import check_change
from charging.rating.terms import check_terms, counted

DAY_MS = 86_400_000
Dated = Subscribe | Unsubscribe | ChangePlan | Pause | Resume
Priced = Dated | Leave | ChangeIdentity
"""Changes of what a contract subscribes to, or of whom it is for."""


def decided_on(
    order: Priced,
    contract: Contract,
    account: Account,
    reference: DomainReference,
    now_ms: int,
    *,
    may_past: bool = False,
    path: str = "",
) -> Priced:
    """Complete a change by its moment, the end that the catalogue gives, the contract that it was decided on, and fees.

    `may_past` says that its sender may let it hold from the past; `path` names the field of the offering, where that is
    not the change's own. Raises what `charging.rating.selling.check_change`,
    `charging.rating.due_fees.of_change` and `charging.rating.past_changes` raise. What the contract itself says against
    it the owner refuses, so that the refusal stays under its key.
    """
    ready = _ready(order, contract, account, reference, now_ms)
    if isinstance(ready, ChangeIdentity):
        return ready
    if may_past and not isinstance(ready, Leave):
        ready = _late(ready, contract, account, reference, now_ms)
    if not reference.sells or order.expected_version not in (0, contract.version):
        return ready
    if isinstance(ready, Subscribe | ChangePlan):
        ready = _limited(ready, reference)
    try:
        after = ready.of(contract, now_ms)
    except Refused:
        return ready
    plan_at = reference.timeline.plan_at
    changes = isinstance(ready, ChangePlan)
    if isinstance(ready, Leave):
        check_terms(plan_at, contract, after, account, _path(ready), changes=changes, at_ms=now_ms)
        dues = of_change(plan_at, contract, after, account, now_ms, changes=False, at_ms=now_ms)
        return replace(ready, dues=dues, begun=counted(plan_at, contract, account, now_ms))
    at_ms = _begins_ms(ready)
    check_change(plan_at, after, _added(ready), at_ms, as_of(ready.late, at_ms, now_ms), path or _path(ready))
    check_terms(plan_at, contract, after, account, path or _path(ready), changes=changes, at_ms=at_ms)
    if ready.late is not None:
        dues = of_past_change(plan_at, contract, after, account, at_ms, now_ms, changes=changes)
    else:
        dues = of_change(plan_at, contract, after, account, now_ms, changes=changes, at_ms=at_ms)
    if isinstance(ready, Subscribe | ChangePlan):
        return replace(ready, dues=dues, begins_later=at_ms > now_ms)
    return replace(ready, dues=dues)


def _late(order: Dated, contract: Contract, account: Account, reference: DomainReference, now_ms: int) -> Dated:
    """Mark a change that holds from the past, where the catalogue lets it; raises what `check_past` raises."""
    at_ms = _begins_ms(order)
    if at_ms >= now_ms - PAST_MS_MAX or not reference.sells:
        return order
    plan = reference.timeline.plan_at(now_ms)
    if not plan.merged.past_days:
        return order
    check_past(plan, contract, account, at_ms, now_ms)
    return replace(order, late=Late(account.terms.closed))


def _ready(order: Priced, contract: Contract, account: Account, reference: DomainReference, now_ms: int) -> Priced:
    if isinstance(order, Leave | ChangeIdentity):
        rests_ms = rests_until_ms(reference, now_ms)
        if isinstance(order, Leave) and order.to_account_id:
            rests_ms = max(rests_ms, now_ms + DAY_MS)  # Else somebody else could have it before that account does.
        return replace(order, before=contract, rests_until_ms=rests_ms)
    return replace(_timed(order, account, reference, now_ms), before=contract)


def rests_until_ms(reference: DomainReference, now_ms: int) -> int:
    """Give until when an identity rests that is let go now, as the catalogue says, UTC; 0 = it doesn't."""
    if not reference.sells:
        return 0
    days = reference.timeline.plan_at(now_ms).merged.quarantine_days
    return now_ms + days * DAY_MS if days else 0


def _timed(order: Dated, account: Account, reference: DomainReference, now_ms: int) -> Dated:
    """Fill in the moment that is not named."""
    at_ms = _begins_ms(order)
    if not at_ms:
        local = reference.timeline.local
        at_ms = next_cycle_ms(local, now_ms, account.terms.cycle_day) if order.when == NEXT_CYCLE else now_ms
    if isinstance(order, Subscribe):
        return replace(order, valid_from_ms=at_ms)
    if isinstance(order, Pause):
        return replace(order, from_ms=at_ms)
    return replace(order, at_ms=at_ms)


def _limited(order: Subscribe | ChangePlan, reference: DomainReference) -> Subscribe | ChangePlan:
    """Fill in the end of an offering that lasts for a time only."""
    at_ms = _begins_ms(order)
    lasts_ms = reference.timeline.plan_at(at_ms).limited.get(_added(order), 0)
    if not lasts_ms:
        return order
    if isinstance(order, ChangePlan):
        return replace(order, ends_ms=at_ms + lasts_ms)
    return order if order.valid_to_ms else replace(order, valid_to_ms=at_ms + lasts_ms)


def _begins_ms(order: Dated) -> int:
    match order:
        case Subscribe():
            return order.valid_from_ms
        case Pause():
            return order.from_ms
    return order.at_ms


def _added(order: Dated) -> str:
    match order:
        case Subscribe():
            return order.offering
        case ChangePlan():
            return order.to_offering
    return ""


def _path(order: Priced) -> str:
    match order:
        case Subscribe():
            return "subscribe.offering"
        case ChangePlan():
            return "change_plan.to_offering"
        case Pause():
            return "pause.offering"
        case Resume():
            return "resume.offering"
        case Leave():
            return "leave"
    return "unsubscribe.offering"

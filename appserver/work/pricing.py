"""Steps of sessions: planned with the catalogue of the region, unit by unit."""

from msgspec.structs import replace

from appserver.reading.asks import SessionOrder
from appserver.reading.request import Request
from appserver.reference import DomainReference
from charging.base.account import Account
from charging.base.contract import Contract
from charging.base.lateness import refuse_late
from charging.base.usage import Charge, Usage
from charging.errors import Invalid
from charging.ledger.commands.step_session import StepSession
from charging.ledger.standing import require_serving, serving_until
from charging.plans.plan import Plan
from charging.rating import rating
from charging.rating.pieces import piece_end
from charging.rating.quotas import quota_terms
from charging.rating.session_asks import Pricing, SessionAsk
from charging.rating.sessions import plan


def session_step(
    request: Request,
    order: SessionOrder,
    account: Account,
    contract: Contract,
    reference: DomainReference,
    now_ms: int,
    validity_ms: int,
) -> StepSession:
    """Plan a step on the account as it is; quota is good for `validity_ms`, and no longer than until a pause.

    Raises what planning raises, and `Refused` CONTRACT_SUSPENDED for a session that would begin in a pause.
    """
    if order.operation == "create":
        require_serving(contract, now_ms)

    def rate_used(catalogue: Plan, usage: Usage, held: Contract, view: Account) -> Charge:
        if usage.visited:
            reference.check_place(usage.visited, "session.units.visited_place")
        if usage.start_ms < held.valid_from_ms:
            raise before_contract(held)
        charge = rating.rate_sum(catalogue, usage, held, view)
        refuse_late(charge, usage.start_ms, now_ms)
        return charge

    pricing = Pricing(
        reference.timeline.plan_at,
        rate_used,
        rating.rate_quota,
        rating.quantity_max,
        rating.next_switch,
        piece_end,
        quota_terms,
    )
    ask = SessionAsk(
        order.session_id,
        order.operation,
        order.invocation,
        request.identity,
        tuple(unit if unit.time_ms else replace(unit, time_ms=request.time_ms) for unit in order.units),
        serving_until(contract, now_ms, now_ms + validity_ms),
        request.time_ms,
        now_ms,
        contract.serves_at(now_ms),
    )
    return plan(pricing, account, contract, ask)


def before_contract(contract: Contract) -> Invalid:
    """Make the fault of an event that began before its contract did: EVENT_BEFORE_CONTRACT."""
    text = f"{contract.valid_from_ms} or later"
    return Invalid(
        "EVENT_BEFORE_CONTRACT",
        f"the event began before the contract did: the contract is valid from {contract.valid_from_ms}",
        fields={"event_time_ms": text},
    )

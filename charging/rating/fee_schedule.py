"""Which recurring fees of a contract are due at a moment: the schedule that a billing run posts.

A fee in advance is due as its period begins, one in arrears when it is over. Where the last posting ended, the next one
begins (`charging.base.feemark.FeeMark`), so no day is paid for twice and none is missed, however late or often somebody
asks. What was never posted begins with the oldest period of the account that is still open: what lies before was never
this system's to bill.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

from charging.base.account import Account
from charging.base.bounds import DUES_MAX
from charging.base.contract import Contract, Subscription
from charging.base.due import Due
from charging.catalogue.offers import Fee
from charging.ledger.dues import Dues
from charging.ledger.feemarks import mark_of
from charging.ledger.ledger import seal
from charging.plans.plan import Plan
from charging.rating.closing import ended_ms
from charging.rating.due_fees import (
    PlanAt,
    day_after_ms,
    due_of,
    fees_of,
    of_time,
    once,
    period_end_ms,
)
from charging.rating.minimums import late_minimums

PLAIN_MAX = 10_000
"""Fees of different times whose charges are remembered by a plan."""


def schedule(plan_at: PlanAt, contracts: Sequence[Contract], account: Account, now_ms: int) -> Dues:
    """Give what is due of all members of an account, as much as one command posts: ask again when it did.

    Raises what `charging.rating.fees.fee` raises.
    """
    due = tuple(islice(coming(plan_at, contracts, account, now_ms), DUES_MAX))
    return Dues(due, account.version, account.mark) if due else Dues()


def coming(plan_at: PlanAt, contracts: Sequence[Contract], account: Account, until_ms: int) -> Iterator[Due]:
    """Give all that will be due until a moment, member by member, by the account and the contracts as they are.

    Raises what `charging.rating.fees.fee` raises.
    """
    begins_ms = oldest_ms(account)
    for contract in contracts:
        for held in contract.subscriptions:
            yield from due_since(plan_at, contract, held, account, begins_ms, until_ms)


def falls_due_ms(plan: Plan, due: Due) -> int:
    """Give when a fee falls due, UTC: as its time begins, or of one in arrears when it is over."""
    entry = plan.merged.fees.get(due.fee)
    late = entry is not None and entry.value.kind == "recurring" and entry.value.charged == "arrears"
    return due.to_ms if late else due.from_ms


def oldest_ms(account: Account) -> int:
    """Give when the oldest open period of an account began, UTC; 0 = none was ever closed."""
    terms = account.terms
    if not terms.closed:
        return 0
    return ended_ms(account, terms.closed)


def due_since(
    plan_at: PlanAt, contract: Contract, held: Subscription, account: Account, begins_ms: int, now_ms: int
) -> Iterator[Due]:
    """Give what of a subscription is due and not posted since a moment; before it nothing is."""
    if held.valid_from_ms > now_ms or contract.status == "ended":
        return
    if held.first_fees and begins_ms <= held.valid_from_ms == held.began_ms:
        yield from _first(plan_at, contract, held, account)
    plan = plan_at(now_ms)
    for fee_id, value in fees_of(plan, held.offering):
        if value.kind != "recurring" or not (value.while_paused == "due" or contract.serves_at(now_ms)):
            continue
        mark = mark_of(account, contract.identity, held.offering, fee_id)
        from_ms = max(held.valid_from_ms, begins_ms, mark.to_ms if mark is not None else 0)
        if value.minus and mark is not None:
            again = late_minimums(plan_at, contract, held, account, fee_id, value)
            yield from again
            if again or mark.from_ms == mark.to_ms:
                # What was given back is posted anew, however long ago its time was.
                from_ms = max(held.valid_from_ms, again[-1].from_ms if again else mark.to_ms)
        if value.while_paused == "stops" and contract.paused_to_ms <= now_ms:
            if 0 < held.valid_to_ms <= contract.paused_to_ms:
                continue  # It ended while it was paused, and no day of it was begun since.
            from_ms = max(from_ms, contract.paused_to_ms)
        yield from _periods(plan_at, contract, held, account, fee_id, value, from_ms, now_ms)


def _first(plan_at: PlanAt, contract: Contract, held: Subscription, account: Account) -> Iterator[Due]:
    """Give one-time fees of what began later than it was taken, once it did; the mark says that they were posted."""
    plan = plan_at(held.valid_from_ms)
    for fee_id, value in fees_of(plan, held.offering):
        if value.kind == "one_time" and value.event == held.first_fees:
            mark = mark_of(account, contract.identity, held.offering, fee_id)
            if mark is None or mark.from_ms < held.valid_from_ms:
                yield from once(plan, contract, account, held, fee_id, held.valid_from_ms)


def _periods(
    plan_at: PlanAt,
    contract: Contract,
    held: Subscription,
    account: Account,
    fee_id: str,
    value: Fee,
    from_ms: int,
    now_ms: int,
) -> Iterator[Due]:
    now = plan_at(now_ms)
    end_ms = day_after_ms(now.local, held.valid_to_ms) if held.valid_to_ms else 0
    while from_ms <= now_ms and not 0 < end_ms <= from_ms:
        over_ms = _over_ms(now, fee_id, value, from_ms, account.terms.cycle_day)
        to_ms = min(over_ms, end_ms) if end_ms else over_ms
        if value.charged == "arrears" and to_ms > now_ms:
            return
        plan: Plan = plan_at(from_ms)
        if fee_id in plan.fees:
            yield _due(plan, contract, held, account, fee_id, from_ms, to_ms)
        from_ms = to_ms


def _over_ms(plan: Plan, fee_id: str, value: Fee, from_ms: int, cycle_day: int) -> int:
    """Give when the time of a fee is over that goes on at a moment: all who pay it have the same few."""
    known, key = plan.fee_ends, (fee_id, from_ms, cycle_day)
    over_ms = known.get(key)
    if over_ms is None:
        if len(known) >= PLAIN_MAX:
            known.clear()
        over_ms = known[key] = period_end_ms(plan.local, value, from_ms, cycle_day)
    return over_ms


def _due(
    plan: Plan, contract: Contract, held: Subscription, account: Account, fee_id: str, from_ms: int, to_ms: int
) -> Due:
    """Charge a fee for a time. Where nothing makes it another one for somebody, it is worked out once for all."""
    offering = held.offering
    if not plan.is_plain(fee_id):
        charge = of_time(plan, fee_id, contract, account, held, from_ms, to_ms)
        return due_of(plan, contract, offering, fee_id, from_ms, to_ms, charge)
    known, key = plan.plain_fees, (fee_id, offering, held.quantity, account.terms.cycle_day, from_ms, to_ms)
    sealed = known.get(key)
    if sealed is None:
        if len(known) >= PLAIN_MAX:
            known.clear()
        sealed = known[key] = seal(of_time(plan, fee_id, contract, account, held, from_ms, to_ms))
    return Due(contract.identity, offering, fee_id, plan.fees[fee_id].item, from_ms, to_ms, sealed)

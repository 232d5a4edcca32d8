"""A change of a contract that holds from a moment in the past: whether it may, and which fees it brings.

It is as if it had been done then: what it ends is given back as of that moment, what it begins is charged as of then
and, period by period, until now. Fees alone: what was used since stays as it was charged, until it is rated again.
"""

from collections.abc import Iterable, Iterator

from charging.base.account import Account
from charging.base.bounds import DUES_MAX
from charging.base.contract import Contract
from charging.base.due import Due
from charging.base.localtime import month_at, month_text
from charging.errors import Invalid, Refused
from charging.ledger.dues import Dues, marked
from charging.ledger.feemarks import known_since_ms
from charging.ledger.revising import moment
from charging.plans.plan import Plan
from charging.rating.due_fees import PlanAt, of_change
from charging.rating.fee_schedule import due_since

DAY_MS = 86_400_000


def check_past(plan: Plan, contract: Contract, account: Account, at_ms: int, now_ms: int) -> None:
    """Refuse a change from a moment in the past that the catalogue of now, or what is still known, does not let be.

    Raises `Refused` CHANGE_TOO_FAR_BACK, CHANGE_BEFORE_CONTRACT, CHANGE_IN_CLOSED_PERIOD.
    """
    marks = [each for each in account.open.fees if each.identity == contract.identity]
    known_ms = max([known_since_ms(each) for each in marks], default=0)
    earliest_ms = max(now_ms - plan.merged.past_days * DAY_MS, known_ms)
    if at_ms < earliest_ms:
        text = f"a change may hold from {moment(earliest_ms)} on at the earliest"
        raise Refused("CHANGE_TOO_FAR_BACK", text, facts={"earliest_ms": str(earliest_ms)})
    if at_ms < contract.valid_from_ms:
        text = f"the contract begins at {moment(contract.valid_from_ms)}: nothing of it changes before"
        raise Refused("CHANGE_BEFORE_CONTRACT", text, facts={"begins_ms": str(contract.valid_from_ms)})
    terms = account.terms
    if plan.merged.past_closed == "refuse" and month_at(terms.zone, terms.cycle_day, at_ms) <= terms.closed:
        closed = month_text(terms.closed)
        text = f"period {closed} is closed, and by the catalogue nothing changes in what is closed"
        raise Refused("CHANGE_IN_CLOSED_PERIOD", text, facts={"closed": closed})


def of_past_change(
    plan_at: PlanAt, before: Contract, after: Contract, account: Account, at_ms: int, now_ms: int, *, changes: bool
) -> Dues:
    """Give the fees of a change that holds from a moment in the past, credits first.

    Raises `Invalid` CHANGE_TOO_LARGE, and what `charging.rating.due_fees.of_change` raises.
    """
    then = of_change(plan_at, before, after, account, at_ms, changes=changes, at_ms=at_ms)
    state = _following(account, then.fees)
    fees = list(then.fees)
    for offering in _changed(before, after):
        for held in after.subscriptions:
            if held.offering == offering:
                since = list(due_since(plan_at, after, held, state, at_ms, now_ms))
                state = _following(state, since)
                fees += since
    if len(fees) > DUES_MAX:
        text = f"at most {DUES_MAX} fees and credits come with one change: let it hold from a later moment, or in steps"
        raise Invalid("CHANGE_TOO_LARGE", text, facts={"fees": str(len(fees))})
    return Dues(tuple(fees), account.version, account.mark) if fees else Dues()


def _changed(before: Contract, after: Contract) -> Iterator[str]:
    """Give the offerings whose time is another one than it was."""
    paused = (before.paused_from_ms, before.paused_to_ms) != (after.paused_from_ms, after.paused_to_ms)
    known = () if paused else before.subscriptions
    yield from dict.fromkeys(each.offering for each in after.subscriptions if each not in known)


def _following(account: Account, fees: Iterable[Due]) -> Account:
    for due in fees:
        account = marked(account, due)
    return account

"""Terms of offerings that a change of a contract has to keep: how long they are kept, and how often they are taken."""

from charging.base.account import Account
from charging.base.contract import Contract
from charging.base.localtime import PERIODS, span
from charging.errors import Invalid
from charging.rating.due_fees import PAUSE, RESUME, PlanAt, begins, ends, months_left, sold_then


def check_terms(
    plan_at: PlanAt,
    before: Contract,
    after: Contract,
    account: Account,
    path: str,
    *,
    changes: bool,
    at_ms: int,
) -> None:
    """Refuse a change that ends what must be kept longer, or takes something more often than it is sold.

    By the terms under which it was taken; `at_ms` is the moment of the change, `path` names the field.
    Raises `Invalid` MINIMUM_TERM, TAKEN_TOO_OFTEN.
    """
    for held, end_ms, event in ends(before, after, at_ms, changes=changes):
        sold = sold_then(plan_at, held.offering, held.began_ms)
        local = plan_at(end_ms).local
        if event == PAUSE or sold is None or not sold.minimum_months or sold.early_end:
            continue
        if months_left(local, held.began_ms, end_ms, sold.minimum_months):
            text = f"later: it is kept for {sold.minimum_months} months at least"
            raise Invalid("MINIMUM_TERM", f"{held.offering!r} can't end now: {text}", fields={path: text})
    for held, _, event in begins(before, after, changes=changes):
        sold = sold_then(plan_at, held.offering, held.valid_from_ms)
        if event == RESUME or sold is None or not sold.begins_max:
            continue
        local, period, day = plan_at(held.valid_from_ms).local, PERIODS[sold.begins_period], account.terms.cycle_day
        here = span(period, local.day(held.valid_from_ms // 1000), day).text
        rows = [each for each in after.subscriptions if each.offering == held.offering and not each.since_ms]
        begun = [each.valid_from_ms for each in rows]
        begun += [at_ms for who, what, at_ms in account.open.begun if (who, what) == (after.identity, held.offering)]
        taken = [at_ms for at_ms in begun if span(period, local.day(at_ms // 1000), day).text == here]
        if len(taken) > sold.begins_max:
            text = f"at most {sold.begins_max} times a {sold.begins_period}"
            raise Invalid("TAKEN_TOO_OFTEN", f"{held.offering!r} is sold {text}", fields={path: text})


def counted(plan_at: PlanAt, contract: Contract, account: Account, now_ms: int) -> tuple[tuple[str, str, int], ...]:
    """Give what a contract that ends had taken in the running period and may be taken so often only, with the moment.

    Else it could be taken again, as often as its member left and came back.
    """
    found: list[tuple[str, str, int]] = []
    for held in contract.subscriptions:
        sold = sold_then(plan_at, held.offering, held.valid_from_ms)
        if held.since_ms or held.valid_from_ms > now_ms or sold is None or not sold.begins_max:
            continue
        local, period, day = plan_at(now_ms).local, PERIODS[sold.begins_period], account.terms.cycle_day
        days = [local.day(at_ms // 1000) for at_ms in (held.valid_from_ms, now_ms)]
        if span(period, days[0], day).text == span(period, days[1], day).text:
            found.append((contract.identity, held.offering, held.valid_from_ms))
    return tuple(found)

"""Which fees a change of a contract brings: first fees of what begins, credits of what ends, and fees for ending it.

What begins now pays its one-time fees and, when a fee is in advance, the rest of the running period; what begins later
pays when it does. What ends gives back what it paid for the time after: what was charged less what the time until then
costs, so both add up. Days that were begun count, but for those on which another offering takes the place.

Only the fees of an offering itself are due: what a bundle includes comes with it.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from charging.base.account import Account
from charging.base.contract import Contract, Subscription
from charging.base.due import Due
from charging.base.feemark import FeeMark
from charging.base.localtime import PERIODS, LocalTime, span
from charging.base.usage import Charge, Step
from charging.catalogue.offers import Fee, Offering
from charging.ledger.dues import Dues
from charging.ledger.feemarks import mark_of, postings
from charging.ledger.ledger import seal
from charging.plans.plan import Plan
from charging.plans.unrated import Unrated
from charging.rating import fees

ACTIVATION, CHANGE, TERMINATION = "activation", "change", "termination"
"""Events that one-time fees fall due by."""
PAUSE, RESUME = "pause", "resume"
"""What no one-time fee falls due by."""
PlanAt = Callable[[int], Plan]
_EPOCH = date(1970, 1, 1)


def of_change(
    plan_at: PlanAt,
    before: Contract,
    after: Contract,
    account: Account,
    now_ms: int,
    *,
    changes: bool,
    at_ms: int = 0,
) -> Dues:
    """Give the fees of a change from one contract to another, credits first.

    `changes` = what begins takes the place of what ends; `at_ms` is the moment that was asked for, 0 = now.
    Raises what `charging.rating.fees.fee` raises.
    """
    credits: list[Due] = []
    taken: list[Due] = []
    for held, end_ms, event in (*ends(before, after, at_ms or now_ms, changes=changes), *_stops(before, after)):
        for due in ending(plan_at, before, account, held, end_ms, now_ms, event):
            (credits if due.credit else taken).append(due)
        if event != PAUSE:
            taken += _early(plan_at, before, account, held, end_ms, now_ms)
    for held, begins_ms, event in (*begins(before, after, changes=changes), *_goes_on(before, after, now_ms)):
        taken += starting(plan_at, after, account, held, now_ms, event, begins_ms)
    if not credits and not taken:
        return Dues()
    return Dues((*credits, *taken), account.version, account.mark)


def starting(
    plan_at: PlanAt,
    contract: Contract,
    account: Account,
    held: Subscription,
    now_ms: int,
    event: str,
    begins_ms: int = 0,
) -> Iterator[Due]:
    """Give what a subscription pays as it begins: one-time fees of an event, and the running period.

    Nothing before it begins, which is at `begins_ms` where it goes on after a pause. What is posted already is left
    out, and so is what stops while a contract is paused.
    """
    begins_ms = max(begins_ms, held.valid_from_ms)
    if begins_ms > now_ms:
        return
    plan = plan_at(begins_ms)
    for fee_id, value in fees_of(plan, held.offering):
        if value.kind == "one_time":
            if value.event == event:
                yield from once(plan, contract, account, held, fee_id, begins_ms)
        elif value.charged == "advance" and (value.while_paused == "due" or contract.serves_at(now_ms)):
            mark = mark_of(account, contract.identity, held.offering, fee_id)
            from_ms = max(begins_ms, mark.to_ms if mark is not None else 0)
            to_ms = period_end_ms(plan.local, value, now_ms, account.terms.cycle_day)
            if held.valid_to_ms:
                to_ms = min(to_ms, day_after_ms(plan.local, held.valid_to_ms))
            if from_ms < to_ms:
                charge = of_time(plan, fee_id, contract, account, held, from_ms, to_ms)
                yield due_of(plan, contract, held.offering, fee_id, from_ms, to_ms, charge)


def ending(
    plan_at: PlanAt,
    contract: Contract,
    account: Account,
    held: Subscription,
    end_ms: int,
    now_ms: int,
    event: str,
) -> Iterator[Due]:
    """Give what a subscription gives back and pays as it ends by an event, or stops for a pause.

    The day on which another one takes its place is not its own.
    """
    plan = plan_at(now_ms)
    last_ms = _last_ms(plan.local, end_ms, event == CHANGE)
    for mark in account.open.fees:
        if (mark.identity, mark.offering) != (contract.identity, held.offering):
            continue
        if event != PAUSE or _stops_paused(plan, mark.fee):
            after = [each for each in postings(mark) if each.to_ms > last_ms and each.to_ms - each.from_ms > 1]
            for at, each in enumerate(after, 1):
                yield from given_back(plan_at, contract, account, held, each, last_ms, last=at == len(after))
    for fee_id, value in fees_of(plan, held.offering):
        if event == PAUSE and value.while_paused == "due":
            continue
        if value.kind == "one_time":
            if value.event == event == TERMINATION:
                yield from once(plan, contract, account, held, fee_id, now_ms)
        elif value.while_paused == "stops" and (held.paused or contract.paused_at(end_ms)):
            continue  # It was charged until the pause.
        elif value.charged == "arrears" and end_ms <= now_ms and not value.minus:
            yield from _arrears(plan, contract, account, held, fee_id, value, last_ms)


def period_end_ms(local: LocalTime, fee: Fee, time_ms: int, cycle_day: int) -> int:
    """Give when the period of a recurring fee ends in which a moment lies, UTC."""
    return local.day_begins(span(PERIODS[fee.period], local.day(time_ms // 1000), cycle_day).end) * 1000


def day_after_ms(local: LocalTime, time_ms: int) -> int:
    """Give when the last day ends that was begun before a moment, UTC."""
    return local.day_begins(local.day((time_ms - 1) // 1000) + 1) * 1000


def months_left(local: LocalTime, from_ms: int, end_ms: int, months: int) -> int:
    """Give how many of the months since a beginning are not over at an end; one that is begun counts."""
    first, last = (_EPOCH + timedelta(days=local.day(each // 1000)) for each in (from_ms, end_ms))
    over = (last.year - first.year) * 12 + last.month - first.month - (last.day < first.day)
    return max(0, months - over)


def _early(
    plan_at: PlanAt, contract: Contract, account: Account, held: Subscription, end_ms: int, now_ms: int
) -> Iterator[Due]:
    """Give the fee for ending before the minimum term that was agreed when it was taken."""
    sold = sold_then(plan_at, held.offering, held.began_ms)
    if sold is None or not sold.early_end or end_ms <= held.began_ms:
        return
    plan = plan_at(now_ms)
    if sold.early_end not in plan.fees:
        plan = plan_at(held.began_ms)
    left = months_left(plan.local, held.began_ms, end_ms, sold.minimum_months)
    if left and sold.early_end in plan.fees:
        times = left if sold.early_end_by == "month" else 1
        yield from once(plan, contract, account, held, sold.early_end, now_ms, times)


def sold_then(plan_at: PlanAt, offering: str, time_ms: int) -> Offering | None:
    """Give an offering as it was sold at a moment; None = nothing tells any more."""
    try:
        entry = plan_at(time_ms).merged.offerings.get(offering)
    except Unrated:
        return None
    return entry.value if entry is not None else None


def given_back(
    plan_at: PlanAt,
    contract: Contract,
    account: Account,
    held: Subscription,
    mark: FeeMark,
    last_ms: int,
    *,
    last: bool,
) -> Iterator[Due]:
    """Give back what one posting took for the time after; if one before it is given back too, also nothing."""
    from_ms = max(last_ms, mark.from_ms)
    plan = plan_at(mark.from_ms)
    steps = [Step("fee", mark.fee, "", 1, "event", -mark.amount, 1, "was paid in advance")]
    used = 0
    if from_ms > mark.from_ms and mark.fee in plan.fees:
        until = of_time(plan, mark.fee, contract, account, held, mark.from_ms, from_ms)
        used = until.amount
        steps += until.steps
    amount = max(0, mark.amount - used)
    if not amount and last:
        return
    taxed_since = plan.taxes.since(plan.local.day(mark.from_ms // 1000))
    charge = Charge(amount, plan.currency, (), (), plan.version, False, tuple(steps), "", taxed_since)
    yield due_of(plan, contract, mark.offering, mark.fee, from_ms, mark.to_ms, charge, credit=True)


def _arrears(
    plan: Plan, contract: Contract, account: Account, held: Subscription, fee_id: str, value: Fee, last_ms: int
) -> Iterator[Due]:
    """Charge the running period until the end; those before it are nobody's who changes a contract."""
    mark = mark_of(account, contract.identity, held.offering, fee_id)
    day = plan.local.day((last_ms - 1) // 1000)
    began_ms = plan.local.day_begins(span(PERIODS[value.period], day, account.terms.cycle_day).start) * 1000
    from_ms = max(held.valid_from_ms, began_ms, mark.to_ms if mark is not None else 0)
    if value.while_paused == "stops" and contract.paused_to_ms <= last_ms:
        from_ms = max(from_ms, contract.paused_to_ms)
    if from_ms < last_ms:
        charge = of_time(plan, fee_id, contract, account, held, from_ms, last_ms)
        yield due_of(plan, contract, held.offering, fee_id, from_ms, last_ms, charge)


def of_time(
    plan: Plan, fee_id: str, contract: Contract, account: Account, held: Subscription, from_ms: int, to_ms: int
) -> Charge:
    """Rate a recurring fee of a subscription for a time: as many as it is of, less what is free of it."""
    return fees.fee(plan, fee_id, contract, account, from_ms, to_ms, held.offering, held.quantity, held.began_ms)


def once(
    plan: Plan, contract: Contract, account: Account, held: Subscription, fee_id: str, time_ms: int, times: int = 1
) -> Iterator[Due]:
    """Give a one-time fee of a subscription, so many times for each that it is of; nothing is no fee."""
    charge = fees.fee(plan, fee_id, contract, account, time_ms, 0, held.offering, times * held.quantity)
    if charge.amount:
        yield due_of(plan, contract, held.offering, fee_id, time_ms, time_ms + 1, charge)


def due_of(
    plan: Plan,
    contract: Contract,
    offering: str,
    fee_id: str,
    from_ms: int,
    to_ms: int,
    charge: Charge,
    *,
    credit: bool = False,
) -> Due:
    """Make what posts a charge of a fee for a time, or gives it back."""
    item = plan.fees[fee_id].item if fee_id in plan.fees else fee_id
    return Due(contract.identity, offering, fee_id, item, from_ms, to_ms, seal(charge), credit)


def free_until_ms(plan_at: PlanAt, contract: Contract, due: Due) -> int:
    """Give until when a subscription costs nothing of a fee that is due, UTC; 0 = nothing of its time is free."""
    held = [each for each in contract.subscriptions if each.offering == due.offering and each.began_ms < due.to_ms]
    plan = plan_at(due.from_ms)
    if due.credit or not held or due.fee not in plan.fees or not plan.fees[due.fee].recurring:
        return 0
    day = fees.free_until(plan.fees[due.fee], plan.local.day(held[-1].began_ms // 1000))
    until_ms = plan.local.day_begins(day) * 1000
    return until_ms if until_ms > due.from_ms else 0


def fees_of(plan: Plan, offering: str) -> tuple[tuple[str, Fee], ...]:
    """Give the fees of an offering itself, by id, as the catalogue has them."""
    known = plan.fees_sold.get(offering)
    if known is None:
        sold = plan.offerings.get(offering)
        if sold is None:
            return ()
        own = [(fee_id, plan.merged.fees[fee_id].value) for fee_id in sold.fees if fee_id in plan.fees]
        known = plan.fees_sold[offering] = tuple(own)
    return known


def _last_ms(local: LocalTime, end_ms: int, replaced: bool) -> int:
    return local.day_begins(local.day(end_ms // 1000)) * 1000 if replaced else day_after_ms(local, end_ms)


def _stops_paused(plan: Plan, fee_id: str) -> bool:
    entry = plan.merged.fees.get(fee_id)
    return entry is None or entry.value.while_paused == "stops"


def ends(before: Contract, after: Contract, at_ms: int, *, changes: bool) -> Iterator[tuple[Subscription, int, str]]:
    """Give what ends earlier than it would have, when and by what; what never begins ends as it would have begun.

    What is paused ends at `at_ms`, the moment of the change. Of an offering that a pause splits one part tells the end.
    """
    event = CHANGE if changes else TERMINATION
    kept = {(each.offering, each.valid_from_ms): each for each in after.subscriptions}
    over_ms = after.valid_to_ms if after.status == "ended" else at_ms
    for held in before.subscriptions:
        now = kept.get((held.offering, held.valid_from_ms))
        if held.since_ms and _told_earlier(held, before, over_ms):
            continue
        if held.paused:
            left = 0 < held.paused_end_ms <= over_ms
            if not left and (now is None or not now.paused) and (now is None or not _goes_on_later(now, after)):
                yield held, max(held.valid_from_ms, over_ms), event
        elif after.status == "ended":
            if not 0 < held.valid_to_ms <= over_ms:
                yield held, over_ms if held.since_ms else max(held.valid_from_ms, over_ms), TERMINATION
        elif now is None:
            yield held, over_ms if held.since_ms else held.valid_from_ms, event
        elif now.valid_to_ms and (not held.valid_to_ms or now.valid_to_ms < held.valid_to_ms):
            yield held, now.valid_to_ms, PAUSE if _goes_on_later(now, after) else event


def _told_earlier(held: Subscription, contract: Contract, at_ms: int) -> bool:
    """Say whether what goes on after a pause has an earlier part that is not over at a moment."""
    return any(
        each.offering == held.offering
        and each.began_ms == held.since_ms
        and each.valid_from_ms < held.valid_from_ms
        and not 0 < each.valid_to_ms <= at_ms
        for each in contract.subscriptions
    )


def _goes_on_later(ended: Subscription, contract: Contract) -> bool:
    rows = [each for each in contract.subscriptions if each.offering == ended.offering]
    later = [each for each in rows if each.valid_from_ms > ended.valid_from_ms]
    return ended.paused or any(each.since_ms == ended.began_ms for each in later)


def begins(before: Contract, after: Contract, *, changes: bool) -> Iterator[tuple[Subscription, int, str]]:
    """Give what is taken, or goes on after a pause, and by what."""
    known = {(each.offering, each.valid_from_ms) for each in before.subscriptions}
    for held in after.subscriptions:
        if (held.offering, held.valid_from_ms) not in known:
            yield held, 0, RESUME if held.since_ms else CHANGE if changes else ACTIVATION


def _stops(before: Contract, after: Contract) -> Iterator[tuple[Subscription, int, str]]:
    """Give what a pause of the whole contract stops, and when."""
    from_ms = after.paused_from_ms
    if from_ms and from_ms != before.paused_from_ms:
        for held in before.subscriptions:
            if held.valid_at(from_ms):
                yield held, from_ms, PAUSE


def _goes_on(before: Contract, after: Contract, now_ms: int) -> Iterator[tuple[Subscription, int, str]]:
    """Give what goes on since the whole contract does, and from when."""
    if not before.paused_from_ms or after.paused_from_ms not in (0, before.paused_from_ms):
        return
    if after.paused_from_ms and (after.paused_to_ms == before.paused_to_ms or not 0 < after.paused_to_ms <= now_ms):
        return
    for held in after.subscriptions:
        if held.valid_at(now_ms):
            yield held, after.paused_to_ms or now_ms, RESUME

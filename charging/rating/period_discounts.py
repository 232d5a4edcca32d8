"""Discounts of a bill with what came late: what is of a closed period is discounted with all of that period.

The rules look at the whole of it once more, as they were had when its bill was closed, and this bill has the
difference to what they took off then, line by line, with its origin: closed bill and difference are what one bill would
have been. So a limit is not given twice, a sum that a rule asks for may be reached late, and a fee that is given back
late is given back less its discount.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.account_id import identity_of
from charging.base.contract import Contract
from charging.base.discounted import SeenBill, SeenSum, TakenOff, remembered, seen_of
from charging.base.usage import Step
from charging.bills.bill import DISCOUNT, WHOLE_BILL
from charging.bills.sums import BillSum
from charging.ledger.accruals import added, is_kept
from charging.plans.plan import Plan
from charging.plans.unrated import Unrated
from charging.rating.bill_discounts import DISCOUNTED, NO_DISCOUNTS, BillDiscounts, bill_discounts
from charging.rating.closing import ended_ms, sums_of
from charging.rating.due_fees import PlanAt

_NOT_KNOWN = "came late of {}, whose bill is not remembered any more: nothing is taken off"
_AGAIN = "came late of {}, whose discounts were looked at again with it"


def period_discounts(plan_at: PlanAt, contracts: Sequence[Contract], account: Account, month: int) -> BillDiscounts:
    """Give what rules take off the bill of a period (months since the year 0), what came late with its own period.

    Where no catalogue was in force nothing is taken off.
    """
    if not any(key.origin for key in account.buckets.keys) and _plan(plan_at, account, month) is None:
        return NO_DISCOUNTS  # As most bills: nothing came late, and no rule is of bills.
    sums = sums_of(account, month)
    late: dict[str, list[BillSum]] = {}
    for each in sums:
        if each.origin and each.kind in DISCOUNTED:
            late.setdefault(each.origin, []).append(each)
    found: list[BillDiscounts] = []
    for origin, some in sorted(late.items()):
        found.append(_late(plan_at, contracts, account, _month_of(origin), some))
        # The oldest first, each on what those before left of limits that run for longer than a period.
        account = replace(account, accumulators=added(account.accumulators, found[-1].accruals))
    own = _own(plan_at, contracts, account, month, [each for each in sums if not each.origin])
    return _together((own, *found)) if found else own


def _together(found: Sequence[BillDiscounts]) -> BillDiscounts:
    counted: dict[str, int] = {}
    for each in found:
        for key, amount in each.accruals:
            counted[key] = counted.get(key, 0) + amount
    return BillDiscounts(
        tuple([line for each in found for line in each.lines]),
        tuple([pair for pair in counted.items() if pair[1]]),
        tuple([step for each in found for step in each.steps]),
        tuple([row for each in found for row in each.seen]),
    )


def _month_of(origin: str) -> int:
    return int(origin[:4]) * 12 + int(origin[5:7]) - 1


def _plan(plan_at: PlanAt, account: Account, month: int) -> Plan | None:
    """Give the plan by which a period is discounted: that of its last moment; None = no rule is of bills."""
    try:
        plan = plan_at(ended_ms(account, month) - 1)
    except Unrated:
        return None
    return plan if plan.discounts("bill") else None


def _own(
    plan_at: PlanAt, contracts: Sequence[Contract], account: Account, month: int, sums: Sequence[BillSum]
) -> BillDiscounts:
    plan = _plan(plan_at, account, month)
    if plan is None:
        return NO_DISCOUNTS
    last_ms = ended_ms(account, month) - 1
    counters = _read(plan, contracts, account, last_ms)
    if counters is None:
        return NO_DISCOUNTS
    found = bill_discounts(plan, contracts, account, sums, last_ms)
    values = {key: account.accumulators.get(key, 0) for key in counters}
    seen = _seen(contracts, account, _summed((), sums), found, values)
    return replace(found, seen=(remembered(month, seen),))


def _late(
    plan_at: PlanAt, contracts: Sequence[Contract], account: Account, origin: int, late: Sequence[BillSum]
) -> BillDiscounts:
    plan = _plan(plan_at, account, origin)
    if plan is None:
        return NO_DISCOUNTS
    last_ms, text = ended_ms(account, origin) - 1, late[0].origin
    row = next((each for each in account.open.discounted if each.month == origin), None)
    before = seen_of(row) if row is not None else None
    if before is None:
        if _read(plan, contracts, account, last_ms) is None:
            return NO_DISCOUNTS
        return BillDiscounts(steps=(_told(late, _NOT_KNOWN.format(text)),))
    then = _as_it_was(account, before)
    counters = _read(plan, before.contracts, then, last_ms) or {}
    counted, known = dict(before.accruals), dict(before.counters)
    now = account.accumulators
    values = {key: max(0, now[key] - counted.get(key, 0)) if key in now else known.get(key, 0) for key in counters}
    sums = _summed(before.sums, late)
    again = bill_discounts(
        plan,
        before.contracts,
        replace(then, accumulators=values),
        [BillSum(each.item, each.member, "usage", each.day, each.amount, origin=text) for each in sums],
        last_ms,
    )
    seen = _seen(before.contracts, then, sums, again, values)
    return _difference(account, late, before, seen, origin)


def _difference(
    account: Account, late: Sequence[BillSum], before: SeenBill, after: SeenBill, origin: int
) -> BillDiscounts:
    text = late[0].origin
    taken: dict[tuple[str, str, int, str, str], int] = {}
    for rows, sign in ((after.taken, 1), (before.taken, -1)):
        for each in rows:
            head = each.item, each.member, each.day, each.level, each.rule
            taken[head] = taken.get(head, 0) + sign * each.amount
    lines = tuple(
        BillSum(item, member, DISCOUNT, day, -amount, level, rule, text)
        for (item, member, day, level, rule), amount in taken.items()
        if amount
    )
    counted: dict[str, int] = {}
    for pairs, sign in ((after.accruals, 1), (before.accruals, -1)):
        for key, amount in pairs:
            counted[key] = counted.get(key, 0) + sign * amount
    accruals = tuple((key, amount) for key, amount in counted.items() if amount and is_kept(account, key))
    steps = (_told(late, _AGAIN.format(text)), *_by_rule(lines)) if lines else ()
    return BillDiscounts(lines, accruals, steps, (remembered(origin, after),))


def _read(plan: Plan, contracts: Iterable[Contract], account: Account, time_ms: int) -> dict[str, None] | None:
    """Give the counters that rules of bills read which contracts or the account have; None = they have no rule."""
    nothing = Contract(identity_of(account.account_id), account.account_id, account.terms.domain)
    day, any_rule = plan.local.day(time_ms // 1000), False
    keys: dict[str, None] = {}
    for contract in (*contracts, nothing):
        names = tuple([each.offering for each in plan.valid_subscriptions(contract, time_ms)])
        for rule in plan.rules_for("bill", "", names, contract, account):
            any_rule = True
            for counter in rule.reads:
                keys[counter.key(contract.identity, account.terms.cycle_day, day)] = None
    return keys if any_rule else None


def _as_it_was(account: Account, seen: SeenBill) -> Account:
    return account.with_terms(
        agreements=seen.agreements, attributes=seen.attributes, customer_attributes=seen.customer_attributes
    )


def _summed(known: Sequence[SeenSum], more: Iterable[BillSum]) -> tuple[SeenSum, ...]:
    found = {(each.item, each.member, each.day): each.amount for each in known}
    for each in more:
        if each.kind in DISCOUNTED:
            head = each.item, each.member, each.day
            found[head] = found.get(head, 0) + each.amount
    return tuple([SeenSum(*head, amount) for head, amount in sorted(found.items()) if amount])


def _seen(
    contracts: Iterable[Contract],
    account: Account,
    sums: tuple[SeenSum, ...],
    found: BillDiscounts,
    counters: Mapping[str, int],
) -> SeenBill:
    counted: dict[str, int] = {}
    for key, amount in found.accruals:
        counted[key] = counted.get(key, 0) + amount
    terms = account.terms
    return SeenBill(
        sums,
        tuple([TakenOff(row.item, row.member, row.day, row.level, row.rule, -row.amount) for row in found.lines]),
        tuple(counted.items()),
        tuple([(key, value) for key, value in counters.items() if value]),
        tuple([_as_rules_read_it(each) for each in contracts]),
        terms.agreements,
        terms.attributes,
        terms.customer_attributes,
    )


def _as_rules_read_it(contract: Contract) -> Contract:
    return Contract(
        contract.identity,
        contract.account_id,
        contract.domain,
        subscriptions=contract.subscriptions,
        attributes=contract.attributes,
        groups=contract.groups,
        agreements=contract.agreements,
    )


def _told(late: Iterable[BillSum], detail: str) -> Step:
    return Step("fee", WHOLE_BILL, "", 1, "event", sum([each.amount for each in late]), 1, detail)


def _by_rule(lines: Iterable[BillSum]) -> list[Step]:
    sums: dict[tuple[str, str], int] = {}
    for each in lines:
        sums[each.rule, each.level] = sums.get((each.rule, each.level), 0) + each.amount
    detail = "more than it took off then, or less"
    return [Step("discount", rule, "", 0, "", amount, 1, detail, level) for (rule, level), amount in sums.items()]

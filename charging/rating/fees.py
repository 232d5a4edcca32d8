"""Fees and bill items: recurring (prorated by days) and one-time amounts, through the same discounts as usage."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.contract import Contract
from charging.base.localtime import Span, day_text, span
from charging.base.money import show
from charging.base.usage import Charge, Step, Usage
from charging.plans.compiled import CompiledFee, CompiledRounding, DiscountFacts
from charging.plans.plan import Plan, regional_step
from charging.plans.unrated import Unrated
from charging.rating import discounts
from charging.rating.rounding import rounded

_EPOCH = date(1970, 1, 1).toordinal()
MONTH_DAYS = 30
"""Of a month in the books of those who count so."""
PERIODS_MAX = 1200
"""Periods one fee may be charged for at once."""


def fee(
    plan: Plan,
    fee_id: str,
    contract: Contract,
    account: Account,
    from_ms: int,
    to_ms: int = 0,
    offering: str = "",
    times: int = 1,
    began_ms: int = 0,
) -> Charge:
    """Charge a fee.

    A one-time fee falls due at `from_ms`. A recurring one is charged for the days from `from_ms` until `to_ms`
    (exclusive; begun days count; 0 = to the end of the period), period by period: a whole period in full, a part by its
    share of the period's days when the fee is prorated, else in full. What is free of a subscription, which `began_ms`
    (0 = nothing is), costs nothing. What the accumulator that it names has counted in the period is taken off: ask for
    such a fee when the period is over. `times` is how many of it are due. `offering` is told to discount rules
    (level I).

    Raises `Unrated` FEE_UNKNOWN when the catalogue has no such fee, QUANTITY_INVALID when the time runs backwards.
    """
    found = plan.fees.get(fee_id)
    if found is None:
        raise Unrated(
            "FEE_UNKNOWN", f"fee {fee_id!r} is not in the catalogue", facts={"nearest": ", ".join(sorted(plan.fees))}
        )
    day = plan.local.day(from_ms // 1000)
    if not found.recurring:
        once = found.numerator * times
        steps = [Step("fee", found.name, found.origin, times, "event", once, found.denominator, found.label)]
    else:
        last = plan.local.day((to_ms - 1) // 1000) + 1 if to_ms else 0
        if to_ms and to_ms <= from_ms:
            raise Unrated("QUANTITY_INVALID", f"fee {fee_id!r} would end before it begins", facts={"nearest": fee_id})
        free = free_until(found, plan.local.day(began_ms // 1000)) if began_ms else day
        steps = _periods(found, day, last, contract, account, times, free)
    sold = plan.offerings.get(offering)
    if sold is not None and sold.origin:
        steps.insert(0, regional_step(sold))
    numerator = sum(step.numerator * (_common(steps) // step.denominator) for step in steps)
    item = {"item": found.item, "service": "", "fee": found.name, "offering": offering}
    usage = Usage(contract.identity, "", from_ms, 1)
    charge = _through(
        plan, "fee", usage, item, contract, account, numerator, _common(steps), found.rounding, steps, day
    )
    return replace(charge, depends=True) if found.minus is not None else charge


def bill(
    plan: Plan, contract: Contract, account: Account, time_ms: int, item: str, amount: int, base: str = ""
) -> Charge:
    """Run the bill-level discounts (`applies_to: [bill]`) over an account item's amount, in micro-units.

    What is taken is what is left to pay; the discounts are its steps. `item` "total" stands for the whole bill, or all
    that one member brought. `base` leaves out rules that work on something else (`CompiledRule.bases`), "" = none.
    `time_ms` (UTC) is when discounts must hold. Raises `Unrated` QUANTITY_INVALID for a negative amount.
    """
    if amount < 0:
        raise Unrated("QUANTITY_INVALID", "a bill item is not negative", facts={"nearest": item})
    steps = [Step("fee", item, "", 1, "event", amount, 1, "amount of the bill item")]
    usage = Usage(contract.identity, "", time_ms, 1)
    day = plan.local.day(time_ms // 1000)
    of = {"item": item, "service": ""}
    return _through(plan, "bill", usage, of, contract, account, amount, 1, plan.rounding, steps, day, base)


def _common(steps: Sequence[Step]) -> int:
    common = 1
    for step in steps:
        common *= step.denominator if common % step.denominator else 1
    return common


def free_until(found: CompiledFee, began: int) -> int:
    """Give the first local day of a subscription, which began on another, that costs something."""
    day = began + found.trial_days
    if not found.free_months:
        return day
    first = date.fromordinal(_EPOCH + day)
    month = first.year * 12 + first.month - 1 + found.free_months
    year, number = month // 12, month % 12 + 1
    return date(year, number, min(first.day, monthrange(year, number)[1])).toordinal() - _EPOCH


def _periods(
    found: CompiledFee, day: int, last: int, contract: Contract, account: Account, times: int, free: int
) -> list[Step]:
    """Charge period by period until the day `last` (0 = the end of the first period); nothing before the day `free`."""
    steps: list[Step] = []
    while len(steps) < PERIODS_MAX:
        period = span(found.period, day, account.terms.cycle_day)
        end = min(last, period.end) if last else period.end
        days, whole = _days(found, max(day, min(free, end)) - period.start, end - period.start, period)
        numerator, denominator = found.numerator * times, found.denominator
        if not days or (found.prorated and days < whole):
            numerator, denominator = numerator * days, denominator * whole
        detail = f"{found.label}, {days} of {whole} days from {period.text}"
        if day < free:
            detail += f", free before {day_text(free)}"
        if times > 1:
            detail += f", {times} of it"
        if found.minus is not None:
            counted = found.minus.value(account, contract.identity, day)
            detail += f", less {show(counted)} counted by {found.minus.name}"
            numerator = max(0, numerator - counted * denominator)
        steps.append(Step("fee", found.name, found.origin, days, "day", numerator, denominator, detail))
        day = end
        if not last or day >= last:
            return steps
    raise Unrated(
        "QUANTITY_INVALID",
        f"fee {found.name!r} would be charged for more than {PERIODS_MAX} periods at once: charge it in parts",
        facts={"nearest": found.name},
    )


def _days(found: CompiledFee, first: int, last: int, period: Span) -> tuple[int, int]:
    """Give how many days count of those from one of a period, 0 the first, to another, and how many it has."""
    whole = period.end - period.start
    if not found.thirty:
        return last - first, whole
    counted = [MONTH_DAYS if day == whole else min(day, MONTH_DAYS) for day in (first, last)]
    return counted[1] - counted[0], MONTH_DAYS


def _through(
    plan: Plan,
    target: str,
    usage: Usage,
    item: dict[str, str],
    contract: Contract,
    account: Account,
    numerator: int,
    denominator: int,
    rounding: CompiledRounding,
    steps: list[Step],
    day: int,
    base: str = "",
) -> Charge:
    """Discount and round."""
    held = plan.valid_subscriptions(contract, usage.start_ms)
    names = tuple([subscription.offering for subscription in held])
    opened = frozenset(plan.opened_names(names))
    facts = DiscountFacts(usage, contract, account, opened, item, 1, 1, numerator, denominator, day)
    rules = plan.rules_for(target, "", names, contract, account)
    if base:
        rules = tuple([rule for rule in rules if base in rule.bases])
    done = discounts.apply(rules, facts, steps)
    amount = rounded(done.numerator, done.denominator, rounding, rounding.mode, steps)
    accruals = tuple(done.accruals)
    return Charge(
        amount,
        plan.currency,
        (),
        accruals,
        plan.version,
        done.depends,
        tuple(steps),
        item["item"],
        plan.taxes.since(day),
    )

"""Rating: usage, contract and account in, an exact charge with its steps out. Pure, and in one pass.

Order: price, grace, allowances and unit books, tariff, connect, minimum, cap, discounts, rounding (once), then which
books of money pay that are bound to a scope, and which spending limits count it. The values of the steps are exact
fractions whose sum is the amount; the last of them is the rounding, when there was something to round.
"""

from charging.base.account import Account
from charging.base.bounds import AMOUNT_MAX
from charging.base.contract import Contract, Subscription
from charging.base.localtime import DAY_S
from charging.base.money import UP, round_off
from charging.base.usage import Charge, Step, Usage
from charging.plans.compiled import Bounds, CompiledPrice, CompiledService, DiscountFacts
from charging.plans.plan import Plan, Profile
from charging.plans.unrated import Unrated, absurd_amount, absurd_quantity, unknown_service, unpriced
from charging.rating import bound, discounts, freeunits, limits
from charging.rating.fees import bill, fee
from charging.rating.rounding import rounded
from charging.rating.tiers import Positions, charge_parts

__all__ = [
    "Unrated", "bill", "discount_facts", "fee", "next_switch", "price_of", "quantity_max", "rate", "rate_quota",
    "rate_sum",
]  # fmt: skip

Pairs = list[tuple[str, int]]


class _Work:
    """One charge in the making."""

    __slots__ = ("account", "accruals", "charged", "contract", "day", "depends", "names", "plan", "price", "profile",
                 "quota", "steps", "takes", "usage", "value")  # fmt: skip

    def __init__(
        self, plan: Plan, profile: Profile, names: tuple[str, ...], usage: Usage, contract: Contract, account: Account
    ) -> None:
        self.plan = plan
        self.profile = profile
        self.names = names
        self.usage = usage
        self.contract = contract
        self.account = account
        self.price: CompiledPrice | None = None
        start_s = usage.start_ms // 1000
        self.day = (start_s + plan.local.offset(start_s)) // DAY_S
        self.steps: list[Step] = []
        self.takes: Pairs = []
        self.accruals: Pairs = []
        self.depends = False
        self.quota = False
        self.value = 0
        """In 1/denominator of the price."""
        self.charged = 0
        """Units left to money, before increments."""


def rate(plan: Plan, usage: Usage, contract: Contract, account: Account) -> Charge:
    """Rate one usage against the account as given (callers pass `ledger.available_view`).

    Raises `Unrated` when no rule prices it, or its quantity is not possible in one.
    """
    service = plan.services.get(usage.service)
    if service is None:
        raise unknown_service(plan, usage)
    if usage.quantity < 0 or usage.quantity > service.quantity_max:
        raise absurd_quantity(plan, usage)
    return _rate(plan, service, usage, contract, account, False)


def rate_sum(plan: Plan, usage: Usage, contract: Contract, account: Account) -> Charge:
    """Rate what many reports of a session add up to: the bound of one usage is not one of theirs."""
    return _rate(plan, _service(plan, usage), usage, contract, account, False)


def rate_quota(plan: Plan, usage: Usage, contract: Contract, account: Account) -> Charge:
    """Rate what may be used, to keep its price: rounded up, so that rounding alone makes nothing free."""
    return _rate(plan, _service(plan, usage), usage, contract, account, True)


def price_of(profile: Profile, usage: Usage, contract: Contract, account: Account) -> CompiledPrice | None:
    """Find the price of a usage: of each tariff in order the first price that holds; None = it has none."""
    for tariff in profile.tariffs:
        price = tariff.find(usage, contract, account)
        if price is not None:
            return price
    return None


def _service(plan: Plan, usage: Usage) -> CompiledService:
    service = plan.services.get(usage.service)
    if service is None:
        raise unknown_service(plan, usage)
    return service


def _rate(
    plan: Plan, service: CompiledService, usage: Usage, contract: Contract, account: Account, quota: bool
) -> Charge:
    quantity = usage.quantity
    held = plan.valid_subscriptions(contract, usage.start_ms)
    names = tuple([subscription.offering for subscription in held])
    profile = plan.profile(usage.service, names)
    work = _Work(plan, profile, names, usage, contract, account)
    work.quota = quota
    if profile.regional:
        work.steps.extend(profile.regional)
    price = price_of(profile, usage, contract, account)
    work.price = price
    if (
        price is None
        or price.flat is None
        or profile.grants
        or not quantity
        or freeunits.has_books(account, service.unit)
    ):
        _measure(work, held)
    else:
        flat = price.flat
        increments = -(-quantity // flat.increment)
        work.value = increments * flat.cost
        work.charged = quantity
        units = increments * flat.increment
        work.steps.append(
            Step("tariff", price.rule, price.origin, units, price.unit, work.value, price.denominator, flat.detail)
        )
        if price.connect:
            work.value += price.connect
            work.steps.append(_connect(price, price.connect))
    return _finish(work)


def _connect(price: CompiledPrice, amount: int) -> Step:
    return Step("connect", price.rule, price.origin, 1, "event", amount, price.denominator)


def _measure(work: _Work, held: list[Subscription]) -> None:
    """Take the long way: grace, free units, bands, tiers, minimum and cap."""
    usage, price = work.usage, work.price
    quantity = usage.quantity
    grace = price.grace if price is not None else 0
    if price is not None and quantity <= grace:
        detail = "within the grace" if quantity else "nothing used"
        work.steps.append(Step("tariff", price.rule, price.origin, quantity, price.unit, 0, 1, detail))
        return
    free = grace if price is not None and price.grace_free else 0
    if free and price is not None:
        detail = "grace at the beginning"
        work.steps.append(Step("tariff", price.rule, price.origin, free, price.unit, 0, 1, detail))
    taken = freeunits.take(
        work.plan, work.profile, held, usage, work.contract, work.account, [(free, quantity)], work.day
    )
    work.steps.extend(taken.steps)
    work.takes = taken.takes
    work.accruals = taken.accruals
    work.depends = taken.depends
    parts = taken.parts
    if price is None:
        if parts and (parts[0][0] < parts[0][1] or not taken.steps):
            raise unpriced(work.plan, work.profile, work.names, usage, work.contract, work.account)
        return
    work.charged = sum([b - a for a, b in parts])
    if parts:
        positions = Positions(work.account, work.contract.identity, work.day)
        work.value = charge_parts(price, parts, usage.start_ms // 1000, positions, work.steps)
        work.accruals.extend(positions.accruals())
    if price.depends:
        work.depends = True
    if parts or price.connect_always:
        table = price.table
        bounds = price.bounds[-1 if table is None else table.at(usage.start_ms // 1000)[0]]
        if bounds.connect:
            work.value += bounds.connect
            work.steps.append(_connect(price, bounds.connect))
        _bound(work, price, bounds)


def _bound(work: _Work, price: CompiledPrice, bounds: Bounds) -> None:
    """Raise to the minimum, cut at the cap."""
    if work.value < bounds.minimum:
        raised = bounds.minimum - work.value
        work.steps.append(Step("minimum", price.rule, price.origin, 0, "", raised, price.denominator))
        work.value = bounds.minimum
    cap = bounds.cap
    key = ""
    if bounds.cap_counter is not None:
        key = bounds.cap_counter.key(work.contract.identity, work.account.terms.cycle_day, work.day)
        cap = max(0, bounds.cap_total - work.account.accumulators.get(key, 0)) * price.denominator
    if 0 <= cap < work.value:
        cut = cap - work.value
        work.steps.append(Step("cap", price.rule, price.origin, 0, "", cut, price.denominator, bounds.cap_detail))
        work.value = cap
    if key:
        rounding = price.rounding
        counted = round_off(work.value, price.denominator, rounding.mode, rounding.step)
        if counted:
            work.accruals.append((key, counted))


def _finish(work: _Work) -> Charge:
    """Discount, round once, count."""
    plan, usage, price = work.plan, work.usage, work.price
    value, denominator = work.value, 1
    rounding = plan.rounding
    if price is not None:
        denominator = price.denominator
        rounding = price.rounding
    rules = plan.rules_for("usage", usage.service, work.names, work.contract, work.account)
    if rules and value:
        facts = discount_facts(
            work.profile, price, usage, work.contract, work.account, work.charged, value, denominator, work.day
        )
        done = discounts.apply(rules, facts, work.steps)
        value, denominator = done.numerator, done.denominator
        work.accruals.extend(done.accruals)
        work.depends = work.depends or done.depends
    if value % (denominator * rounding.step):
        amount = rounded(value, denominator, rounding, UP if work.quota else rounding.mode, work.steps)
    else:
        amount = value // denominator  # whole as it is, as most are: that costs no call
    if amount > AMOUNT_MAX:
        raise absurd_amount(usage, price.rule if price is not None else "", amount)
    if usage.service in plan.counting:
        _count(work, amount)
    if amount:
        account = work.account
        if bound.has_bound(account) and bound.pay(
            plan, usage, work.contract, account, amount, work.charged, work.takes, work.steps
        ):
            work.depends = True
        if account.terms.limits:
            work.accruals.extend(limits.counted(plan, usage, work.contract, account, amount, work.day))
    accruals = work.accruals
    return Charge(
        amount,
        plan.currency,
        tuple(work.takes),
        tuple(accruals) if len(accruals) < 2 else _joined(accruals),
        plan.version,
        work.depends,
        tuple(work.steps),
        price.item if price is not None else "",
        plan.taxes.since(work.day) if plan.taxes.changes else 0,
    )


def discount_facts(
    profile: Profile,
    price: CompiledPrice | None,
    usage: Usage,
    contract: Contract,
    account: Account,
    charged: int,
    value: int,
    denominator: int,
    day: int,
) -> DiscountFacts:
    """Give what conditions of discounts are asked about a usage: its value is `value` / `denominator` micro-units.

    `charged` are the units left to money, before increments; `day` is the local day of its beginning.
    """
    item = {"service": usage.service}
    if price is not None:
        item = {
            "item": price.item,
            "service": usage.service,
            "tariff": price.tariff,
            "price": price.price,
            "offering": profile.offering_of.get(price.tariff, ""),
        }
    return DiscountFacts(usage, contract, account, profile.held, item, usage.quantity, charged, value, denominator, day)


def _count(work: _Work, amount: int) -> None:
    """Add the usage to the accumulators that count it."""
    usage = work.usage
    for accumulator in work.plan.counting[usage.service]:
        for test in accumulator.tests:
            if not test(usage, work.contract, work.account):
                break
        else:
            counts = accumulator.counts
            if counts == "quantity":
                added = usage.quantity
            elif counts == "charged":
                added = sum([s.quantity for s in work.steps if s.kind == "tariff" and s.numerator])
            else:
                added = amount if counts == "amount" else 1
            if added:
                key = accumulator.counter.key(work.contract.identity, work.account.terms.cycle_day, work.day)
                work.accruals.append((key, added))


def _joined(pairs: Pairs) -> tuple[tuple[str, int], ...]:
    """Add up what goes to the same key."""
    sums: dict[str, int] = {}
    for key, quantity in pairs:
        sums[key] = sums.get(key, 0) + quantity
    return tuple(sums.items())


def next_switch(plan: Plan, contract: Contract, account: Account, usage: Usage) -> int:
    """Give the next moment (ms) at which the tariff of a running call changes, after what it has used so far; 0 = none.

    Looks at the bands of the price that the usage meets, eight days ahead at most.
    """
    if usage.service not in plan.services:
        return 0
    names = tuple([held.offering for held in plan.valid_subscriptions(contract, usage.start_ms)])
    price = price_of(plan.profile(usage.service, names), usage, contract, account)
    if price is None or price.table is None or not price.timed:
        return 0
    return price.table.next_switch(usage.start_ms // 1000 + usage.quantity) * 1000


def quantity_max(plan: Plan, service: str) -> int:
    """Give the largest quantity of one usage of a service, and of one quota, base units; 0 = no such service."""
    known = plan.services.get(service)
    return known.quantity_max if known is not None else 0

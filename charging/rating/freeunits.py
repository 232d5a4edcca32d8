"""Free units before money: allowances of the period and unit books, in the order of their priority.

Each source covers, in the order of time, what is in its scope and not yet covered, until it is empty. What a source
covers may be a part of the call only (a night allowance); what is left over is charged by the tariff.
"""

from charging.base.account import MONEY, Account, Book
from charging.base.contract import Contract, Subscription
from charging.base.localtime import Span, span
from charging.base.usage import Step, Usage
from charging.plans.compiled import OPEN_END, CompiledAllowance, Grant
from charging.plans.plan import Plan, Profile

Parts = list[tuple[int, int]]


class Source:
    """One allowance or book with what is left in it."""

    __slots__ = ("allowance", "book", "cap_key", "cap_left", "keys", "label", "left", "order", "quota")

    def __init__(
        self,
        order: tuple[int, int, int, str],
        left: int,
        allowance: CompiledAllowance | None,
        keys: tuple[str, ...],
        label: str,
        quota: int,
        book: str = "",
    ) -> None:
        self.quota = quota
        self.cap_key = ""
        self.cap_left = 0
        self.order = order
        self.left = left
        self.allowance = allowance
        self.keys = keys
        self.label = label
        self.book = book


class Taken:
    """What the free units did to a usage."""

    __slots__ = ("accruals", "capped", "depends", "parts", "steps", "takes")

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.steps: list[Step] = []
        self.takes: list[tuple[str, int]] = []
        self.accruals: list[tuple[str, int]] = []
        self.depends = False
        self.capped: dict[str, int] = {}
        """What this usage took of a member cap already: several sources may share one."""


def take(
    plan: Plan,
    profile: Profile,
    held: list[Subscription],
    usage: Usage,
    contract: Contract,
    account: Account,
    parts: Parts,
    day: int,
) -> Taken:
    """Cover what can be covered of the parts of a usage."""
    taken = Taken(parts)
    sources: list[Source] = []
    for grant in profile.grants:
        for test in grant.allowance.tests:
            if not test(usage, contract, account):
                break
        else:
            taken.depends = taken.depends or not grant.allowance.per_call
            sources.extend(grant_sources(grant, held, contract, account, plan, day))
    unit = plan.services[usage.service].unit
    books = [book for book in account.books if book.unit == unit]
    if books:
        found = _book_sources(plan, books, usage, contract, account, day)
        if found:
            taken.depends = True
            sources = sorted([*sources, *found], key=_order)
    start_s = usage.start_ms // 1000
    for source in sources:
        if source.left > 0 and taken.parts:
            _cover(source, taken, unit, start_s)
    return taken


def has_books(account: Account, unit: str) -> bool:
    """Say whether the account has a book of the unit at all: the quick question before the long one."""
    for book in account.books:  # noqa: SIM110 - a generator costs more than the test
        if book.unit != MONEY and book.unit == unit and book.amount > 0:
            return True
    return False


def _order(source: Source) -> tuple[int, int, int, str]:
    return source.order


def grant_sources(
    grant: Grant, held: list[Subscription], contract: Contract, account: Account, plan: Plan, day: int
) -> list[Source]:
    """Give what is left of an allowance: its own quota, and what rolled over, in order of consumption."""
    allowance = grant.allowance
    identity = contract.identity
    if allowance.per_call:
        return [
            Source((allowance.priority, 0, 0, allowance.name), grant.quota, allowance, (), allowance.label, grant.quota)
        ]
    if allowance.by_subscription:
        return [_subscription_source(allowance, held[place], identity, account, day) for place in grant.places]
    key = allowance.counter.key(identity, account.cycle_day, day)
    quota = grant.quota
    period: Span | None = None
    if not grant.plain:
        period = span(allowance.counter.period, day, account.cycle_day)
        quota = _quota(grant, held, plan, period.start, period.end)
    used = account.accumulators.get(key, 0)
    own = Source((allowance.priority, 0, 0, allowance.name), quota - used, allowance, (key,), allowance.label, quota)
    _cap_member(own, allowance, identity, account, day)
    if period is None or allowance.roll_counter is None:
        return [own]
    rolled = _rolled(grant, held, contract, account, plan, period, day)
    return [rolled, own] if allowance.roll_first else [own, rolled]


def _subscription_source(
    allowance: CompiledAllowance, subscription: Subscription, identity: str, account: Account, day: int
) -> Source:
    """Give the one quota of a subscription; its start is part of the accumulator's id, so that each has its own."""
    key = allowance.counter.key_since(identity, subscription.valid_from_ms)
    left = allowance.quota - account.accumulators.get(key, 0)
    order = (allowance.priority, 0, 0, allowance.name)
    source = Source(order, left, allowance, (key,), allowance.label, allowance.quota)
    _cap_member(source, allowance, identity, account, day)
    return source


def _rolled(
    grant: Grant,
    held: list[Subscription],
    contract: Contract,
    account: Account,
    plan: Plan,
    period: Span,
    day: int,
) -> Source:
    allowance = grant.allowance
    before = account.accumulators.get(allowance.counter.key_before(contract.identity, account.cycle_day, day), 0)
    quota = _quota(grant, held, plan, period.previous_start, period.start)
    counter = allowance.roll_counter or allowance.counter
    key = counter.key(contract.identity, account.cycle_day, day)
    rolled = min(allowance.roll_limit, max(0, quota - before))
    left = rolled - account.accumulators.get(key, 0)
    label = f"{allowance.label}, rolled over"
    source = Source((allowance.priority, 0, 0, allowance.name), left, allowance, (key,), label, rolled)
    _cap_member(source, allowance, contract.identity, account, day)
    return source


def _quota(grant: Grant, held: list[Subscription], plan: Plan, start: int, end: int) -> int:
    """Give the quota of a period of days: only subscriptions that began before its end count, cut by days if agreed."""
    allowance = grant.allowance
    total = 0
    for place in grant.places:
        begun = plan.local.day(held[place].valid_from_ms // 1000)
        if begun >= end:
            continue
        days = end - max(begun, start) if allowance.prorated else end - start
        total += -(-allowance.quota * days // (end - start))
    return total


def _cap_member(source: Source, allowance: CompiledAllowance, identity: str, account: Account, day: int) -> None:
    if allowance.member_cap:
        source.cap_key = allowance.member_counter.key(identity, account.cycle_day, day)
        source.cap_left = allowance.member_cap - account.accumulators.get(source.cap_key, 0)
        source.keys = (*source.keys, source.cap_key)


def _book_sources(
    plan: Plan, books: list[Book], usage: Usage, contract: Contract, account: Account, day: int
) -> list[Source]:
    found = []
    for book in books:
        if book.amount <= 0 or not book.valid_at(usage.start_ms):
            continue
        allowance: CompiledAllowance | None = None
        if book.allowance:
            allowance = plan.allowances.get(book.allowance)
            if allowance is None or not all(test(usage, contract, account) for test in allowance.tests):
                continue
        order = (book.priority, 1, book.valid_to_ms or OPEN_END, book.book_id)
        source = Source(order, book.amount, allowance, (), book.book_id, book.amount, book.book_id)
        if allowance is not None:
            _cap_member(source, allowance, contract.identity, account, day)
        found.append(source)
    return found


def _cover(source: Source, taken: Taken, unit: str, start_s: int) -> None:
    """Let a source cover what it can, and cut the parts that are left."""
    allowance = source.allowance
    increment = 1 if allowance is None else allowance.increment
    table = None if allowance is None else allowance.table
    inside: Parts = taken.parts
    left_over: Parts = []
    if table is not None:
        inside, left_over = _split(taken.parts, table.runs(start_s, taken.parts[-1][1]))
    at_most = source.left
    if source.cap_key:
        at_most = min(at_most, source.cap_left - taken.capped.get(source.cap_key, 0))
    left = at_most
    for a, b in inside:
        if left <= 0:
            left_over.append((a, b))
            continue
        units = min(left, -(-(b - a) // increment) * increment)
        covered = min(b - a, left)
        left -= units
        if covered < b - a:
            left_over.append((a + covered, b))
    units = at_most - left
    if units <= 0:
        return
    if source.cap_key:
        taken.capped[source.cap_key] = taken.capped.get(source.cap_key, 0) + units
    taken.parts = _joined(left_over)
    rule = source.book or (allowance.name if allowance else "")
    origin = allowance.origin if allowance else ""
    detail = source.label + allowance.changed if allowance else source.label
    taken.steps.append(Step("book" if source.book else "allowance", rule, origin, units, unit, 0, 1, detail))
    if source.book:
        taken.takes.append((source.book, units))
    taken.accruals.extend([(key, units) for key in source.keys])


def _joined(parts: Parts) -> Parts:
    """Put parts in order and join those that touch: what charges them begins no new increment inside."""
    joined: Parts = []
    for a, b in sorted(parts):
        if joined and joined[-1][1] == a:
            joined[-1] = (joined[-1][0], b)
        else:
            joined.append((a, b))
    return joined


def _split(parts: Parts, runs: list[tuple[int, int]]) -> tuple[Parts, Parts]:
    """Cut parts at the borders of runs: those of index 0 are inside."""
    inside: Parts = []
    outside: Parts = []
    for a, b in parts:
        at = a
        for end, index in runs:
            if end <= at:
                continue
            cut = min(end, b)
            (inside if index == 0 else outside).append((at, cut))
            at = cut
            if at == b:
                break
    return inside, outside

"""Free units before money: allowances of the period and unit books, in the order of `charging.base.consumption`.

Each source covers, in the order of time, what is in its scope and not yet covered, until it is empty. What a source
covers may be a part of the call only (a night allowance); what is left over is charged by the tariff.

Quantities are base units of the service: seconds, bytes or events. A part (a, b) of a usage is what lies from offset a,
inclusive, to b; for a call these are seconds since it began, so that bands of the day can cut it. Parts are kept in
order and apart from each other.
"""

from charging.base import consumption
from charging.base.account import MONEY, Account, Book
from charging.base.consumption import Order
from charging.base.contract import Contract, Subscription
from charging.base.localtime import Span, span
from charging.base.usage import Step, Usage
from charging.plans.compiled import CompiledAllowance, GrantedAllowance
from charging.plans.plan import Plan, Profile

Parts = list[tuple[int, int]]
"""Offsets [from, to) in base units, ascending."""


class Source:
    """One allowance or book with what is left in it, base units.

    `left` may be negative: a subscription may have ended that gave some of what was used. `cap_left` is what the member
    may still take in the period, and means nothing without `cap_key`. `keys` are the accumulators that what is taken
    counts for; a book has none but its member's cap, since its balance says what was taken.
    """

    __slots__ = ("allowance", "book", "cap_key", "cap_left", "keys", "label", "left", "order", "quota")

    def __init__(
        self,
        order: Order,
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


class FreeUnitsTaken:
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
) -> FreeUnitsTaken:
    """Cover what can be covered of the parts of a usage; what is left is in `FreeUnitsTaken.parts`.

    `day` is the local day on which the usage began: all of it counts for the periods of that day, also what lies behind
    midnight. `FreeUnitsTaken.depends` is true as soon as an accumulator was read or a book has something, since then
    the outcome holds for this state of the account alone.
    """
    taken = FreeUnitsTaken(parts)
    sources: list[Source] = []
    for grant in profile.grants:
        # Plain loops and their else: this runs for each charge, and a generator would cost more than the tests.
        for test in grant.allowance.tests:
            if not test(usage, contract, account):
                break
        else:
            # What is free in each call anew counts for no period, so no state can change it.
            taken.depends = taken.depends or not grant.allowance.per_call
            sources.extend(grant_sources(grant, held, contract, account, plan, day))
    unit = plan.services[usage.service].unit
    books = [book for book in account.books if book.unit == unit]
    if books:
        found = _book_sources(plan, books, usage, contract, account, day)
        if found:
            taken.depends = True
            # Grants come sorted already. The sort is stable, so an allowance stays with what rolled over into it, in
            # the order that the catalogue asks for: both have one key.
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


def _order(source: Source) -> Order:
    return source.order


def grant_sources(
    grant: GrantedAllowance, held: list[Subscription], contract: Contract, account: Account, plan: Plan, day: int
) -> list[Source]:
    """Give what is left of an allowance: its own quota, and what rolled over, in order of consumption, base units.

    One source; two where something rolls over; one for each subscription where each has a quota of its own. `day` is
    the local day of the usage.
    """
    allowance = grant.allowance
    identity = contract.identity
    order = consumption.of_allowance(allowance.priority, allowance.name)
    if allowance.per_call:
        return [Source(order, grant.quota, allowance, (), allowance.label, grant.quota)]
    if allowance.by_subscription:
        return [_subscription_source(allowance, held[place], identity, account, day) for place in grant.places]
    key = allowance.counter.key(identity, account.terms.cycle_day, day)
    quota = grant.quota
    period: Span | None = None
    if not grant.plain:
        period = span(allowance.counter.period, day, account.terms.cycle_day)
        quota = _quota(grant, held, plan, period.start, period.end)
    used = account.accumulators.get(key, 0)
    own = Source(order, quota - used, allowance, (key,), allowance.label, quota)
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
    order = consumption.of_allowance(allowance.priority, allowance.name)
    source = Source(order, left, allowance, (key,), allowance.label, allowance.quota)
    _cap_member(source, allowance, identity, account, day)
    return source


def _rolled(
    grant: GrantedAllowance,
    held: list[Subscription],
    contract: Contract,
    account: Account,
    plan: Plan,
    period: Span,
    day: int,
) -> Source:
    """Give what rolled over: what the period before left of its quota, up to the limit, less what was taken of that.

    Nothing is moved when a period begins. What was used before stands in the accumulator of the period before, what
    was taken of the rest in one of its own (`roll_counter`), so that late usage of either period finds its figure.
    """
    allowance = grant.allowance
    before = account.accumulators.get(allowance.counter.key_before(contract.identity, account.terms.cycle_day, day), 0)
    quota = _quota(grant, held, plan, period.previous_start, period.start)
    counter = allowance.roll_counter or allowance.counter
    key = counter.key(contract.identity, account.terms.cycle_day, day)
    rolled = min(allowance.roll_limit, max(0, quota - before))
    left = rolled - account.accumulators.get(key, 0)
    label = f"{allowance.label}, rolled over"
    order = consumption.of_allowance(allowance.priority, allowance.name)
    source = Source(order, left, allowance, (key,), label, rolled)
    _cap_member(source, allowance, contract.identity, account, day)
    return source


def _quota(grant: GrantedAllowance, held: list[Subscription], plan: Plan, start: int, end: int) -> int:
    """Give the quota of the local days [start, end): only subscriptions that began before its end count.

    A subscription that began inside gives its share of the days, rounded up, where the allowance is prorated.
    """
    allowance = grant.allowance
    total = 0
    for place in grant.places:
        begun = plan.local.day(held[place].valid_from_ms // 1000)
        if begun >= end:
            continue
        days = end - max(begun, start) if allowance.prorated else end - start
        # Divided upwards: the part of a unit goes to the subscriber, and a whole period gives the quota exactly.
        total += -(-allowance.quota * days // (end - start))
    return total


def _cap_member(source: Source, allowance: CompiledAllowance, identity: str, account: Account, day: int) -> None:
    """Bound a source by what one member may take of it in the period, and count what it takes for the member too."""
    if allowance.member_cap:
        source.cap_key = allowance.member_counter.key(identity, account.terms.cycle_day, day)
        source.cap_left = allowance.member_cap - account.accumulators.get(source.cap_key, 0)
        source.keys = (*source.keys, source.cap_key)


def _book_sources(
    plan: Plan, books: list[Book], usage: Usage, contract: Contract, account: Account, day: int
) -> list[Source]:
    """Give the books that hold at the beginning of the usage and whose allowance, if they are bound to one, fits it.

    A book that is bound to an allowance which the catalogue has no more covers nothing: nobody knows its scope.
    """
    found = []
    for book in books:
        if book.amount <= 0 or not book.valid_at(usage.start_ms):
            continue
        allowance: CompiledAllowance | None = None
        if book.allowance:
            allowance = plan.allowances.get(book.allowance)
            if allowance is None or not all(test(usage, contract, account) for test in allowance.tests):
                continue
        source = Source(consumption.of_book(book), book.amount, allowance, (), book.book_id, book.amount, book.book_id)
        if allowance is not None:
            _cap_member(source, allowance, contract.identity, account, day)
        found.append(source)
    return found


def _cover(source: Source, taken: FreeUnitsTaken, unit: str, start_s: int) -> None:
    """Let a source cover what it can, in order of time, and cut the parts that are left.

    Each part is covered in increments that begin with it: a part of 61 s costs a source with increments of 60 s two of
    them, 120 s, or as much of that as is left in it.
    """
    allowance = source.allowance
    increment = 1 if allowance is None else allowance.increment
    table = None if allowance is None else allowance.table
    inside: Parts = taken.parts
    left_over: Parts = []
    if table is not None:
        # Outside of the allowance's bands nothing is covered: those parts are left over from the start.
        inside, left_over = _split(taken.parts, table.runs(start_s, taken.parts[-1][1]))
    at_most = source.left
    if source.cap_key:
        # The accumulator doesn't know yet what another source has just given the same member.
        at_most = min(at_most, source.cap_left - taken.capped.get(source.cap_key, 0))
    left = at_most
    for a, b in inside:
        if left <= 0:
            left_over.append((a, b))
            continue
        # Paid are whole increments, the last one cut short by an empty source; covered is no more than was used.
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
    """Cut parts at the borders of runs: those of index 0 are inside.

    Runs are (offset at which it ends, index), ascending, and reach at least to the end of the last part.
    """
    inside: Parts = []
    outside: Parts = []
    for a, b in parts:
        at = a
        for end, index in runs:
            if end <= at:
                continue  # it lies before the part
            cut = min(end, b)
            (inside if index == 0 else outside).append((at, cut))
            at = cut
            if at == b:
                break
    return inside, outside

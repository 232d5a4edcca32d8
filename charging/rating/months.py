"""A stretch of use priced as it would run: each usage on what those before it left of allowances, tiers and caps.

Nothing is posted: accumulators run on a copy of the account. Fees are those that a contract brings for the time,
whether somebody posts them or not. Amounts are micro-units, quantities base units, times UTC.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from charging.base.account import Account
from charging.base.accumulators import parts
from charging.base.contract import Contract, Subscription
from charging.base.localtime import day_text
from charging.base.usage import Charge, Usage
from charging.ledger.ledger import available_view
from charging.plans.plan import Plan
from charging.rating.due_fees import of_time
from charging.rating.rating import rate

PlanAt = Callable[[int], Plan]
FREE = ("allowance", "book")


class FeeOfTime(Struct, frozen=True):
    """What one fee of an offering comes to."""

    fee: str
    offering: str
    amount: int


class RunningUse:
    """An account whose accumulators run on, usage by usage in the order of time."""

    def __init__(self, plan_at: PlanAt, contract: Contract, account: Account, from_ms: int) -> None:
        """`account` is as it is now; what counts for periods that begin at `from_ms` or later begins with nothing."""
        self._plan_at = plan_at
        self.contract = contract
        first = day_text(plan_at(from_ms).local.day(from_ms // 1000))
        begun = available_view(account)
        kept = {key: held for key, held in begun.accumulators.items() if not _later(key, first)}
        self.account = replace(begun, accumulators=kept)

    def price(self, usage: Usage) -> Charge:
        """Rate the next usage, and count it. Raises `charging.plans.unrated.Unrated`."""
        charge = rate(self._plan_at(usage.start_ms), usage, self.contract, self.account)
        counted = self.account.accumulators
        for key, added in charge.accruals:
            # In place: the copy is this object's own, and a new one for each usage would cost more than the rating.
            counted[key] = counted.get(key, 0) + added
        if charge.takes:
            self.account = _taken(self.account, charge)
        return charge


def drafted(contract: Contract, offerings: tuple[str, ...], from_ms: int) -> Contract:
    """Give a contract that holds other offerings from a moment on, and nothing else of what it subscribed to."""
    if not offerings:
        return contract
    return replace(contract, subscriptions=tuple(Subscription(each, from_ms) for each in offerings))


def fees_of(plan: Plan, contract: Contract, account: Account, from_ms: int, to_ms: int) -> Iterator[FeeOfTime]:
    """Give the recurring fees of what a contract holds in a stretch of time, each offering's own.

    Asked when the time is over, so that a fee that is a minimum finds what was counted. Raises what `fee` raises.
    """
    for held in contract.subscriptions:
        sold = plan.offerings.get(held.offering)
        begins_ms, ends_ms = max(from_ms, held.valid_from_ms), min(to_ms, _end_ms(plan, held) or to_ms)
        if sold is None or begins_ms >= ends_ms:
            continue
        for name in sold.fees:
            if name in plan.fees and plan.fees[name].recurring:
                due = of_time(plan, name, contract, account, held, begins_ms, ends_ms)
                yield FeeOfTime(name, held.offering, due.amount)


def free_of(charge: Charge) -> int:
    """Give what free units covered; whole increments, so it may be more than was used."""
    return sum(step.quantity for step in charge.steps if step.kind in FREE)


def _later(key: str, first: str) -> bool:
    period = parts(key).period
    return period.isdecimal() and period >= first


def _taken(account: Account, charge: Charge) -> Account:
    taken = dict(charge.takes)
    books = [
        replace(book, amount=book.amount - taken[book.book_id]) if book.book_id in taken else book
        for book in account.books
    ]
    return replace(account, books=tuple(books))


def _end_ms(plan: Plan, held: Subscription) -> int:
    lasts_ms = plan.limited.get(held.offering, 0)
    return held.valid_to_ms or (held.valid_from_ms + lasts_ms if lasts_ms else 0)

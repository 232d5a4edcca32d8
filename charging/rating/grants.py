"""How much quota an account covers: the largest, also where more costs less.

Cost rises with the quantity as long as the same rules make it. Where others do it may fall: a volume price is cheaper
for all units behind a border, a discount begins at a quantity or an amount. Which rules made a charge is read off its
steps, so the search looks between two quantities only where the rules are not the same, or where the border between
what is covered and what is not must lie; from the top down, so that the first that is covered is the largest.
"""

from collections.abc import Callable

from msgspec import Struct

from charging.base.usage import Charge
from charging.errors import Invalid
from charging.ledger.session_state import Kept

GRANT_RATINGS_MAX = 1_000
"""A search ends then, with the largest quantity found so far: what a request costs is bounded. Enough for twenty
borders where rules change; of more, a grant may come out smaller than it could be, never larger."""

STEP_RATINGS_MAX = 16_000
"""Of all searches of one step together: of many units each may try fewer."""

Rules = frozenset[tuple[str, str, str]]


class Attempt(Struct, frozen=True):
    """What a quantity would cost, and what keeps it."""

    charge: Charge | None
    """None = nothing prices it."""
    kept: Kept | None
    """None = the account does not cover it."""

    @property
    def rules(self) -> Rules:
        """Name the rules that made the charge."""
        if self.charge is None:
            return frozenset()
        return frozenset((step.kind, step.rule, step.detail) for step in self.charge.steps if step.kind in _PRICING)


_PRICING = ("tariff", "discount", "minimum", "cap")
NOTHING = Attempt(None, None)


def attempt(rate: Callable[[], Charge], keep: Callable[[Charge], Kept | None]) -> Attempt:
    """Try one quantity. What can't be priced, or would be absurd, can't be granted."""
    try:
        charge = rate()
    except Invalid:
        return NOTHING
    return Attempt(charge, keep(charge))


def largest(
    requested: int, attempt_of: Callable[[int], Attempt], ratings_max: int = GRANT_RATINGS_MAX
) -> tuple[int, Attempt]:
    """Give the largest quantity up to what is requested that is covered, base units, with its attempt; 0 when none is.

    Tries `ratings_max` quantities at most.
    """
    tried: dict[int, Attempt] = {}

    def look(quantity: int) -> Attempt:
        if quantity not in tried:
            tried[quantity] = attempt_of(quantity)
        return tried[quantity]

    pending = [(min(1, requested), requested)] if requested else []
    # `pending` is a stack with the upper half on top, so quantities are ruled out from above. Between two that are made
    # by the same rules and both not covered, nothing can be: cost rises in between.
    while pending and len(tried) < ratings_max:
        low, high = pending.pop()
        above, below = look(high), look(low)
        if above.kept is not None:
            return high, above
        if low == high:
            continue
        if high - low == 1:
            if below.kept is not None:
                return low, below
        elif below.kept is not None or below.rules != above.rules:
            middle = (low + high) // 2
            pending += ((low, middle), (middle, high))
    best = max((quantity for quantity, found in tried.items() if found.kept is not None), default=0)
    return best, tried.get(best, NOTHING)

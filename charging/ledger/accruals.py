"""Adding to the accumulators of an account."""

from sys import intern

from charging.base.accumulators import counter_of
from charging.base.lateness import forgotten
from charging.ledger.funds import Pairs


def accrue(accumulators: dict[str, int], accruals: Pairs, sign: int = 1) -> dict[str, int]:
    """Add to accumulators. With a new period those go that no usage can need any more, see `charging.base.lateness`.

    What is taken off a period that is gone is dropped with it.
    """
    changed = dict(accumulators)
    accrue_into(changed, accruals, sign)
    return changed


def accrue_into(changed: dict[str, int], accruals: Pairs, sign: int) -> None:
    """Do the same with accumulators that nobody else holds."""
    for key, quantity in accruals:
        known = changed.get(key)
        if known is not None:
            changed[key] = known + sign * quantity
        elif sign * quantity > 0:
            changed[intern(key)] = sign * quantity
            _forget(changed, key)


def added(accumulators: dict[str, int], accruals: Pairs) -> dict[str, int]:
    """Add to accumulators and forget nothing."""
    changed = dict(accumulators)
    for key, quantity in accruals:
        changed[key] = changed.get(key, 0) + quantity
    return changed


def _forget(accumulators: dict[str, int], new: str) -> None:
    counter = counter_of(new)
    for key in forgotten(sorted([key for key in accumulators if counter_of(key) == counter])):
        del accumulators[key]

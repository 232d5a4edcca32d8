"""Adding to the accumulators of an account."""

from sys import intern

from charging.base.account import Account
from charging.base.accumulators import counter_of
from charging.base.lateness import BEFORE_KEPT, forgotten
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


def is_kept(account: Account, key: str) -> bool:
    """Say whether an account has a counter, or would have it if it had counted anything."""
    accumulators = account.accumulators
    if key in accumulators:
        return True
    counter = counter_of(key)
    return len([each for each in accumulators if each > key and counter_of(each) == counter]) < BEFORE_KEPT


def _forget(accumulators: dict[str, int], new: str) -> None:
    counter = counter_of(new)
    for key in forgotten(sorted([key for key in accumulators if counter_of(key) == counter])):
        del accumulators[key]

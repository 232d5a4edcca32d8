"""Many uses of one subscriber, rated one after the other, each on the state that the one before left."""

from collections.abc import Callable

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.lateness import LATE_MS_MAX, TOO_LATE, within_cycles
from charging.base.usage import Charge, SealedCharge, Usage
from charging.errors import Invalid, Refused
from charging.ledger.commands.post_usage import PostUsage, RatedUse, set_aside
from charging.ledger.ledger import seal
from charging.ledger.running import ChargeRun
from charging.ledger.usecolumns import UseColumns
from charging.rating.alike import AlikeUses

Rate = Callable[[Usage, Account], Charge]


def rated_uses(
    order: PostUsage, account: Account, now_ms: int, rate: Rate, alike_of: Callable[[Account], AlikeUses]
) -> PostUsage:
    """Rate all uses; one that can't be charged has the reason, and the next is rated as if it were not there.

    A use is set aside that has a price and can't have it alone: what it counts for is kept no more, or it replaces what
    was charged for a part of it. `alike_of` gives what rates most of them, on an account that runs on; the rest `rate`
    does, as it does all uses that are charged one by one.
    """
    rated: list[RatedUse | None] = []
    columns = UseColumns()
    run, replaced = ChargeRun(account, now_ms), {each.use: each for each in order.replaces}
    alike, late_ms = alike_of(run.running()), now_ms - LATE_MS_MAX
    for place, usage in enumerate(order.uses):
        part = replaced.get(place) if replaced else None
        late = usage.start_ms < late_ms
        try:
            if part is None and not late and alike.post(usage, run, columns):
                rated.append(None)
                continue
            charge = None if late else alike.charge(usage, rate)
            if charge is None:
                charge = _charge(usage, run.state(), now_ms, rate)
            if charge is None or part is not None:
                set_aside(account, usage, part)
                rated.append(RatedUse(None, set_aside=True))
                continue
            run.take(usage, charge)
            alike.took(charge.accruals)
        except (Refused, Invalid) as fault:
            rated.append(RatedUse(None, fault.reason, fault.message))
        else:
            if charge.takes:
                rated.append(RatedUse(charge))
            else:
                columns.charge(usage, charge)
                rated.append(None)
    return _as_it_travels(order, account, rated, columns)


def _as_it_travels(order: PostUsage, account: Account, rated: list[RatedUse | None], columns: UseColumns) -> PostUsage:
    """Give what was rated: all in columns, or use by use when some were not charged, or by books that were named."""
    based = replace(order, base_version=account.version, base_mark=account.mark)
    if None not in rated:
        return replace(based, rated=tuple([each for each in rated if each is not None]))
    made = columns.made(order.uses[0].identity)
    if len(made.amounts) == len(rated):
        return replace(based, uses=(), replaces=(), rated=(), charged=made)
    charges = iter(made.charges())
    return replace(based, rated=tuple([RatedUse(next(charges)[1]) if each is None else each for each in rated]))


def _charge(usage: Usage, state: Account, now_ms: int, rate: Rate) -> SealedCharge | None:
    """Rate one use; None = it has a price, but what it counts for is kept no more."""
    try:
        return seal(rate(usage, state))
    except Invalid as fault:
        terms = state.terms
        if fault.reason != TOO_LATE or not within_cycles(terms.zone, terms.cycle_day, usage.start_ms, now_ms):
            raise
        return None

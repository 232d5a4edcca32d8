"""Many uses of one subscriber, rated one after the other, each on the state that the one before left."""

from collections.abc import Callable

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.usage import Charge, Usage
from charging.errors import Invalid, Refused
from charging.ledger.commands.post_usage import PostUsage, RatedUse, take_use
from charging.ledger.ledger import seal


def rated_uses(order: PostUsage, account: Account, now_ms: int, rate: Callable[[Usage, Account], Charge]) -> PostUsage:
    """Rate all uses; one that can't be charged has the reason, and the next is rated as if it were not there."""
    rated: list[RatedUse] = []
    state = account
    for usage in order.uses:
        try:
            charge = seal(rate(usage, state))
            _, state = take_use(state, usage, charge, account, now_ms)
        except (Refused, Invalid) as fault:
            rated.append(RatedUse(None, fault.reason, fault.message))
        else:
            rated.append(RatedUse(charge))
    return replace(order, rated=tuple(rated), base_version=account.version, base_mark=account.mark)

"""What the catalogue of a region says of paying late, put into the commands that need it."""

from msgspec.structs import replace

from charging.base.account import Account
from charging.errors import Refused
from charging.ledger.commands.dun import Dun
from charging.ledger.commands.take_over_bill import TakeOverBill
from charging.plans.dunning import dunning_of
from charging.plans.plan import Plan

DAY_MS = 86_400_000


def dunned(order: Dun | TakeOverBill, account: Account, plan: Plan | None, now_ms: int) -> Dun | TakeOverBill:
    """Give a command with the rule of the account's kind in it: steps, or what paying late costs.

    Numbers of an account that a step ends rest as those of any that closes.

    Refused DUNNING_QUIET while the rule has no steps taken: nothing is kept under the key, so it may be repeated later.
    """
    rule = dunning_of(plan.dunning, account) if plan is not None else None
    if rule is None:
        return order
    if isinstance(order, TakeOverBill):
        return replace(order, late=rule.late)
    until_ms = rule.quiet_until_ms(now_ms)
    if until_ms:
        text = f"no step of {rule.rule_id!r} is taken at this hour"
        raise Refused("DUNNING_QUIET", text, facts={"until_ms": str(until_ms)})
    days = plan.merged.quarantine_days if plan is not None else 0
    return replace(order, steps=rule.steps, rests_until_ms=now_ms + days * DAY_MS if days else 0)

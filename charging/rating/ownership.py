"""What it costs to give an account to another customer: the fees that its offerings have for it."""

from collections.abc import Mapping
from typing import Final

from charging.base.account import Account
from charging.base.bounds import DUES_MAX
from charging.base.contract import Contract
from charging.base.due import Due
from charging.errors import Refused
from charging.ledger.dues import Dues
from charging.plans.plan import Plan
from charging.rating.due_fees import fees_of, once

OWNERSHIP: Final = "ownership"
"""Event that a one-time fee falls due by."""


def costs(plan: Plan) -> bool:
    """Say whether any offering has a fee for it, so that contracts must be looked at."""
    return any(entry.value.event == OWNERSHIP for entry in plan.merged.fees.values() if entry.value.kind == "one_time")


def of_ownership(plan: Plan, contracts: Mapping[str, Contract], account: Account, now_ms: int) -> Dues:
    """Give the fees of a change of customer, for what each member holds at the moment.

    Raises `Refused` MEMBERS_TOO_MANY, and what `charging.rating.fees.fee` raises.
    """
    taken: list[Due] = []
    for member in account.members:
        contract = contracts[member]
        for held in contract.subscriptions:
            for fee_id, value in fees_of(plan, held.offering) if held.valid_at(now_ms) else ():
                if value.kind == "one_time" and value.event == OWNERSHIP:
                    taken += once(plan, contract, account, held, fee_id, now_ms)
    if len(taken) > DUES_MAX:
        text = f"it brings {len(taken)} fees, and one entry posts {DUES_MAX} at most: let some members leave first"
        raise Refused("MEMBERS_TOO_MANY", text, facts={"most": str(DUES_MAX)})
    return Dues(tuple(taken), account.version, account.mark)

"""What a principal may ask for, and what of it only together with another one, held against the amount of a command."""

from msgspec.structs import replace

from charging.base.account import Account
from charging.errors import Fault
from charging.ledger.commands.approve import Approve
from charging.ledger.commands.open_account import OpenAccount
from charging.ledger.commands.propose import proposal_of
from charging.ledger.permission import Permission, amount_denied
from domainservers.desk.answers import not_at_opening
from domainservers.desk.item import Item


def hold_amount(item: Item, account: Account | None, permission: Permission) -> Fault | None:
    """Hold a command against what its principal may ask for; what it may not do alone becomes a proposal in `item`.

    Gives what stands against it; None = it goes on, perhaps as that proposal. An approval is held against the amount of
    what it approves, so nobody lets through what is above his own limit.
    """
    command = item.command
    action = command.action
    amount = action.at_stake()
    if isinstance(action, Approve) and account is not None:
        amount = max((each.amount for each in account.open.proposals if each.key == action.of_key), default=0)
    if not permission.allows(amount):
        return amount_denied(command.principal, action.permission(), permission.amount_max)
    if not permission.alone(amount):
        if action.traits.proposable:
            item.command = replace(command, action=proposal_of(action))
        elif isinstance(action, OpenAccount):
            return not_at_opening(command.principal)
    return None

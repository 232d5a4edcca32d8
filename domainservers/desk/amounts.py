"""What a principal may ask for, and what of it only together with another one, held against the amount of a command."""

from msgspec.structs import replace

from charging.base.account import Account
from charging.ledger.commands import Approve, OpenAccount
from charging.ledger.handlers.approvals import PROPOSABLE, proposal_of
from charging.ledger.permission import Permission, amount_denied, amount_of, name_of
from domainservers.desk.item import Item, not_at_opening


def hold_amount(item: Item, account: Account | None, permission: Permission) -> None:
    """Hold a command against what its principal may ask for; what it may not do alone becomes a proposal."""
    command = item.command
    action = command.action
    amount = amount_of(action)
    if isinstance(action, Approve) and account is not None:
        amount = max((each.amount for each in account.proposals if each.key == action.of_key), default=0)
    if not permission.allows(amount):
        item.fault = amount_denied(command.principal, name_of(action), permission.amount_max)
    elif not permission.alone(amount):
        if isinstance(action, PROPOSABLE):
            item.command = replace(command, action=proposal_of(action))
        elif isinstance(action, OpenAccount):
            item.fault = not_at_opening(command.principal)

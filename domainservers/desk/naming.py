"""Names that a command gives: the id of an account that is opened, and the identities whose contracts are written."""

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.account_id import NEXT_MAX, compose, slot_of
from charging.ledger.command import Command
from charging.ledger.commands.open_account import OpenAccount
from domainservers.desk.item import AccountOpening


def has_next_name(item: AccountOpening, account: Account) -> bool:
    """Give an opening without an id of its own the next one, when the account of this one let the identity go."""
    if not 0 < item.number < NEXT_MAX or item.identity in account.members:
        return False
    item.number += 1
    account_id = compose(slot_of(item.command.account_id), item.identity, item.number)
    item.rename(named(item.command, account_id))
    return True


def named(command: Command, account_id: str) -> Command:
    """Give an opening the id that its account will have."""
    action = command.action
    if not isinstance(action, OpenAccount):
        return command
    contract = replace(action.contract, account_id=account_id)
    return replace(command, account_id=account_id, action=replace(action, account_id=account_id, contract=contract))

"""Openings of accounts, which name no account yet: the owner of the slot gives the id, unless the identity has one."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from charging.base.account_id import compose
from charging.errors import Fault
from charging.ledger.commands.open_account import OpenAccount
from domainservers.desk.item import Item, pack_fault
from domainservers.desk.naming import named
from domainservers.slot.parts import Parts

Then = Callable[[Fault | None], None]
Want = Callable[[str, Then], None]


class Openings:
    """Of one slot; asks for what is not in memory by `want_contract` and `want_account`, gives items on to `take`."""

    def __init__(
        self, parts: Parts, want_contract: Want, want_account: Want, take: Callable[[Sequence[Item]], None]
    ) -> None:
        self._parts = parts
        self._want_contract = want_contract
        self._want_account = want_account
        self._take = take

    def name(self, item: Item) -> None:
        """Let the account that the identity has here answer (it knows the key, or refuses), else give an id."""
        parts, command = self._parts, item.command

        def again(fault: Fault | None) -> None:
            if fault is not None:
                item.sink.answer(item.place, pack_fault(fault))
            else:
                self.name(item)

        known = parts.contracts.get(item.identity)
        if known is None:
            self._want_contract(item.identity, again)
            return
        contract = known.contract
        holder = contract.account_id if contract is not None and contract.status != "ended" else ""
        cell = parts.accounts.cells.get(holder)
        if holder and cell is None:
            self._want_account(holder, again)
            return
        own = command.action.account_id if isinstance(command.action, OpenAccount) else ""
        opening = named(command, compose(parts.name, own or item.identity))
        account = parts.accounts.state(cell) if cell is not None else None
        if account is not None and account.status != "moved":
            opening = replace(opening, account_id=holder)
        item.rename(opening)
        item.number = 0 if own else 1
        self._take([item])

"""Openings of accounts, which name no account yet: the owner of the slot gives the id, unless the identity has one."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from charging.base.account_id import compose
from charging.errors import Broken, Fault
from charging.ledger.commands.open_account import OpenAccount
from domainservers.accounts.accounts import Cell
from domainservers.accounts.memory import Memory
from domainservers.contracts.contracts import Contracts
from domainservers.desk.answers import pack_fault
from domainservers.desk.item import AccountOpening, Item
from domainservers.desk.naming import named
from domainservers.slot.loading import Loading


class AccountNaming:
    """Gives the openings of one slot their account ids; what is decided of them is the desk's."""

    def __init__(
        self,
        slot: str,
        cells: dict[str, Cell],
        memory: Memory,
        contracts: Contracts,
        loading: Loading,
        take: Callable[[Sequence[Item]], None],
    ) -> None:
        """`take` is given each opening that has its account's id now."""
        self._slot = slot
        self._cells = cells
        self._memory = memory
        self._contracts = contracts
        self._loading = loading
        self._take = take

    def name(self, item: Item) -> None:
        """Let the account that the identity has here answer (it knows the key, or refuses), else give an id."""
        command = item.command

        def again(fault: Fault | None) -> None:
            if isinstance(item, AccountOpening):
                item.fresh = True
            if fault is not None:
                item.sink.answer(item.place, pack_fault(fault))
            else:
                self.name(item)

        known = self._contracts.get(item.identity)
        if known is None:
            self._loading.want_contract(item.identity, again)
            return
        contract = known.contract
        holder = contract.account_id if contract is not None and contract.status != "ended" else ""
        cell = self._cells.get(holder)
        if holder and cell is None:
            self._loading.want_account(holder, again)
            return
        own = command.action.account_id if isinstance(command.action, OpenAccount) else ""
        opening = named(command, compose(self._slot, own or item.identity))
        try:
            account = self._memory.state(cell) if cell is not None else None
        except Broken as fault:
            item.sink.answer(item.place, pack_fault(fault))
            return
        if account is not None and account.terms.status != "moved":
            opening = replace(opening, account_id=holder)
        item.rename(opening)
        if isinstance(item, AccountOpening):
            item.number = 0 if own else 1
        self._take([item])

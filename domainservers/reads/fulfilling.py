"""What an item needs before it can be decided, got from the store while its lane waits."""

from collections.abc import Callable

from charging.errors import Fault, Refused
from domainservers.contracts.registry import Registry
from domainservers.desk.item import ContractOf, Holders, Item, Joining, Need, OldEntry, Original
from domainservers.reads.originals import with_charge
from domainservers.reads.past import Past
from domainservers.reads.readers import Readers


class Fulfilling:
    """Gets for the items of one slot what each needs; the lane of an item is blocked until it is told."""

    def __init__(
        self,
        past: Past,
        readers: Readers,
        registry: Registry,
        want_contract: Callable[[str, Callable[[Fault | None], None]], None],
        fulfilled: Callable[[Item, Fault | None], None],
    ) -> None:
        """`fulfilled` is told when what an item needed is in it, or why it can't be had."""
        self._past = past
        self._readers = readers
        self._registry = registry
        self._want_contract = want_contract
        self._fulfilled = fulfilled

    def begin(self, item: Item, need: Need) -> None:
        """Get what an item needs; `fulfilled` is called later."""
        if isinstance(need, ContractOf):
            self._want_contract(need.identity, lambda fault: self._fulfilled(item, fault))
        else:
            self._readers.begin(self._fulfil(item, need), lambda fault: self._fulfilled(item, fault))

    async def _fulfil(self, item: Item, need: Need) -> None:
        if isinstance(need, OldEntry):
            item.found = await self._past.entry_at(need.position)
            if item.found is None:
                item.cleared = need.position  # Older than the journal is kept: unknown again.
        elif isinstance(need, Original):
            item.command = await with_charge(self._past, item.command, need.charge_key)
        elif isinstance(need, Holders) and isinstance(item, Joining):
            await self._take_identities(item, need)
        self._fulfilled(item, None)

    async def _take_identities(self, item: Joining, need: Holders) -> None:
        """Take what the command needs; that another account has one is the command's refusal."""
        fault = await self._registry.take(need.identities, item.command.account_id, need.version)
        if fault is not None and not isinstance(fault, Refused):
            raise fault
        item.refusal, item.taken = fault, True

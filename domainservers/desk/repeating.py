"""Keys that were used before: the stored outcome is told again, to whoever sends the same content."""

from charging.base.account import Account
from charging.ledger.approvals import outcome_now
from domainservers.accounts.accounts import Cell
from domainservers.desk.answers import key_reused, pack_fault, stored, told_again
from domainservers.desk.item import Item, Need, OldEntry
from domainservers.journal.groups import Groups
from domainservers.journal.keys import POSITIONS_PER_GROUP


class Repeating:
    """Answers from recent groups, and from what was read of older ones."""

    def __init__(self, groups: Groups, domain: str) -> None:
        self._groups = groups
        self._domain = domain

    def repeat(self, item: Item, cell: Cell, account: Account | None, position: int) -> Need | None:
        """Answer an item whose key may be that of an entry; when it is another's after all, it is `cleared`.

        Gives what must be read first; None = the item is answered, or `cleared` and to be decided. An answer waits
        until the entry that it repeats is applied: a repeat never tells what could still be lost.
        """
        entry = item.found or self._groups.entry_at(position)
        item.found = None
        if entry is None:
            return OldEntry(position)
        command = item.command
        # The index knows 64 bits of a key: another one may have the same.
        if entry.account_id != command.account_id or entry.key != command.key:
            item.cleared = position
            return None
        if entry.digest != command.digest:
            item.sink.answer(item.place, pack_fault(key_reused()))
            return None
        decided = outcome_now(account, command.key)
        if decided is not None:
            self._groups.reply(cell.seq, item.sink, item.place, told_again(decided))
            return None
        body = stored(entry, self._domain, account)
        self._groups.reply(position // POSITIONS_PER_GROUP, item.sink, item.place, body)
        return None

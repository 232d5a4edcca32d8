"""What a slot knows of its accounts: the one door between a journal's entries and the states that they leave.

Deciding, replaying and healing all set states through here, so what belongs to a state (that it is written down, that
its sessions and transfers are looked after, that a damaged one is not served) can't be forgotten by one of them.
"""

from charging.base.account import Account
from charging.base.subject import kind_of
from charging.errors import Broken
from charging.ledger.entry import Entry
from charging.ledger.ledger import replay
from domainservers.accounts.accounts import Accounts, Cell
from domainservers.accounts.watch import AccountWatch
from domainservers.journal.groups import DEFECTS
from domainservers.journal.quarantine import Quarantine, damaged


class Memory:
    """States of one slot, as they may be served."""

    def __init__(self, accounts: Accounts, watch: AccountWatch, quarantine: Quarantine) -> None:
        self._accounts = accounts
        self._watch = watch
        self._quarantine = quarantine

    def holds_back(self, account_id: str) -> bool:
        """Say whether an account is not served, because something of it was set aside."""
        return bool(self._quarantine.rows) and self._quarantine.holds(account_id)

    def state(self, cell: Cell) -> Account | None:
        """Give the newest state of an account; None = there is no such account.

        Raises `Broken` ACCOUNT_DAMAGED when it is kept back, or unreadable; NO_ACCOUNT when a subject has the id.
        """
        account_id = cell.account_id
        if self._quarantine.rows and self._quarantine.holds(account_id):
            raise damaged(account_id)
        state = cell.state
        if type(state) is Account:
            cell.used = True
            return state
        try:
            return self._accounts.state(cell)
        except DEFECTS as error:
            if kind_of(account_id):
                raise Broken("NO_ACCOUNT", f"{account_id} is no account") from error
            self._quarantine.add_snapshot(cell.seq, account_id, error)
            raise damaged(account_id) from error

    def change(self, cell: Cell, before: Account | None, after: Account, seq: int) -> None:
        """Set a new state, decided in group `seq`, and look after what it has open."""
        self._accounts.change(cell, after, seq)
        if before is None or after.open is not before.open or after.terms is not before.terms:
            self._watch.look(after, before)

    def touch(self, cell: Cell, seq: int) -> None:
        """Note an entry of group `seq` that left the state as it was."""
        self._accounts.touch(cell, seq)

    def look(self, cell: Cell) -> None:
        """Look after what an account has open that was read from its snapshot; one that is kept back waits."""
        try:
            account = self.state(cell)
        except Broken:
            return
        if account is not None:
            self._watch.look(account, None)

    def replay(self, seq: int, index: int, entry: Entry) -> None:
        """Repeat entry `index` of group `seq` on the state in memory, in the journal's order.

        What the account's snapshot holds already is passed over: it may be newer than the checkpoint. An entry that
        does not fit is set aside, and so is every later one of its account. Raises `Corrupt` when that is too much.
        """
        cell = self._accounts.cells[entry.account_id]
        if cell.saved >= seq:
            return
        if self._quarantine.rows and self._quarantine.holds(entry.account_id):
            self._quarantine.add_entry(seq, index, entry.account_id, "an entry before it was set aside")
            return
        if not entry.events:
            self._accounts.touch(cell, seq)
            return
        try:
            cell.used = True
            before = cell.state if type(cell.state) is Account else self._accounts.state(cell)
            after = replay(before, entry)
        except Exception as error:
            self._quarantine.add_entry(seq, index, entry.account_id, f"it does not fit: {error}")
            return
        self.change(cell, before, after, seq)

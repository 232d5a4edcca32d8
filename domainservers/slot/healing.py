"""A second look, at each takeover, at what was set aside: a version that can read it serves the account again.

What is set aside of an account is each of its entries from the first bad one on, so its frozen state and these entries
are its whole past. Only when all of them are read and fit is anything changed.
"""

from collections.abc import Callable, Iterable, Sequence

from charging.base.subject import kind_of
from charging.errors import Fault
from charging.ledger.entry import Entry
from charging.ledger.ledger import replay
from domainservers.accounts.accounts import Accounts, Cell, read_accounts
from domainservers.accounts.memory import Memory
from domainservers.journal.frames import read_group
from domainservers.journal.framing import Frame
from domainservers.journal.groups import DEFECTS, unpack_at
from domainservers.journal.journal import Journal
from domainservers.journal.keys import POSITIONS_PER_GROUP, KeyIndex, fingerprint
from domainservers.journal.quarantine import Aside, Quarantine
from domainservers.subjects.memory import Subjects
from runtime.telemetry import Metrics, logger
from storage.unit import Unit

log = logger("domainservers.slot.healing")


class Healing:
    """Of one slot, once its journal is replayed."""

    def __init__(
        self,
        slot: str,
        private: Unit,
        journal: Journal,
        accounts: Accounts,
        memory: Memory,
        subjects: Subjects,
        keys: KeyIndex,
        quarantine: Quarantine,
        metrics: Metrics,
    ) -> None:
        self._slot = slot
        self._private = private
        self._journal = journal
        self._accounts = accounts
        self._memory = memory
        self._subjects = subjects
        self._keys = keys
        self._quarantine = quarantine
        self._metrics = metrics

    async def heal(self, rows: Iterable[Aside]) -> int:
        """Try rows that a checkpoint brought; gives how many accounts are served again. Raises `StoreUnavailable`.

        What still can't be read stays set aside. All entries of an account are repeated, or none.
        """
        by_mark: dict[int, list[Aside]] = {}
        for row in rows:
            by_mark.setdefault(row.mark, []).append(row)
        healed = 0
        for mark, some in by_mark.items():
            # Entries alone don't bring a lost state back.
            if not any(row.snapshot for row in some):
                healed += await self._heal_one(mark, sorted(some, key=lambda row: row.position))
        return healed

    async def _heal_one(self, mark: int, rows: list[Aside]) -> bool:
        entries: list[Entry] = []
        try:
            for row in rows:
                payload = await read_group(self._private, self._journal, row.group)
                if payload is None:
                    return False
                entries.append(unpack_at(Frame(payload), row.position % POSITIONS_PER_GROUP))
            account_id = entries[0].account_id
            if any(entry.account_id != account_id for entry in entries):
                return False
            cell = await self._cell(account_id)
            repeat = self._repeat_subject if kind_of(account_id) else self._repeat_account
            take = repeat(cell, entries, rows[-1].group)
        except (Fault, *DEFECTS) as error:
            log.warning("still set aside", slot=self._slot, mark=mark, why=str(error)[:200])
            return False
        self._quarantine.release(mark)
        for row, entry in zip(rows, entries, strict=True):
            self._keys.add(fingerprint(entry.account_id, entry.key), row.position)
        take()
        self._metrics.event("healed")
        log.info("what was set aside is served again", slot=self._slot, group=rows[-1].group)
        return True

    async def _cell(self, account_id: str) -> Cell:
        """Give the cell, from its snapshot when no entry brought it into memory. Raises `StoreUnavailable`."""
        cell = self._accounts.cells.get(account_id)
        if cell is None:
            found = await read_accounts(self._private, self._slot, [account_id])
            cell = self._accounts.take(account_id, found.get(account_id))
        return cell

    def _repeat_account(self, cell: Cell, entries: Sequence[Entry], seq: int) -> Callable[[], None]:
        """Repeat the entries on the frozen state; gives what sets the state then. Raises what does not fit."""
        before = after = self._accounts.state(cell)
        for entry in entries:
            after = replay(after, entry) if entry.events else after

        def take() -> None:
            if after is not None and after is not before:
                self._memory.change(cell, before, after, seq)
            else:
                self._memory.touch(cell, seq)
                self._memory.look(cell)

        return take

    def _repeat_subject(self, cell: Cell, entries: Sequence[Entry], seq: int) -> Callable[[], None]:
        """Do the same for a subject."""
        after = self._subjects.stored(cell)
        for entry in entries:
            after = self._subjects.after(after, entry)
        return lambda: self._subjects.change(cell, after, seq)

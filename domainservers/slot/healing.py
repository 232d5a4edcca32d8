"""A second look, at each takeover, at what was set aside: a version that can read it serves the account again.

What is set aside of an account is each of its entries from the first bad one on, so its frozen state and these entries
are its whole past. Only when all of them are read and fit is anything changed.
"""

from collections.abc import Iterable

from charging.errors import Fault
from charging.ledger.entry import Entry
from charging.ledger.ledger import replay
from domainservers.accounts.accounts import Accounts
from domainservers.accounts.memory import Memory
from domainservers.journal.frames import read_group
from domainservers.journal.framing import Frame
from domainservers.journal.groups import DEFECTS, unpack_at
from domainservers.journal.journal import Journal
from domainservers.journal.keys import POSITIONS_PER_GROUP, KeyIndex, fingerprint
from domainservers.journal.quarantine import Aside, Quarantine
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
        keys: KeyIndex,
        quarantine: Quarantine,
        metrics: Metrics,
    ) -> None:
        self._slot = slot
        self._private = private
        self._journal = journal
        self._accounts = accounts
        self._memory = memory
        self._keys = keys
        self._quarantine = quarantine
        self._metrics = metrics

    async def heal(self, rows: Iterable[Aside]) -> int:
        """Try rows that a checkpoint brought; gives how many accounts are served again. Raises `StoreUnavailable`."""
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
            cell = self._accounts.cells.get(account_id)
            if cell is None or any(entry.account_id != account_id for entry in entries):
                return False
            before = after = self._accounts.state(cell)
            for entry in entries:
                after = replay(after, entry) if entry.events else after
        except (Fault, *DEFECTS) as error:
            log.warning("still set aside", slot=self._slot, mark=mark, why=str(error)[:200])
            return False
        self._quarantine.release(mark)
        for row, entry in zip(rows, entries, strict=True):
            self._keys.add(fingerprint(entry.account_id, entry.key), row.position)
        seq = rows[-1].group
        if after is not None and after is not before:
            self._memory.change(cell, before, after, seq)
        else:
            self._memory.touch(cell, seq)
            self._memory.look(cell)
        self._metrics.event("healed")
        log.info("an account that was set aside is served again", slot=self._slot, group=seq)
        return True

"""Repeats the journal after the checkpoint on what is in memory, in the journal's order."""

import asyncio
from collections.abc import Sequence

from charging.base.contract import Contract
from charging.base.subject import kind_of
from charging.ledger.entry import Entry
from domainservers.accounts.accounts import Accounts, read_accounts
from domainservers.accounts.memory import Memory
from domainservers.base.surroundings import Surroundings
from domainservers.bills.bills import SlotBills
from domainservers.contracts.contracts import (
    RECORDS_PER_WRITE_MAX,
    Contracts,
    contracts_in,
    read_contracts,
    unpack_contract,
)
from domainservers.contracts.customers import CustomerIndex
from domainservers.contracts.registry import Registry
from domainservers.journal.framing import SetAside
from domainservers.journal.groups import CHARGE
from domainservers.journal.keys import POSITIONS_PER_GROUP, KeyIndex, fingerprint
from domainservers.journal.quarantine import Aside, Quarantine
from domainservers.subjects.memory import Subjects
from storage.unit import Stored, Unit

WINDOW_ENTRIES_MAX = 4_000
LOAD_ACCOUNTS_MAX = 4_000
BREATH_ENTRIES = 500
"""Other slots of the process get their turn after so many replayed entries."""


class ReplayedContracts:
    """Contracts that replayed entries set: what of them the last owner may not have written is written again."""

    def __init__(self, shared: Unit, contracts: Contracts, registry: Registry) -> None:
        self._shared = shared
        self._contracts = contracts
        self._registry = registry
        self._newest: dict[str, tuple[Contract, int]] = {}

    def note(self, entry: Entry) -> None:
        """Note the contracts of an entry, and write their orders behind."""
        for contract in contracts_in(entry.events):
            self._newest[contract.identity] = contract, entry.time_ms
            # Every one: a later contract of the identity does not undo an earlier order.
            self._contracts.order(contract, entry.time_ms)

    async def write(self) -> None:
        """Write behind what the shared unit does not have yet. Raises `StoreUnavailable`."""
        known = self._contracts
        identities = list(self._newest)
        written: list[Contract] = []
        # The shared unit may be ahead of the replay: the last owner wrote behind, or the account is not the identity's
        # any more. Each is compared with what is there and written only when it is newer.
        for start in range(0, len(identities), RECORDS_PER_WRITE_MAX):
            some = identities[start : start + RECORDS_PER_WRITE_MAX]
            found = await read_contracts(self._shared, some)
            for identity in some:
                stored = found.get(identity)
                known.take(identity, stored)
                contract, changed_ms = self._newest[identity]
                if _is_newer(contract, stored):
                    known.applied([known.set(contract, changed_ms)])
                else:
                    written.append(contract)
        # Whoever wrote them may have died before the registry knew it.
        await self._registry.settle(written)


class Replayer:
    """Repeats journal entries on the state in memory, accounts being loaded a window of groups at a time."""

    def __init__(
        self,
        name: str,
        private: Unit,
        accounts: Accounts,
        memory: Memory,
        subjects: Subjects,
        keys: KeyIndex,
        quarantine: Quarantine,
        around: Surroundings,
        contracts: ReplayedContracts,
        bills: SlotBills,
        customers: CustomerIndex,
        start_seq: int,
    ) -> None:
        self._name = name
        self._private = private
        self._accounts = accounts
        self._memory = memory
        self._subjects = subjects
        self._keys = keys
        self._quarantine = quarantine
        self._around = around
        self._contracts = contracts
        self._bills = bills
        self._customers = customers
        self._start_seq = start_seq
        self._window: list[tuple[int, list[tuple[int, Entry]], list[SetAside]]] = []
        self._window_entries = 0
        self.entries = 0

    async def load(self, account_ids: Sequence[str], *, watch: bool = False) -> None:
        """Get accounts into memory; `watch` those that the checkpoint says have something open."""
        cells = self._accounts.cells
        missing = list(dict.fromkeys(each for each in account_ids if each not in cells))
        for start in range(0, len(missing), LOAD_ACCOUNTS_MAX):
            some = missing[start : start + LOAD_ACCOUNTS_MAX]
            found = await read_accounts(self._private, self._name, some)
            for account_id in some:
                cell = self._accounts.take(account_id, found.get(account_id))
                if cell.saved > self._start_seq and not kind_of(account_id):
                    # Written after the checkpoint, whose watch list can't know what it has open.
                    self._memory.look(cell)
        if watch:
            for account_id in account_ids:
                self._memory.look(cells[account_id])

    async def take(self, seq: int, entries: list[tuple[int, Entry]], aside: list[SetAside]) -> None:
        """Queue a group; replays when the window is full."""
        self._window.append((seq, entries, aside))
        self._window_entries += len(entries)
        if self._window_entries >= WINDOW_ENTRIES_MAX:
            await self.replay()

    async def replay(self) -> None:
        """Replay what is queued, in order."""
        # All accounts of the window are read at once, then the groups are repeated one by one: a read for each entry
        # would make a recovery as slow as the store, the whole journal at once as large as the journal.
        window, self._window, self._window_entries = self._window, [], 0
        await self.load([entry.account_id for _, entries, _ in window for _, entry in entries])
        for seq, entries, aside in window:
            # Before its neighbours: an entry after it must not be repeated on an account that is kept back.
            for bad in aside:
                position = seq * POSITIONS_PER_GROUP + bad.index
                self._quarantine.add(Aside(position, bad.mark, bad.account_id, bad.why))
            for index, entry in entries:
                self._one(seq, index, entry)
                self.entries += 1
                if self.entries % BREATH_ENTRIES == 0:
                    await asyncio.sleep(0)
            self._keys.tidy()

    def _one(self, seq: int, index: int, entry: Entry) -> None:
        self._keys.add(fingerprint(entry.account_id, entry.key), seq * POSITIONS_PER_GROUP + index)
        if entry.time_ms > self._around.newest_ms:
            self._around.newest_ms = entry.time_ms
        if entry.events and entry.kind != CHARGE:
            self._contracts.note(entry)
            self._bills.replayed(entry.events, entry.time_ms)
            self._customers.note(entry.events, entry.version, entry.time_ms)
        # A refusal changes nothing, whosever it is.
        if entry.facts:
            self._subjects.replay(seq, index, entry)
        else:
            self._memory.replay(seq, index, entry)


def _is_newer(contract: Contract, stored: Stored | None) -> bool:
    """Whether a replayed contract still has to be written: the record may be ours and newer, or of another account."""
    if stored is None:
        return True
    there = unpack_contract(stored.value)
    if there.account_id == contract.account_id:
        return there.version < contract.version
    return contract.status != "ended" and there.status == "ended"

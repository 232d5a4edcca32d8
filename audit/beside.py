"""What a journal says of the records beside it: key index, snapshots, bills, contracts, orders. Do they say the same?

Seals show that a record is its owner's; this shows that none is missing or an older one put back.
"""

import asyncio
import time
from array import array
from collections.abc import Callable, Coroutine, Mapping, Sequence
from hashlib import blake2b

import numpy as np
from msgspec import MsgspecError

from charging.base.contract import Contract
from charging.base.localtime import month_text
from charging.ledger.auditing import Audit
from charging.ledger.commands.close_period import PeriodClosed
from charging.ledger.entry import Entry
from domainservers.base.fetcher import read_keys
from domainservers.bills.records import COLLECTION as BILL_COLLECTION
from domainservers.bills.records import bill_record
from domainservers.contracts import contracts as contracts_of
from domainservers.contracts import order_records
from domainservers.contracts.contracts import contracts_in, unpack_contract
from domainservers.contracts.resting import COLLECTION as RESTING_COLLECTION
from domainservers.contracts.resting import partition_of as resting_partition
from domainservers.contracts.resting import resting_record, rests
from domainservers.journal.keys import fingerprint
from domainservers.snapshots.checkpoint import Checkpoint
from domainservers.snapshots.key_records import LoadedKeys
from storage.unit import Record, Stored, Unit

LATE_TRIES = 6
LATE_PAUSE_S = 0.5
"""Contracts are written behind their journal, so where one does not fit yet it is looked at again."""

CatchUp = Callable[[], Coroutine[None, None, None]]


class Beside:
    """Collects what a journal says of them, group by group, oldest first."""

    def __init__(self, slot: str, checkpoint: Checkpoint | None, only: str) -> None:
        """`only` narrows it to one account."""
        self._slot = slot
        self._until = checkpoint.position.seq if checkpoint is not None else -1
        keys_from = checkpoint.keys_from if checkpoint is not None else ()
        self._keys_since = keys_from[0][0] if keys_from else self._until + 1
        self._only = only
        self.changed: dict[str, int] = {}
        """Account → group of its newest change that the checkpoint's snapshots hold."""
        self.marks = array("Q")
        """Fingerprints that the key index of the checkpoint must hold."""
        self.contracts: dict[str, Contract] = {}
        """The newest of each identity."""
        self.orders: dict[tuple[str, str], Record] = {}
        self.bills: dict[str, dict[str, bytes]] = {}
        """Digest of each bill's record that the checkpoint waited for, by partition and account."""

    def take(self, seq: int, entries: Sequence[Entry]) -> None:
        """Take one group, in the journal's order: the newest of each kind counts."""
        for entry in entries:
            if self._keys_since <= seq <= self._until:
                self.marks.append(fingerprint(entry.account_id, entry.key))
            if not (entry.events or entry.facts) or self._only not in ("", entry.account_id):
                continue
            if seq <= self._until:
                self.changed[entry.account_id] = seq
                self._take_bills(entry)
            if entry.kind != "c":
                self.take_contracts(entry)

    def _take_bills(self, entry: Entry) -> None:
        for event in entry.events:
            record = bill_record(self._slot, event, entry.time_ms) if isinstance(event, PeriodClosed) else None
            if record is not None and record.value is not None:
                self.bills.setdefault(record.partition, {})[record.key] = _digest(record.value)

    def take_contracts(self, entry: Entry) -> None:
        """Take the contracts and orders of an entry."""
        for contract in contracts_in(entry.events):
            self.contracts[contract.identity] = contract
            order = order_records.order_record(contract, entry.time_ms)
            if order is not None:
                self.orders[order.partition, order.key] = order


def check_keys(name: str, beside: Beside, loaded: LoadedKeys) -> list[str]:
    """Say how many keys of the journal the index does not know: one finding, or none."""
    halves = [np.frombuffer(one, np.uint64).reshape(2, -1)[0] for one in loaded.named.values() if one]
    known = np.concatenate(halves) if halves else np.empty(0, np.uint64)
    lost = int(np.count_nonzero(~np.isin(np.frombuffer(beside.marks, np.uint64), known))) if beside.marks else 0
    return [f"{name}: the key index does not know {lost} keys of the journal"] if lost else []


def check_snapshots(beside: Beside, snapshots: Mapping[str, Stored]) -> list[str]:
    """Say which accounts' snapshots are older than the checkpoint says, or missing.

    Only of snapshots that were read at one checkpoint: a slot that is served writes on.
    """
    findings: list[str] = []
    for account_id, seq in beside.changed.items():
        stored = snapshots.get(account_id)
        if stored is None:
            findings.append(f"{account_id}: it has no snapshot, though the checkpoint holds its change in group {seq}")
        elif stored.timestamp < seq:
            older = f"its snapshot is of group {stored.timestamp}"
            findings.append(f"{account_id}: {older}, though the checkpoint holds its change in group {seq}")
    return findings


async def check_bills(unit: Unit, beside: Beside) -> list[str]:
    """Say which bills are not kept as they were journaled: whoever asks for a bill is told what is kept.

    Raises `StoreUnavailable`.
    """
    findings: list[str] = []
    for partition, mine in beside.bills.items():
        accounts = list(mine)
        for start in range(0, len(accounts), contracts_of.RECORDS_PER_WRITE_MAX):
            some = accounts[start : start + contracts_of.RECORDS_PER_WRITE_MAX]
            kept = await unit.get(BILL_COLLECTION, partition, some)
            for account_id in some:
                stored = kept.get(account_id)
                if stored is None or _digest(stored.value) != mine[account_id]:
                    wrong = "is missing" if stored is None else "is not the one of the journal"
                    month = month_text(int(partition.rpartition("/")[2]))
                    findings.append(f"{account_id}: its bill of {month} {wrong} among the records")
    return findings


def _digest(value: bytes) -> bytes:
    return blake2b(value, digest_size=16).digest()


async def check_shared(shared: Unit, beside: Beside, audits: Mapping[str, Audit], catch_up: CatchUp) -> list[str]:
    """Compare contracts and orders of the shared unit with the journal's; `catch_up` reads what was journaled since.

    Raises `StoreUnavailable`.
    """
    findings = await _orders(shared, beside)
    for left in reversed(range(LATE_TRIES)):
        found = await _contracts(shared, beside, audits) | await _resting(shared, beside, audits)
        if not found or not left:
            return findings + list(found.values())
        await asyncio.sleep(LATE_PAUSE_S)
        await catch_up()
    raise AssertionError("the last try returns")


async def _contracts(shared: Unit, beside: Beside, audits: Mapping[str, Audit]) -> dict[str, str]:
    """Give what is wrong by identity."""
    members = _members(audits)
    wanted = list(dict.fromkeys([*beside.contracts, *members]))
    wrong: dict[str, str] = {}
    for start in range(0, len(wanted), contracts_of.RECORDS_PER_WRITE_MAX):
        some = wanted[start : start + contracts_of.RECORDS_PER_WRITE_MAX]
        found = await contracts_of.read_contracts(shared, some)
        for identity in some:
            expected = beside.contracts.get(identity)
            if _moved(audits.get(expected.account_id if expected is not None else members[identity])):
                continue
            fault = _compare(expected, members.get(identity, ""), found.get(identity))
            if fault:
                wrong[identity] = f"contract of {identity}: {fault}"
    return wrong


async def _resting(shared: Unit, beside: Beside, audits: Mapping[str, Audit]) -> dict[str, str]:
    """Give, by identity, which numbers rest and are missing in their region's list."""
    now_ms = time.time_ns() // 1_000_000
    resting = {
        each.identity: each
        for each in beside.contracts.values()
        if rests(each) and now_ms < each.rests_until_ms and not _moved(audits.get(each.account_id))
    }

    def place(identity: str) -> str:
        return resting_partition(resting[identity].domain, identity)

    identities = list(resting)
    wrong: dict[str, str] = {}
    for start in range(0, len(identities), contracts_of.RECORDS_PER_WRITE_MAX):
        some = identities[start : start + contracts_of.RECORDS_PER_WRITE_MAX]
        stored = await contracts_of.read_contracts(shared, some)
        # Others are told by the contract, or somebody else's by now.
        mine = [identity for identity in some if _agrees(resting[identity], stored.get(identity))]
        rows = await read_keys(shared, RESTING_COLLECTION, place, mine)
        for identity in mine:
            contract, row = resting[identity], rows.get(identity)
            if row is None or row.value != resting_record(contract.domain, contract, 0).value:
                what = "is not" if row is None else "is otherwise"
                wrong["resting " + identity] = f"{identity} rests, and {what} in the list of {contract.domain}"
    return wrong


def _moved(audit: Audit | None) -> bool:
    """Say whether an account went to another owner, who writes its contracts, perhaps to another unit."""
    return audit is not None and audit.state is not None and audit.state.terms.status == "moved"


def _agrees(contract: Contract, stored: Stored | None) -> bool:
    try:
        return stored is not None and unpack_contract(stored.value) == contract
    except MsgspecError:
        return False


def _members(audits: Mapping[str, Audit]) -> dict[str, str]:
    """Give the account of each member of the accounts that were followed."""
    states = [
        audit.state for audit in audits.values() if audit.state is not None and audit.state.terms.status != "moved"
    ]
    return {member: state.account_id for state in states for member in state.members}


def _compare(expected: Contract | None, member_of: str, stored: Stored | None) -> str:
    """Say what is wrong with a contract's record, "" when nothing is."""
    if stored is None:
        return "it is missing in the shared unit"
    try:
        there = unpack_contract(stored.value)
    except MsgspecError as error:
        return f"it can't be read: {error}"
    if expected is None:
        belongs = there.account_id == member_of
        return "" if belongs else f"the shared unit has it in account {there.account_id}, the journal in {member_of}"
    if there == expected:
        return ""
    if there.account_id != expected.account_id:
        if expected.status == "ended":
            return ""  # The number was given to somebody else.
        return f"the shared unit has it in account {there.account_id}, the journal in {expected.account_id}"
    return f"the shared unit has version {there.version}, the journal version {expected.version} with another content"


async def _orders(shared: Unit, beside: Beside) -> list[str]:
    findings: list[str] = []
    for (order_id, key), expected in beside.orders.items():
        stored = (await shared.get(order_records.COLLECTION, order_id, [key])).get(key)
        if stored is None:
            findings.append(f"order {order_id} of {key}: it is missing in the shared unit")
        elif stored.timestamp <= expected.timestamp and stored.value != expected.value:
            findings.append(f"order {order_id} of {key}: the shared unit says something else than the journal")
    return findings

"""What a slot is made of, put together once by recovery.

Whoever builds something that works on a slot takes from here what it needs and hands it over by name; nobody keeps the
whole of it but the slot, for those that look from outside.
"""

import asyncio
from collections.abc import Callable

from business.kinds import KINDS
from business.subjects import Kinds
from charging.ledger.permission import Policy
from domainservers.accounts.accounts import Accounts
from domainservers.accounts.memory import Memory
from domainservers.accounts.watch import AccountWatch
from domainservers.base.clock import Age, Clock
from domainservers.base.limits import Limits
from domainservers.base.surroundings import Surroundings
from domainservers.bills.bills import SlotBills
from domainservers.contracts.contracts import Contracts
from domainservers.contracts.customers import CustomerIndex
from domainservers.contracts.registry import Registry
from domainservers.contracts.resting import RestingNumbers
from domainservers.journal.groups import Groups
from domainservers.journal.journal import Journal
from domainservers.journal.keys import KeyIndex
from domainservers.journal.quarantine import Quarantine
from domainservers.snapshots.checkpoint import Checkpoint
from domainservers.snapshots.deltas import Delta, Deltas
from domainservers.snapshots.key_records import KeyRecords
from domainservers.snapshots.patience import PatientUnit
from domainservers.snapshots.segment_lists import SegmentLists
from domainservers.snapshots.snapshots import Snapshots
from domainservers.snapshots.writing import Writing
from domainservers.subjects.memory import Subjects
from runtime.telemetry import Metrics
from storage.unit import Unit


def nowhere(_identity: str) -> str:
    """Stand for a directory that routes no identity."""
    return ""


class SlotParts:
    """The collaborators of one slot. `journal` is owned; memory stands at its head."""

    def __init__(
        self,
        name: str,
        shared: Unit,
        private: Unit,
        journal: Journal,
        checkpoint: Checkpoint | None,
        limits: Limits,
        clock: Clock,
        permits: asyncio.Semaphore,
        revision: Callable[[], int],
        metrics: Metrics,
        policy: Callable[[], Policy],
        domain_of: Callable[[str], str] = nowhere,
        national: Unit | None = None,
        kinds: Kinds = KINDS,
    ) -> None:
        """`national` is the directory's unit, where identities are held; without it there is one shared unit."""
        self.name = name
        self.shared = shared
        self.private = private
        self.journal = journal
        self.limits = limits
        self.clock = clock
        self.permits = permits
        self.metrics = metrics
        self.around = Surroundings(name.rpartition("/")[0], clock, revision, policy, domain_of)
        self.age = Age(clock, checkpoint.age_ms if checkpoint is not None else 0)
        self.registry = Registry(national or shared)
        self.contracts = Contracts(shared, limits.contracts_max, self.registry.settle)
        self.customers = CustomerIndex(national or shared)
        self.resting = RestingNumbers(shared, self.registry)
        self.bills = SlotBills(name, private, checkpoint.numbers if checkpoint is not None else {})
        self.keys = KeyIndex()
        entries_max, bytes_max = limits.group_entries_max, limits.group_bytes_max
        self.groups = Groups(journal.head.seq, entries_max, bytes_max, limits.kept_entries_max)
        self.accounts = Accounts(name, limits.hot_accounts_max, limits.packed_accounts_max)
        self.watch = AccountWatch()
        self.quarantine = Quarantine(name, checkpoint.set_aside if checkpoint is not None else (), metrics)
        self.memory = Memory(self.accounts, self.watch, self.quarantine)
        self.subjects = Subjects(self.accounts, self.quarantine, kinds, self.bills.stages.note)
        self.deltas = Deltas(private, name, journal.head.epoch, *_deltas_of(checkpoint))
        self.key_records = KeyRecords(name, checkpoint)
        self.writing = Writing(
            name,
            PatientUnit(private, name),
            journal,
            self.accounts,
            self.contracts,
            (self.bills.records, self.customers),
            self.keys,
            self.quarantine,
            limits,
            self.deltas,
            self.key_records,
            SegmentLists(name, checkpoint.older if checkpoint is not None else (0, 0)),
            checkpoint.position.seq if checkpoint is not None else -1,
        )
        self.snapshots = Snapshots(
            journal,
            self.accounts,
            self.keys,
            self.watch,
            self.around,
            self.age,
            limits,
            self.deltas,
            self.writing,
            self.bills.numbers,
        )


def _deltas_of(checkpoint: Checkpoint | None) -> tuple[tuple[Delta, ...], tuple[Delta, ...]]:
    """Give the deltas that a checkpoint names, and those that are still to be deleted."""
    return (checkpoint.deltas, checkpoint.gone) if checkpoint is not None else ((), ())

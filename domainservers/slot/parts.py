"""What a slot is made of, put together by recovery: one object that the helpers of a slot share."""

import asyncio
from collections.abc import Callable, Sequence

from charging.ledger.permission import Policy
from domainservers.accounts import accounts as accounts_of
from domainservers.accounts.accounts import Accounts
from domainservers.accounts.watch import Watch
from domainservers.base.clock import Age, Clock
from domainservers.base.fetcher import Fetcher
from domainservers.base.limits import Limits
from domainservers.contracts import contracts as contracts_of
from domainservers.contracts.contracts import Contracts
from domainservers.contracts.registry import Registry
from domainservers.desk.desk import Desk
from domainservers.journal.groups import Groups
from domainservers.journal.journal import Journal
from domainservers.journal.keys import KeyIndex
from domainservers.journal.quarantine import Quarantine
from domainservers.snapshots.snapshots import Checkpoint, Snapshots
from runtime.telemetry import Metrics
from storage.unit import Stored, Unit

Take = Callable[[str, Stored | None], None]
Lost = Callable[[Sequence[str]], None]


def nowhere(_identity: str) -> str:
    """Stand for a directory that routes no identity."""
    return ""


class Parts:
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
        self.accounts = Accounts(name, limits.hot_accounts_max, limits.packed_accounts_max)
        self.registry = Registry(national or shared)
        self.contracts = Contracts(shared, limits.contracts_max, self.registry.settle)
        self.keys = KeyIndex()
        self.watch = Watch()
        self.age = Age(clock, checkpoint.age_ms if checkpoint is not None else 0)
        self.quarantine = Quarantine(name, checkpoint.set_aside if checkpoint is not None else (), metrics)
        self.groups = Groups(
            journal.head.seq, limits.group_entries_max, limits.group_bytes_max, limits.kept_entries_max
        )
        self.snapshots = Snapshots(
            private,
            name,
            journal,
            self.accounts,
            self.contracts,
            self.keys,
            self.watch,
            limits,
            checkpoint,
            self.quarantine,
            self.age,
        )
        domain = name.rpartition("/")[0]
        self.desk = Desk(
            self.accounts,
            self.contracts,
            self.keys,
            self.groups,
            self.watch,
            self.quarantine,
            clock,
            revision,
            domain,
            policy,
            domain_of,
        )

    def fetch_accounts(self, take: Take, lost: Lost) -> Fetcher:
        """A reader of account snapshots."""
        return Fetcher(self.private, accounts_of.COLLECTION, accounts_of.partition_of(self.name), take, lost)

    def fetch_contracts(self, take: Take, lost: Lost) -> Fetcher:
        """A reader of contracts."""
        return Fetcher(self.shared, contracts_of.COLLECTION, contracts_of.partition_of, take, lost)

"""Gets accounts and contracts into memory for whoever waits for them: one read, however many want it."""

from collections.abc import Callable, Sequence

from charging.errors import Fault, Overloaded
from domainservers.accounts import accounts as accounts_of
from domainservers.accounts.accounts import Accounts
from domainservers.base.limits import Limits
from domainservers.contracts import contracts as contracts_of
from domainservers.contracts.contracts import Contracts
from domainservers.desk.answers import store_away
from runtime.telemetry import logger
from storage.unit import Stored, Unit

log = logger("domainservers.slot.loading")

Then = Callable[[Fault | None], None]
"""Told that what was wanted is in memory, or why it can't be had."""


class Loading:
    """Of one slot; at most `reads_in_flight_max` wait for something."""

    def __init__(
        self,
        name: str,
        accounts: Accounts,
        private: Unit,
        contracts: Contracts,
        shared: Unit,
        limits: Limits,
        came: Callable[[str], None],
        lost: Callable[[str], None],
    ) -> None:
        """`came` and `lost` are told of each account whose snapshot was read, or got no answer."""
        self.misses = 0
        """Accounts that were not in memory when they were wanted, since the beginning."""
        self._name = name
        self._accounts = accounts
        self._contracts = contracts
        self._limits = limits
        self._came = came
        self._lost = lost
        self._account_fetcher = accounts_of.fetcher(private, name, self._account_read, self._accounts_lost)
        self._contract_fetcher = contracts_of.fetcher(shared, self._contract_read, self._contracts_lost)
        self._waiting: dict[str, list[Then]] = {}

    def load(self, account_id: str) -> None:
        """Read an account that is not in memory; `came` or `lost` will tell."""
        self.misses += 1
        self._account_fetcher.want(account_id)

    def load_if_absent(self, account_id: str) -> None:
        """Get an account into memory, for its own sake."""
        if account_id not in self._accounts.cells:
            self.load(account_id)

    def want_account(self, account_id: str, then: Then) -> None:
        """Read an account that is not in memory, for somebody: `then` is told once, why it can't be had or None.

        At once, with `Overloaded`, when the slot reads too much already.
        """
        self._want(f"account {account_id}", then)
        self.load(account_id)

    def want_contract(self, identity: str, then: Then) -> None:
        """Read a contract that is not in memory, for somebody; `then` as of `want_account`."""
        self._want(f"contract {identity}", then)
        self._contract_fetcher.want(identity)

    def _want(self, what: str, then: Then) -> None:
        if len(self._waiting) >= self._limits.reads_in_flight_max:
            then(Overloaded("SLOT_OVERLOADED", f"slot {self._name} reads too much", retry_ms=self._limits.retry_ms))
            return
        self._waiting.setdefault(what, []).append(then)

    def _tell(self, what: str, fault: Fault | None) -> None:
        for then in self._waiting.pop(what, ()):
            try:
                then(fault)
            except Exception:
                # A defect in one of them. All others wait for the same read, and some of their lanes with them.
                log.exception("what waited for a read failed", slot=self._name)

    def _account_read(self, account_id: str, stored: Stored | None) -> None:
        self._accounts.take(account_id, stored)
        self._tell(f"account {account_id}", None)
        self._came(account_id)

    def _accounts_lost(self, account_ids: Sequence[str]) -> None:
        fault = store_away()
        for account_id in account_ids:
            self._lost(account_id)
            self._tell(f"account {account_id}", fault)

    def _contract_read(self, identity: str, stored: Stored | None) -> None:
        self._contracts.take(identity, stored)
        self._tell(f"contract {identity}", None)

    def _contracts_lost(self, identities: Sequence[str]) -> None:
        fault = store_away()
        for identity in identities:
            self._tell(f"contract {identity}", fault)

    def stop(self) -> None:
        """Give up what is being read."""
        self._account_fetcher.stop()
        self._contract_fetcher.stop()

    def refuse(self, fault: Fault) -> None:
        """Tell all that wait why it can't be had."""
        for what in list(self._waiting):
            self._tell(what, fault)

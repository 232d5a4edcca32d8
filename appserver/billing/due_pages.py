"""Who is billed by one call: the accounts of a slot that are due, asked for a few at a time, or one account."""

from collections.abc import Sequence

from msgspec import Struct

from appserver.billing.asking import Question
from appserver.billing.parts import Ask, Billable
from appserver.billing.telling import expect
from business.billing.periods import Period
from charging.base.account import Account
from charging.errors import Fault, NotFound
from charging.wire import DueAccounts, FetchDue

ACCOUNTS_DEFAULT = 100
ACCOUNTS_MAX, BILLS_MAX = 5_000, 500
"""Of one call: that are told by their sums alone, and with all their lines."""
ACCOUNTS_AT_ONCE = 80
"""That are asked for together: an owner packs them, and this process unpacks them, while nobody else has a turn."""


class BillingPage(Struct, frozen=True):
    """What is asked for, read and permitted."""

    slot: str
    """"GD/3"; "" = the one account of `identity`."""
    period: Period | None
    """None = whatever period of the account is the oldest open one."""
    page: str
    accounts_max: int
    trial: bool
    identity: str
    sums_only: bool = False
    """Bills are told without their lines."""


class AloneOnItsPage:
    """One account."""

    next = ""

    def __init__(self, account: Account) -> None:
        self._left = [Billable(account)]

    async def some(self) -> Sequence[Billable]:
        """Give it, once."""
        given, self._left = self._left, []
        return given


class DuePages:
    """The accounts of a slot that are due, up to `BillingPage.accounts_max` of them."""

    def __init__(self, ask: Ask, page: BillingPage) -> None:
        """Raises `NotFound` RUN_UNKNOWN."""
        if page.period is None:
            raise NotFound("RUN_UNKNOWN", "a page of a run has a period")
        self.next = page.page
        """Where those begin that were not given; "" = there are none, once all were given."""
        self._ask = ask
        self._slot = page.slot
        self._period = page.period
        most = ACCOUNTS_MAX if page.sums_only else BILLS_MAX
        self._left = min(page.accounts_max or ACCOUNTS_DEFAULT, most)
        self._given = False

    async def some(self) -> Sequence[Billable]:
        """Give the next ones; none = all were given.

        Raises what the owner answers, but for accounts behind the first: the next call asks for them.
        """
        if self._left <= 0 or (self._given and not self.next):
            return ()
        try:
            due = await self._due(min(self._left, ACCOUNTS_AT_ONCE))
        except Fault:
            if not self._given:
                raise
            self._left = 0
            return ()
        self._given = True
        self._left -= len(due.accounts)
        self.next = due.next
        # An owner may tell no contracts, or none of an account: they are pulled.
        own = due.contracts if len(due.contracts) == len(due.accounts) else [None] * len(due.accounts)
        return [Billable(account, contracts) for account, contracts in zip(due.accounts, own, strict=True)]

    async def _due(self, most: int) -> DueAccounts:
        ask = FetchDue(self._slot, self._period.month, self._period.cycle_day, most, self.next, contracts=True)
        (answer,) = await self._ask([Question(f"domain:{self._slot}", ask)])
        return expect(DueAccounts, answer)

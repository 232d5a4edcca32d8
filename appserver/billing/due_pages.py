"""Who is billed by one call: the accounts of a slot that are due, asked for a few at a time, or one account."""

from collections.abc import AsyncIterator, Sequence

from msgspec import Struct

from appserver.billing.asking import Question
from appserver.billing.parts import Ask
from appserver.billing.telling import expect
from business.billing.periods import Period
from charging.base.account import Account
from charging.errors import Fault, NotFound
from charging.wire import DueAccounts, FetchDue

ACCOUNTS_DEFAULT = 100
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
        self._account = account

    async def __aiter__(self) -> AsyncIterator[Sequence[Account]]:
        """Give it."""
        yield (self._account,)


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
        self._most = page.accounts_max or ACCOUNTS_DEFAULT

    async def __aiter__(self) -> AsyncIterator[Sequence[Account]]:
        """Give them. Raises what the owner answers, but for accounts behind the first: the next call asks for them."""
        left = self._most
        while left > 0:
            try:
                due = await self._due(min(left, ACCOUNTS_AT_ONCE))
            except Fault:
                if left == self._most:
                    raise
                return
            self.next = due.next
            left -= len(due.accounts)
            yield due.accounts
            if not due.next:
                return

    async def _due(self, most: int) -> DueAccounts:
        ask = FetchDue(self._slot, self._period.month, self._period.cycle_day, most, self.next)
        (answer,) = await self._ask([Question(f"domain:{self._slot}", ask)])
        return expect(DueAccounts, answer)

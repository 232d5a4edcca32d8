"""What is asked of the bills of a slot, and told of them: who is due, pages that are closed, bills that were made.

`charging.wire` has all of it among the asks and answers that travel.
"""

from collections.abc import Sequence

from msgspec import Raw, Struct

from charging.base.account import Account
from charging.base.contract import Contract
from charging.bills.bill import Bill
from charging.ledger.command import Command
from charging.ledger.commands.close_period import ClosePeriod

CLOSES_MAX = 200
"""Accounts of one `CloseAccounts`."""


class FetchDue(Struct, frozen=True, array_like=True, tag="D"):
    """Accounts of a slot that have a billing period to close, please: a page of them. Routed to "domain:GD/3"."""

    slot: str
    month: int
    """The period up to which they are due: months since the year 0, the one in which it begins."""
    cycle_day: int
    accounts_max: int
    after: str = ""
    """`DueAccounts.next` of the page before; "" = the first page."""
    owing: bool = False
    """Instead those that owe something by bills, or are dunned; period and cycle day are not looked at."""
    staged: bool = False
    """Instead those with money in a stage, also such as have moved away."""
    every: bool = False
    """Instead all of them."""
    contracts: bool = False
    """With the contracts of their members."""


class FetchBills(Struct, frozen=True, array_like=True, tag="B"):
    """Bills of the identity's account, please, of those of these periods that there are."""

    identity: str
    months: tuple[int, ...]


class AccountClose(Struct, frozen=True, array_like=True, gc=False):
    """One account of a page that is closed."""

    account_id: str
    digest: bytes
    """16 bytes over the action as it is packed."""
    action: ClosePeriod


class CloseAccounts(Struct, frozen=True, array_like=True, tag="C", gc=False):
    """Do `close_period` for a page of accounts, each once and as an entry of its own. Routed to "domain:GD/3".

    Whoever bills says once for all of them who he is, and hears of all of them at once: `AccountsClosed`.
    """

    actor: str
    channel: str
    time_ms: int
    principal: str
    closes: tuple[AccountClose, ...]

    def command(self, close: AccountClose) -> Command:
        """Give the command for one of them, whose key is what it says and when it was made.

        Not what it says alone: a refusal that time takes away, PERIOD_NOT_OVER of an owner whose clock is behind or of
        an account with a zone of its own, would be the answer of the next tries, too. What is done twice the period
        refuses.
        """
        key = f"bill-{close.digest.hex()}-{self.time_ms}"
        return Command(
            close.account_id,
            key,
            close.digest,
            self.actor,
            self.channel,
            self.time_ms,
            close.action,
            self.principal,
        )


class PackedClosings(Struct, frozen=True, array_like=True, tag="C", gc=False):
    """A `CloseAccounts` as it is sent: the digest was taken of each action as it is packed here."""

    actor: str
    channel: str
    time_ms: int
    principal: str
    closes: Sequence[tuple[str, bytes, Raw]]


class DueAccounts(Struct, frozen=True, array_like=True, tag="D"):
    """One page, as the accounts are now."""

    accounts: tuple[Account, ...]
    next: str = ""
    """Where the next page begins; "" = there is none."""
    contracts: tuple[tuple[Contract, ...] | None, ...] = ()
    """Of the members of each account that have one and are not gone, as far as they were asked for; None = they can't
    be told with it: whoever pulls them has them, or hears why not."""


class Bills(Struct, frozen=True, array_like=True, tag="B"):
    """Bills of an account, oldest first."""

    account_id: str
    bills: tuple[Bill, ...]

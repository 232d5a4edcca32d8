"""Members that an account takes in: the contract that each begins with, and whether its identity may be had.

The platform completes the moment, the end and the fees by the catalogue; it does not know the contract that the
identity had before, perhaps with another account. That is the owner's: it reads it before it decides, and asks the
registry of holders last (`domainservers.desk.checking`).
"""

from typing import Protocol

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.contract import Contract, Subscription
from charging.base.fieldtypes import check_validity
from charging.errors import Refused
from charging.ledger.revising import require_ahead
from charging.ledger.within import check_contract


class NewMember(Protocol):
    """A command that brings an account a member."""

    @property
    def member(self) -> str:
        """Its identity."""

    @property
    def offering(self) -> str:
        """What its contract begins with; "" = nothing."""

    @property
    def subscription_attributes(self) -> dict[str, str]:
        """Of that offering."""

    @property
    def quantity(self) -> int:
        """How many of it."""

    @property
    def begins_later(self) -> bool:
        """Its first fees fall due when it begins, by the billing run, and not in the act."""

    @property
    def from_ms(self) -> int:
        """When its contract begins, UTC."""

    @property
    def ends_ms(self) -> int:
        """When its offering ends by itself; 0 = it doesn't."""


def admitted(account: Account, order: NewMember, now_ms: int, path: str) -> Contract:
    """Give the contract of a member that an account takes in.

    Raises `Refused` MEMBER_KNOWN, CHANGE_IN_PAST; `Invalid` VALIDITY_OVER, CONTRACT_TOO_LARGE.
    """
    if order.member in account.members:
        raise Refused("MEMBER_KNOWN", "the identity is a member of the account already")
    require_ahead(order.from_ms, now_ms)
    check_validity(order.from_ms, order.ends_ms, path)
    rows: tuple[Subscription, ...] = ()
    if order.offering:
        row = Subscription(order.offering, order.from_ms, order.ends_ms, order.subscription_attributes)
        first_fees = "activation" if order.begins_later else ""
        rows = (replace(row, quantity=order.quantity, first_fees=first_fees),)
    contract = Contract(
        order.member,
        account.account_id,
        account.terms.domain,
        order.from_ms,
        subscriptions=rows,
        version=account.version + 1,
    )
    check_contract(contract)
    return contract


def not_kept(known: Contract | None, account_id: str, now_ms: int) -> Refused | None:
    """Say that a number does not rest for the account that let it go, by the newest contract of it; None = it does."""
    if (
        known is not None
        and (known.status, known.account_id) == ("ended", account_id)
        and now_ms < known.rests_until_ms
    ):
        return None
    return Refused("NUMBER_NOT_KEPT", "the number does not rest for this account: it is another's, or free by now")

"""Who gets what a subscriber buys for somebody else: another account than the request's, perhaps of another region."""

from msgspec import Struct

from appserver.reading.asks import Order
from appserver.reference import DomainReference
from charging.base.account import Account
from charging.base.contract import Contract
from charging.ledger.commands.give_offering import GiveOffering


class Receiver(Struct, frozen=True):
    """Who gets it, as far as it is known here: the owner holds the gift against what it has."""

    account: Account
    contract: Contract
    reference: DomainReference
    """Of the region that serves it: what is sold there is given there."""


def receiver_wanted(order: Order) -> str:
    """Give the identity of another account that must be at hand before an order can be decided; "" = of none."""
    return order.to_identity if isinstance(order, GiveOffering) else ""

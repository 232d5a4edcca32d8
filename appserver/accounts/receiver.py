"""Another account than the request's, perhaps of another region, that an order is about too: who gets what a subscriber
buys, who is to pay somebody's bills, or be paid for.
"""

from msgspec import Struct

from appserver.reading.asks import Order
from appserver.reference import DomainReference
from charging.base.account import Account
from charging.base.account_id import identity_of, slot_of
from charging.base.contract import Contract
from charging.errors import NotFound
from charging.ledger.commands.give_offering import GiveOffering
from charging.ledger.commands.set_payee import SetPayee
from charging.ledger.commands.set_payer import SetPayer


class Receiver(Struct, frozen=True):
    """The other one, as far as it is known here: its owner holds what comes of the order against what it has."""

    account: Account
    contract: Contract
    reference: DomainReference
    """Of the region that serves it: what is sold there is given there."""


def receiver_wanted(order: Order) -> str:
    """Give the identity of another account that must be at hand before an order can be decided; "" = of none."""
    if isinstance(order, GiveOffering):
        return order.to_identity
    other = ""
    if isinstance(order, SetPayer):
        other = order.payer_account_id
    elif isinstance(order, SetPayee) and order.pays == "yes":
        other = order.payee_account_id
    # What is no account's id is for the owner to refuse.
    return identity_of(other) if slot_of(other) else ""


def nobody(order: Order) -> NotFound:
    """Give the fault of an order whose other account there is not."""
    if isinstance(order, SetPayer | SetPayee):
        other = order.payer_account_id if isinstance(order, SetPayer) else order.payee_account_id
        return NotFound("PAYER_UNKNOWN", f"there is no account {other}: nothing was changed")
    return NotFound("RECEIVER_UNKNOWN", "nobody has the number that the gift is for: nothing was taken")

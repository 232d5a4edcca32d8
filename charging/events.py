"""What happened to an account. Replaying the events of its entries in order gives its state."""

from msgspec import Struct

from charging.account import Account


class Opened(Struct, frozen=True, array_like=True, tag="opened"):
    """The account exists from here on, in this state."""

    account: Account


Event = Opened

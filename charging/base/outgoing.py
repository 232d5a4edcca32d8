"""What is under way from an account to another one, and vouchers asked for; kept in `charging.base.account.Open`."""

from msgspec import Struct

from charging.base.openbills import OpenBill


class Present(Struct, frozen=True, array_like=True, gc=False):
    """What a gift tells the receiver besides its amount."""

    from_identity: str
    label: str
    """Of the rule of the catalogue that it is given by."""
    unit: str
    allowance: str
    """Scope of the book that it makes; empty = none."""
    valid_to_ms: int
    """Until when it holds there; 0 = open end."""
    offering: bytes = b""
    """What its receiver subscribes to with it, packed (`charging.ledger.giving`); empty = nothing."""


class Redemption(Struct, frozen=True, array_like=True, gc=False):
    """A voucher that an account asks for; see `charging.ledger.commands.redeem_voucher`."""

    subject_id: str
    """The sheet that its code names."""
    hashes: tuple[bytes, ...]
    """Of the code, by each key that the platform has; the code itself is kept nowhere."""
    channel: str
    partner: str
    """Through whom it was asked for, which the sheet may ask; `digest` is of the caller's request."""
    digest: bytes
    returns: str = ""
    """Why the account can't take what the voucher gives, so that the voucher goes back; "" = it may."""


class Outgoing(Struct, frozen=True, array_like=True, gc=False):
    """A transfer under way to another account, or a voucher asked for; `charging.ledger.commands.send_transfer`."""

    key: str
    from_book_id: str
    to_identity: str
    to_book_id: str
    amount: int
    """Micro-units."""
    sent_ms: int = 0
    """When, by the sender's owner; 0 = it was not written down."""
    currency: str = ""
    """Of the amount."""
    present: Present | None = None
    """Of a gift; of a transfer of money there is none."""
    voucher: Redemption | None = None
    """What is asked for; then nothing leaves, and `sent_ms` is when it was asked."""
    fee: tuple[tuple[str, int], ...] = ()
    """What comes back with it, when it comes back: (book id, micro-units)."""
    to_account: str = ""
    """Id of the account that it goes to, from before it is offered first; "" = `to_identity` is not looked up yet."""
    bill: OpenBill | None = None
    """That its payer is to take over: then no money leaves; `charging.ledger.passing`."""
    of_ms: int = 0
    """Of a bill: a moment of its period, UTC."""

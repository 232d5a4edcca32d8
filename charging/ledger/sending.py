"""What leaves an account for another one and is under way: transfers and gifts; see `commands.send_transfer`."""

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.outgoing import Outgoing, Present
from charging.errors import Refused
from charging.ledger import funds
from charging.ledger.event import BaseEvent, Leg
from charging.ledger.events import Booked

OUTGOING_MAX = 32


class TransferSent(BaseEvent, frozen=True, tag="sent"):
    """Money left a book and is under way."""

    key: str
    from_book_id: str
    to_identity: str
    to_book_id: str
    amount: int
    """Micro-units of `currency`; nothing is converted."""
    reason: str
    sent_ms: int = 0
    """By the owner's clock; 0 = it was not written down."""
    currency: str = ""
    """Of the sender's account."""
    present: Present | None = None
    """Of a gift."""
    fee: tuple[tuple[str, int], ...] = ()
    """Of a gift, where its rule gives that back, too; other events take it."""

    rerates = False

    def apply(self, account: Account) -> Account:
        """Take, and remember as under way."""
        row = Outgoing(
            self.key,
            self.from_book_id,
            self.to_identity,
            self.to_book_id,
            self.amount,
            self.sent_ms,
            self.currency,
            self.present,
            fee=self.fee,
        )
        books = funds.shift(account.books, ((self.from_book_id, self.amount),), -1)
        return replace(account, books=books).with_open(outgoing=(*account.open.outgoing, row))

    def legs(self) -> tuple[Leg, ...]:
        """Post into transit."""
        return (Leg(f"book:{self.from_book_id}", -self.amount), Leg("transit", self.amount))

    def words(self) -> str:
        """Say the reason."""
        return self.reason or f"transfer to {self.to_identity}"


def gift_fee(account: Account, amount: int, words: str, now_ms: int) -> tuple[Booked, ...]:
    """Take the fee of a gift from money that pays for everything, credit included. Refused INSUFFICIENT_FUNDS."""
    if not amount:
        return ()
    credit = account.terms.credit_limit
    pairs = funds.draw(account.books, amount, credit, now_ms)
    if pairs is None:
        raise funds.no_funds(amount, funds.affordable(account.books, credit, now_ms), account.terms.currency)
    return (Booked("gift-fee", tuple((book_id, -amount) for book_id, amount in pairs), words),)


def with_fee(sent: TransferSent, fee: tuple[Booked, ...]) -> TransferSent:
    """Give a transfer that brings back what was taken as its fee, should it come back."""
    taken = tuple((book_id, -amount) for each in fee for book_id, amount in each.postings)
    return replace(sent, fee=taken)


def check_room_for(account: Account, key: str) -> None:
    """Refuse TRANSFERS_PENDING when as much is under way as may be at once, or something is under this very key.

    What is under way may be so for longer than journals know its key, and all its steps are told apart by that.
    """
    if any(row.key == key for row in account.open.outgoing):
        raise Refused("TRANSFERS_PENDING", "what was sent under this request key is under way still")
    if len(account.open.outgoing) >= OUTGOING_MAX:
        raise Refused("TRANSFERS_PENDING", f"at most {OUTGOING_MAX} transfers are under way at once")

"""Last step of a transfer, at its sender: forget it, or give it back when the other side refused."""

from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, MONEY, Account, Book
from charging.base.outgoing import Outgoing
from charging.errors import NotFound
from charging.ledger import funds
from charging.ledger.action import OWNER, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent, Leg
from charging.ledger.events import Booked, BookSet
from charging.ledger.passing import BillReturned
from charging.ledger.standing import require_here


class TransferSettled(BaseEvent, frozen=True, tag="settled"):
    """The other side has it, or it is given back to `book_id`."""

    key: str
    arrived: bool
    book_id: str
    amount: int
    """Micro-units."""
    reason: str

    rerates = False

    def apply(self, account: Account) -> Account:
        """Forget it, and give back what did not arrive."""
        back = () if self.arrived else ((self.book_id, self.amount),)
        outgoing = tuple(row for row in account.open.outgoing if row.key != self.key)
        return replace(account, books=funds.shift(account.books, back, 1)).with_open(outgoing=outgoing)

    def legs(self) -> tuple[Leg, ...]:
        """Post back out of transit what did not arrive."""
        return () if self.arrived else (Leg(f"book:{self.book_id}", self.amount), Leg("transit", -self.amount))

    def words(self) -> str:
        """Say why it came back, or that it arrived."""
        return self.reason or "arrived"


class SettleTransfer(BaseAction, frozen=True, tag="settle"):
    """Last step at the sender: forget it, or give it back when the other side refused."""

    transfer_key: str
    """Request key of its first half."""
    arrived: bool
    """False: the other side refused it for good, so it is given back."""
    reason: str
    """Of the refusal, "" when it arrived."""

    traits = Traits(
        sender=OWNER,
        permissions=(),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Hold no limit against it."""
        return 0

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """End a transfer at its sender. NotFound TRANSFER_UNKNOWN when it is not under way."""
        require_here(account)
        for row in account.open.outgoing:
            if row.key == self.transfer_key and row.bill is not None:
                return Effect((BillReturned(row.key, row.bill, self.reason),))
            if row.key == self.transfer_key:
                unit = row.present.unit if row.present is not None else MONEY
                there = funds.book_of(account, row.from_book_id) is not None
                made: tuple[BaseEvent, ...] = ()
                book_id = row.from_book_id if there or unit != MONEY else MAIN_BOOK
                if not there and unit != MONEY and not self.arrived:
                    made = (BookSet(Book(book_id, unit, 0)),)
                event = TransferSettled(row.key, self.arrived, book_id, row.amount, self.reason)
                return Effect(
                    (*made, event, *_fee_back(account, row, "" if self.arrived else self.reason)),
                    0 if self.arrived or unit != MONEY else row.amount,
                )
        raise NotFound("TRANSFER_UNKNOWN", f"no transfer {self.transfer_key!r} is under way")


def _fee_back(account: Account, row: Outgoing, refusal: str) -> tuple[BaseEvent, ...]:
    """Give the fee back with what comes back, to the books that paid it; where one is gone, to the main book."""
    if not refusal or not row.fee:
        return ()
    books = [book.book_id for book in account.books]
    pairs = tuple((book_id if book_id in books else MAIN_BOOK, amount) for book_id, amount in row.fee)
    return (Booked("gift-fee", pairs, f"{refusal}: the gift came back with its fee"),)

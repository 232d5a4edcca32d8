"""Second half of a transfer, at the account of the other identity, in whatever domain."""

from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, MONEY, Account
from charging.base.outgoing import Present
from charging.errors import Refused
from charging.ledger import funds, giving
from charging.ledger.action import DOMAIN_SERVER, BaseAction, Envelope, Traits
from charging.ledger.adding import Addition, prepared
from charging.ledger.books import MOVED, require_taker
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent, Leg
from charging.ledger.giving import GivenOffering
from charging.ledger.standing import require_open


class TransferReceived(BaseEvent, frozen=True, tag="received"):
    """Money arrived from another account."""

    from_account: str
    book_id: str
    amount: int
    """Micro-units."""
    reason: str
    currency: str = ""

    rerates = False

    def apply(self, account: Account) -> Account:
        """Add to the book."""
        return replace(account, books=funds.shift(account.books, ((self.book_id, self.amount),), 1))

    def legs(self) -> tuple[Leg, ...]:
        """Post out of transit."""
        return (Leg(f"book:{self.book_id}", self.amount), Leg("transit", -self.amount))

    def words(self) -> str:
        """Say the reason."""
        return self.reason or f"transfer from {self.from_account}"


class ReceiveTransfer(BaseAction, frozen=True, tag="receive"):
    """Second half, at the other account, under a key derived from the first."""

    from_account: str
    to_book_id: str
    amount: int
    """Micro-units."""
    reason: str
    sent_ms: int = 0
    """When the first half was journaled: tells the receiver whether the key may be forgotten again; 0 = not known."""
    currency: str = ""
    """Of the amount."""
    present: Present | None = None
    """Of a gift."""

    traits = Traits(
        sender=DOMAIN_SERVER,
        permissions=(),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Hold no limit against it."""
        return 0

    def given(self) -> GivenOffering | None:
        """Give the offering that the money is for. Raises `Invalid` GIFT_OUTDATED."""
        packed = self.present.offering if self.present is not None else b""
        return giving.read_given(packed) if packed else None

    def identities_written(self, account: Account | None) -> tuple[str, ...]:
        """Give the member who gets an offering."""
        given = self.given()
        return (given.before.identity,) if given is not None else ()

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Take in money from another account, by the owner's clock: the sender's may be another one.

        Refused, so that it goes back: ACCOUNT_CLOSED, ACCOUNT_MOVED, TRANSFER_TO_ITSELF, CURRENCY_MISMATCH,
        BOOK_UNKNOWN, BOOK_EXPIRED, UNIT_MISMATCH, BOOK_FULL; of a gift also what `charging.ledger.adding` refuses,
        for a gift makes its book, and of an offering what `charging.ledger.giving.begun` does.
        """
        require_open(account)
        if self.from_account == account.account_id:
            raise Refused("TRANSFER_TO_ITSELF", "both ends of the transfer are one account")
        given = self.given()
        if given is None:
            MOVED.read(self.amount, "amount")  # An offering may cost nothing.
        if self.currency != account.terms.currency:
            raise funds.other_currency("transfer", self.currency, account)
        present = self.present
        if given is not None and present is not None:
            return self._begin(account, given, present.from_identity, now_ms)
        if present is not None:
            added = Addition(
                self.to_book_id, present.unit, self.amount, present.valid_to_ms, allowance=present.allowance
            )
            made = prepared(account, added, now_ms)
            arrived = TransferReceived(
                self.from_account, self.to_book_id, self.amount, self.reason, account.terms.currency
            )
            return Effect((*made, arrived), self.amount if present.unit == MONEY else 0)
        book = require_taker(account, self.to_book_id or MAIN_BOOK, MONEY, self.amount, now_ms)
        event = TransferReceived(self.from_account, book.book_id, self.amount, self.reason, account.terms.currency)
        return Effect((event,), self.amount)

    def _begin(self, account: Account, given: GivenOffering, giver: str, now_ms: int) -> Effect:
        """Take the money in, and let what it was paid for begin."""
        book = require_taker(account, MAIN_BOOK, MONEY, self.amount, now_ms)
        event = TransferReceived(self.from_account, book.book_id, self.amount, self.reason, account.terms.currency)
        begun = giving.begun(event.apply(account), given, self.amount, f"gift from {giver}", now_ms)
        return Effect((event, *begun))

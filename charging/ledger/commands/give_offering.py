"""Buy an offering for another subscriber; it travels as a transfer does, with the subscription that it pays for."""

from typing import Annotated

from msgspec import Struct
from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, MONEY, Account
from charging.base.asked import Asked, FilledIn
from charging.base.fields import QUANTITY, AttributeMap, BookId
from charging.base.fieldtypes import NAME, Identity, refusal
from charging.base.identity import normalise
from charging.base.outgoing import Present
from charging.errors import Invalid, Refused
from charging.ledger import funds
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.books import check_unit, require_giver
from charging.ledger.effect import Effect
from charging.ledger.sending import TransferSent, check_room_for, gift_fee, with_fee
from charging.ledger.standing import require_active


class OfferingTerms(Struct, frozen=True, array_like=True, gc=False):
    """What an offering costs its giver, as the platform decided it for whoever gets it."""

    price: int
    """Micro-units of `currency`: its fees."""
    currency: str
    fee: int
    """Micro-units: of the gift, beside the price."""
    from_identity: str
    ends_ms: int
    """When what is given ends, UTC; 0 = not by itself."""
    given: bytes
    """Packed `charging.ledger.giving.GivenOffering`: its receiver's owner reads it, the giver's does not."""


class GiveOffering(BaseAction, frozen=True, tag="give_offering"):
    """Buy it. `terms` are filled in by the platform."""

    to_identity: Annotated[str, Identity()]
    offering: Annotated[str, NAME]
    subscription_attributes: AttributeMap
    quantity: Annotated[int, QUANTITY]
    book_id: BookId
    terms: Annotated[OfferingTerms | None, FilledIn()] = None

    traits = Traits(
        sender=PLATFORM,
        permissions=("give_offering",),
        predictable=False,
        proposable=False,
        of_subscribers=True,
        ports=False,
    )

    def checked(self, asked: Asked) -> "GiveOffering":
        """Give it with the other identity normalised. Raises `Invalid` IDENTITY_MALFORMED, GIFT_TO_ITSELF."""
        other = normalise(self.to_identity, asked.country)
        if other == asked.identity:
            raise refusal("GIFT_TO_ITSELF", "give_offering.to_identity", "somebody else")
        return replace(self, to_identity=other)

    def at_stake(self) -> int:
        """Give what leaves, with the fee."""
        return self.terms.price + self.terms.fee if self.terms is not None else 0

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Take price and fee, and send both halves on their way; the price never on credit.

        Refused GIFT_TO_ITSELF for a member of the same account, TRANSFERS_PENDING, CURRENCY_MISMATCH, BOOK_UNKNOWN,
        BOOK_EXPIRED, BOOK_BOUND, UNIT_MISMATCH, INSUFFICIENT_FUNDS, ACCOUNT_SUSPENDED; Invalid OFFERING_NOT_GIVEN.
        """
        require_active(account)
        terms = self.terms
        if terms is None or terms.price < 0 or terms.fee < 0:
            text = "one of the catalogue that may be given"
            raise Invalid("OFFERING_NOT_GIVEN", "no offering came with it", fields={"give_offering.offering": text})
        if self.to_identity in account.members:
            raise Refused("GIFT_TO_ITSELF", "the other identity is a member of the same account: subscribe to it")
        check_room_for(account, command.key)
        if terms.currency != account.terms.currency:
            raise funds.other_currency("gift", terms.currency, account)
        book = require_giver(account, self.book_id or MAIN_BOOK, terms.price, now_ms)
        check_unit(book, MONEY)
        if book.allowance:
            raise Refused("BOOK_BOUND", f"what is in book {book.book_id!r} can't leave the account")
        label = self.offering if self.quantity == 1 else f"{self.quantity} × {self.offering}"
        words = f"gift to {self.to_identity}: {label}"
        present = Present(terms.from_identity, label, MONEY, "", terms.ends_ms, terms.given)
        sent = TransferSent(
            command.key,
            book.book_id,
            self.to_identity,
            MAIN_BOOK,
            terms.price,
            words,
            now_ms,
            account.terms.currency,
            present,
        )
        fee = gift_fee(sent.apply(account), terms.fee, words, now_ms)
        return Effect((with_fee(sent, fee), *fee), terms.price)

"""Give money or free units to another subscriber, by a rule of the catalogue; it travels as a transfer does."""

from typing import Annotated

from msgspec import Struct
from msgspec.structs import replace

from charging.base import accumulators
from charging.base.account import MAIN_BOOK, MONEY, Account, Book
from charging.base.asked import Asked, FilledIn
from charging.base.fields import BookId
from charging.base.fieldtypes import NAME, Amount, Identity, refusal
from charging.base.identity import normalise
from charging.base.localtime import DAY, MONTH, LocalTime, span
from charging.base.outgoing import Present
from charging.errors import Invalid, Refused
from charging.ledger.accruals import accrue
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.books import check_unit, require_giver
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent
from charging.ledger.sending import TransferSent, check_room_for, gift_fee, with_fee
from charging.ledger.standing import require_active

GIVEN = Amount("AMOUNT_NOT_POSITIVE", beside="book_id")
COUNTS = ("~gift.day.", "~gift.month.")
"""Begin the names under which an account counts what it gave by a rule."""


class GiftTerms(Struct, frozen=True, array_like=True, gc=False):
    """A rule of gifts as the platform reads it in the catalogue of today; amounts in the unit, 0 = no bound."""

    label: str
    unit: str
    books: tuple[str, ...]
    least: int
    most: int
    per_day: int
    per_month: int
    fee: int
    """Micro-units."""
    to_book: str
    allowance: str
    valid_to_ms: int
    from_identity: str
    fee_kept: bool = False
    """It stays taken when the gift comes back."""


class GiftCounted(BaseEvent, frozen=True, tag="gift"):
    """A gift counts for the bounds of its rule."""

    rule: str
    to_identity: str
    accruals: tuple[tuple[str, int], ...]

    rerates = False
    leads = True

    def apply(self, account: Account) -> Account:
        """Count it."""
        return replace(account, accumulators=accrue(account.accumulators, self.accruals))

    def words(self) -> str:
        """Name the rule and the other party."""
        return f"gift to {self.to_identity} by {self.rule}"


class Gift(BaseAction, frozen=True, tag="gift"):
    """Give something away. `terms` are filled in by the platform."""

    to_identity: Annotated[str, Identity()]
    rule: Annotated[str, NAME]
    amount: Annotated[int, GIVEN]
    book_id: BookId
    terms: Annotated[GiftTerms | None, FilledIn()] = None

    traits = Traits(
        sender=PLATFORM,
        permissions=("gift",),
        predictable=False,
        proposable=True,
        of_subscribers=True,
        ports=False,
    )

    def checked(self, asked: Asked) -> "Gift":
        """Give it with the other identity normalised. Raises `Invalid` IDENTITY_MALFORMED, GIFT_TO_ITSELF."""
        other = normalise(self.to_identity, asked.country)
        if other == asked.identity:
            raise refusal("GIFT_TO_ITSELF", "gift.to_identity", "somebody else")
        return replace(self, to_identity=other)

    def at_stake(self) -> int:
        """Give what leaves, whatever the unit."""
        return self.amount

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Take it and send it on its way; never on credit, never what sessions keep.

        Refused GIFT_TO_ITSELF for a member of the same account, GIFT_OUT_OF_BOUNDS, TRANSFERS_PENDING, BOOK_UNKNOWN,
        BOOK_EXPIRED, BOOK_BOUND, UNIT_MISMATCH, INSUFFICIENT_FUNDS, ACCOUNT_SUSPENDED; Invalid GIFT_UNKNOWN.
        """
        require_active(account)
        GIVEN.read(self.amount, "amount")
        terms = self.terms
        if terms is None:
            raise Invalid("GIFT_UNKNOWN", "no rule of gifts came with it", fields={"gift.rule": "one of the catalogue"})
        if self.to_identity in account.members:
            raise Refused("GIFT_TO_ITSELF", "the other identity is a member of the same account")
        check_room_for(account, command.key)
        counted = _counted(account, self, terms, now_ms)
        book = require_giver(account, self.book_id or MAIN_BOOK, self.amount, now_ms)
        check_unit(book, terms.unit)
        _check_book(book, terms)
        present = Present(terms.from_identity, terms.label, terms.unit, terms.allowance, terms.valid_to_ms)
        sent = TransferSent(
            command.key,
            book.book_id,
            self.to_identity,
            terms.to_book,
            self.amount,
            f"gift to {self.to_identity}: {terms.label}",
            now_ms,
            account.terms.currency,
            present,
        )
        fee = gift_fee(sent.apply(account), terms.fee, f"fee of {terms.label}", now_ms)
        if not terms.fee_kept:
            sent = with_fee(sent, fee)
        # Last stands what leads: the history tells the other party, not the fee.
        events: tuple[BaseEvent, ...] = (sent, *fee, GiftCounted(self.rule, self.to_identity, counted))
        return Effect(events, self.amount if terms.unit == MONEY else 0)


def _check_book(book: Book, terms: GiftTerms) -> None:
    if (terms.books or book.allowance) and book.book_id not in terms.books:
        text = ", ".join(terms.books) or "one without a scope"
        raise Refused("BOOK_BOUND", f"nothing is given from book {book.book_id!r} by this rule, but from {text}")


def _counted(account: Account, gift: Gift, terms: GiftTerms, now_ms: int) -> tuple[tuple[str, int], ...]:
    """Hold a gift against the bounds of its rule, and give what it counts. Refused GIFT_OUT_OF_BOUNDS."""
    if not terms.least <= gift.amount <= terms.most:
        raise _out_of_bounds("gift", f"{terms.least} to {terms.most}", gift.amount)
    day = LocalTime(account.terms.zone).day(now_ms // 1000)
    found: list[tuple[str, int]] = []
    for name, period, most in zip(COUNTS, (DAY, MONTH), (terms.per_day, terms.per_month), strict=True):
        if most:
            key = accumulators.key(name + gift.rule, span(period, day, account.terms.cycle_day).text)
            given = account.accumulators.get(key, 0)
            if given + gift.amount > most:
                raise _out_of_bounds(name.split(".")[1], f"at most {most}, {given} of it given", gift.amount)
            found.append((key, gift.amount))
    return tuple(found)


def _out_of_bounds(of: str, wanted: str, asked: int) -> Refused:
    text = f"a {of} of {asked} is not given: {wanted}"
    return Refused("GIFT_OUT_OF_BOUNDS", text, facts={"of": of, "asked": str(asked), "most": wanted})

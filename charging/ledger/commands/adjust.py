"""Correct a book by hand."""

from typing import Annotated

from charging.base.account import MAIN_BOOK, MONEY, Account
from charging.base.asked import Asked
from charging.base.fields import BookId, Reason
from charging.base.fieldtypes import Difference
from charging.errors import Invalid
from charging.ledger import funds
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.books import check_room, require_book
from charging.ledger.effect import Effect
from charging.ledger.events import Booked
from charging.ledger.standing import require_here

_CORRECTED = Difference("ADJUSTMENT_EMPTY", beside="book_id")


class Adjust(BaseAction, frozen=True, tag="adjust"):
    """Correct a book by hand; actor and reason are required."""

    book_id: BookId
    delta: Annotated[int, _CORRECTED]
    """Micro-units of money, base units of anything else; below zero it takes away."""
    reason: Reason

    traits = Traits(
        sender=PLATFORM,
        permissions=("adjust",),
        predictable=True,
        proposable=True,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Give the correction, whatever its sign."""
        return abs(self.delta)

    def grounds(self) -> str:
        """Give the reason."""
        return self.reason

    def checked(self, asked: Asked) -> "Adjust":
        """Give it as it is. Raises `Invalid` ADJUSTMENT_UNSIGNED unless somebody answers for it."""
        _check_signed(asked.actor, self.reason, "adjust.reason")
        return self

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Correct a book by hand. Actor and reason are required; money stays over its floor and what sessions keep."""
        require_here(account)
        _check_signed(command.actor, self.reason, "reason")
        _CORRECTED.read(self.delta, "delta")
        book = require_book(account, self.book_id or MAIN_BOOK)
        credit = account.terms.credit_limit if book.book_id == MAIN_BOOK else 0
        left = book.amount - book.reserved + credit
        check_room(book, self.delta)
        if self.delta < 0 and left < -self.delta:
            raise funds.no_funds(-self.delta, max(0, left), account.terms.currency)
        return Effect(
            (Booked("adjust", ((book.book_id, self.delta),), self.reason),),
            self.delta if book.unit == MONEY else 0,
        )


def _check_signed(actor: str, reason: str, path: str) -> None:
    missing = {} if actor else {"actor": "who adjusts"}
    if not reason.strip():
        missing[path] = "why it is adjusted"
    if missing:
        raise Invalid("ADJUSTMENT_UNSIGNED", "an adjustment names its actor and its reason", fields=missing)

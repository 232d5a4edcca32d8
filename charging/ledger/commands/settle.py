"""Settle bills from a book of the account: from a guarantee, or by hand where the balance does not by itself."""

from typing import Annotated

from charging.base.account import MAIN_BOOK, MONEY, Account
from charging.base.bounds import AMOUNT_MAX
from charging.base.fields import BookId, Reason
from charging.base.fieldtypes import MICRO_UNITS, Name, Whole
from charging.base.openbills import allocate
from charging.errors import Refused
from charging.ledger import funds
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.books import check_unit, require_book
from charging.ledger.effect import Effect
from charging.ledger.settling import Settled, free_of, settling, total
from charging.ledger.standing import require_here


class Settle(BaseAction, frozen=True, tag="settle_bills"):
    """Settle bills from a book, also from one that charges may not draw on: a guarantee is such a book."""

    book_id: BookId
    bill: Annotated[str, Name(required=False)]
    """Empty = the oldest due first."""
    service: Annotated[str, Name(required=False)]
    """Only items of this service."""
    amount: Annotated[int, Whole(0, AMOUNT_MAX, unit=MICRO_UNITS)]
    """0 = as much as is owed and as the book has."""
    reason: Reason

    traits = Traits(
        sender=PLATFORM,
        permissions=("settle",),
        predictable=False,
        proposable=True,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Give what is settled; 0 = it is not known before the book is looked at."""
        return self.amount

    def grounds(self) -> str:
        """Give the reason."""
        return self.reason

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Take from the book what is owed, never on credit.

        Refused BOOK_UNKNOWN, UNIT_MISMATCH, BILL_UNKNOWN, BILL_SETTLED, NOTHING_OWED, PAYMENT_EXCEEDS_BILL,
        INSUFFICIENT_FUNDS.
        """
        require_here(account)
        book = require_book(account, self.book_id or MAIN_BOOK)
        check_unit(book, MONEY)
        if not book.valid_at(now_ms):
            raise Refused("BOOK_EXPIRED", f"book {book.book_id!r} is not valid now", facts={"book": book.book_id})
        shares = settling(account, self.amount, self.bill, self.service)
        free = free_of(account, book)
        if self.amount > free or not free:
            raise funds.no_funds(self.amount or total(shares), free, account.terms.currency)
        shares = allocate(account.open.bills, min(free, total(shares)), self.bill, self.service)
        amount = total(shares)
        return Effect((Settled(((book.book_id, amount),), shares, now_ms),), amount)

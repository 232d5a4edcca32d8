"""Take away an empty book, so that its scope holds no more: the way to end a budget that blocks."""

from typing import Annotated

from charging.base.account import MAIN_BOOK, Account
from charging.base.fields import Reason
from charging.base.fieldtypes import NAME
from charging.errors import Refused
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.books import require_book
from charging.ledger.effect import Effect
from charging.ledger.events import BookDropped
from charging.ledger.standing import require_open


class DropBook(BaseAction, frozen=True, tag="drop_book"):
    """Take away an empty book of the account."""

    book_id: Annotated[str, NAME]
    reason: Reason

    traits = Traits(
        sender=PLATFORM,
        permissions=("drop_book",),
        predictable=True,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Hold no limit against it: it has nothing in it."""
        return 0

    def grounds(self) -> str:
        """Give the reason."""
        return self.reason

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Take it away. Refused BOOK_UNKNOWN, BOOK_IN_USE."""
        require_open(account)
        book = require_book(account, self.book_id)
        drawn = {pair[0] for session in account.open.sessions for hold in session.holds for pair in hold.postings}
        sent = {row.from_book_id for row in account.open.outgoing}
        sent.update(book_id for row in account.open.outgoing for book_id, _ in row.fee)
        if book.amount or book.reserved or book.book_id in drawn | sent or book.book_id == MAIN_BOOK:
            text = f"book {book.book_id!r} is the main one, holds something, or something is under way from it"
            raise Refused("BOOK_IN_USE", text, facts={"book": book.book_id, "holds": str(book.amount)})
        return Effect((BookDropped(book.book_id, self.reason),))

"""What moves by hand between books: which books may give and take, and how much."""

from charging.base.account import MAIN_BOOK, MONEY, Account, Book
from charging.base.bounds import BOOK_MAX
from charging.base.fieldtypes import Amount
from charging.errors import Invalid, Refused
from charging.ledger import funds

MOVED = Amount("AMOUNT_NOT_POSITIVE")
"""What moves between books or accounts."""


def require_book(account: Account, book_id: str) -> Book:
    """Find a book, valid or not, or refuse with BOOK_UNKNOWN."""
    book = funds.book_of(account, book_id)
    if book is None:
        raise Refused("BOOK_UNKNOWN", f"the account has no book {book_id!r}", facts={"book": book_id})
    return book


def require_giver(account: Account, book_id: str, amount: int, time_ms: int) -> Book:
    """Find a book that may give an amount by hand, to another book or account, or refuse.

    BOOK_UNKNOWN; BOOK_EXPIRED also of one that is not valid yet; INSUFFICIENT_FUNDS beyond what sessions leave free.
    """
    book = require_book(account, book_id)
    _check_valid(book, time_ms)
    left = book.amount - book.reserved
    if left < amount:
        raise funds.no_funds(amount, max(0, left), account.terms.currency)
    return book


def require_taker(account: Account, book_id: str, unit: str, amount: int, time_ms: int) -> Book:
    """Find a book that may take an amount in, from another book or account, or refuse.

    BOOK_UNKNOWN; BOOK_EXPIRED, since nobody could spend it there; UNIT_MISMATCH; BOOK_FULL.
    """
    book = require_book(account, book_id)
    _check_valid(book, time_ms)
    check_unit(book, unit)
    check_room(book, amount)
    return book


def _check_valid(book: Book, time_ms: int) -> None:
    if not book.valid_at(time_ms):
        raise Refused("BOOK_EXPIRED", f"book {book.book_id!r} is not valid now", facts={"book": book.book_id})


def check_unit(book: Book, unit: str) -> None:
    """Refuse UNIT_MISMATCH for a book that holds another unit."""
    if book.unit != unit:
        text = f"book {book.book_id!r} holds {book.unit}, not {unit}"
        raise Refused("UNIT_MISMATCH", text, facts={"book": book.book_id, "unit": book.unit})


def check_main(book_id: str, unit: str, allowance: str, path: str) -> None:
    """Raise Invalid BOOKS_MALFORMED for a main book that is not unrestricted money: credit and postings rest on it."""
    if book_id == MAIN_BOOK and (unit != MONEY or allowance):
        raise Invalid("BOOKS_MALFORMED", "the main book is unrestricted money", fields={path: MONEY})


def check_room(book: Book, amount: int) -> None:
    """Refuse BOOK_FULL what would make a book larger than numbers may become; `amount` is added, in its unit."""
    if book.amount + amount > BOOK_MAX:
        raise Refused("BOOK_FULL", f"book {book.book_id!r} holds at most {BOOK_MAX}", facts={"holds": str(book.amount)})

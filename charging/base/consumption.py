"""In which order an account uses up what it has: books of money and of free units, and allowances among them.

The lower priority value goes first. Of equal priority an allowance of the period goes before any book, for it is gone
when the period ends; then the book that ends first, one without an end last; then by name, so that everybody who sorts
finds the same order. `Account.books` is kept in it, rating merges allowances
and books by it, and an owner draws money by it.
"""

from typing import Final

from charging.base.account import Book
from charging.base.bounds import OPEN_END

Order = tuple[int, int, int, str]
_ALLOWANCE: Final = 0
_BOOK: Final = 1


def of_allowance(priority: int, name: str) -> Order:
    """Give the sort key of an allowance, and of what rolled over into its period."""
    return (priority, _ALLOWANCE, 0, name)


def of_book(book: Book) -> Order:
    """Give the sort key of a book."""
    return (book.priority, _BOOK, book.valid_to_ms or OPEN_END, book.book_id)

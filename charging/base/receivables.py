"""What an account owes by its bills, beside its books.

    receivables = opened − allocated − credited − written off

always, and to the micro-unit: whatever changes what is open posts the same amount to or from the place `RECEIVABLE`.
What is owed and not disputed is kept in the main book as what sessions keep is, so a bill takes up credit exactly as
long as it is not paid, and no charge has to look at bills.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, Account, Book
from charging.base.openbills import (
    OpenBill,
    Share,
    changed,
    find,
    late_fee,
    owed,
    pack_settled,
    settled_bills,
)

RECEIVABLE = "receivable"
"""Place of what is owed by bills."""


def bill_opened(account: Account, bill: OpenBill) -> Account:
    """Give the account with a bill of its own opened: what is owed of it leaves the main book for the bill.

    The event that does it posts `open` of the bill from `RECEIVABLE` to the main book. A bill of which nothing is owed
    is only remembered.
    """
    books = tuple([_grown(book, bill.open) if book.book_id == MAIN_BOOK else book for book in account.books])
    return with_bills(replace(account, books=books), (*account.open.bills, bill))


def with_bills(account: Account, bills: Sequence[OpenBill]) -> Account:
    """Give the account with these bills open; those of which nothing is left to come are only remembered.

    What the main book keeps for them changes with them.
    """
    kept = tuple([bill for bill in bills if bill.open or late_fee_pending(bill)])
    done = [bill for bill in bills if not (bill.open or late_fee_pending(bill))]
    before, after = owed(account.open.bills), owed(kept)
    settled = account.open.settled
    if done:
        numbers = {bill.number for bill in done}
        before_them = [bill for bill in settled_bills(settled) if bill.number not in numbers]
        settled = pack_settled([*before_them, *[replace(bill, items=(), instalments=()) for bill in done]])
    books = account.books
    if before != after:
        books = tuple([_keeping(book, after - before) if book.book_id == MAIN_BOOK else book for book in books])
    return replace(account, books=books).with_open(bills=kept, settled=settled)


def with_shares(account: Account, shares: Iterable[Share], now_ms: int, open_: int, disputed: int) -> Account:
    """Give the account with shares of bills added to what is open and disputed, `open_` and `disputed` times each."""
    return with_bills(account, changed(account.open.bills, shares, now_ms, open_, disputed))


def late_fee_pending(bill: OpenBill) -> bool:
    """Say whether a late fee of a bill, paid by now, is still to be asked for by the next one."""
    return late_fee(bill, bill.counted_ms) > bill.late_billed


def late_fees(account: Account, until_ms: int) -> tuple[tuple[str, int], ...]:
    """Give what the next bill asks for paying earlier ones late: (number of the late bill, micro-units).

    The event that opens it has them marked by `late_fees_billed` in the same act.
    """
    found = [(bill.number, late_fee(bill, until_ms) - bill.late_billed) for bill in account.open.bills]
    return tuple([pair for pair in found if pair[1] > 0])


def late_fees_billed(account: Account, fees: Iterable[tuple[str, int]]) -> Account:
    """Give the account once a bill asks for these late fees: (number of the late bill, micro-units)."""
    asked = dict(fees)
    if not asked:
        return account
    bills = [replace(each, late_billed=each.late_billed + asked.get(each.number, 0)) for each in account.open.bills]
    return with_bills(account, bills)


def bill_of(account: Account, number: str) -> OpenBill | None:
    """Find a bill of the account, open or remembered; None = it is none, or longer ago than is remembered."""
    known = find(account.open.bills, number)
    return known if known is not None else find(settled_bills(account.open.settled), number)


def open_of(account: Account) -> int:
    """Give what is open of all bills, disputed or not, micro-units: the receivable."""
    return sum([bill.open for bill in account.open.bills])


def kept_for_bills(account: Account) -> int:
    """Give what the main book keeps for bills that are not paid, micro-units."""
    return owed(account.open.bills) if account.open.bills else 0


def _grown(book: Book, amount: int) -> Book:
    return replace(book, amount=book.amount + amount)


def _keeping(book: Book, more: int) -> Book:
    return replace(book, reserved=book.reserved + more)

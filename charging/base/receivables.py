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
    opened = open_of_bill(bill)
    books = account.books
    if opened:
        books = tuple([_grown(book, opened) if book.book_id == MAIN_BOOK else book for book in books])
    return _with(account, books, (*account.open.bills, bill))


def with_bills(account: Account, bills: Sequence[OpenBill]) -> Account:
    """Give the account with these bills open; those of which nothing is left to come are only remembered.

    What the main book keeps for them changes with them.
    """
    return _with(account, account.books, bills)


def _with(account: Account, books: tuple[Book, ...], bills: Sequence[OpenBill]) -> Account:
    opens = account.open
    kept: list[OpenBill] = []
    done: list[OpenBill] = []
    after = 0
    for bill in bills:
        owed_of_it, open_of_it = owed_of_bill(bill), open_of_bill(bill)
        if open_of_it or late_fee_pending(bill):
            kept.append(bill)
            after += owed_of_it
        else:
            done.append(bill)
    more = after - kept_for_bills(account)
    settled = opens.settled
    if done:
        numbers = {bill.number for bill in done}
        before_them = [bill for bill in settled_bills(settled) if bill.number not in numbers]
        settled = pack_settled([*before_them, *[replace(bill, items=(), instalments=()) for bill in done]])
    if more:
        books = tuple([_keeping(book, more) if book.book_id == MAIN_BOOK else book for book in books])
    return replace(account, books=books, open=replace(opens, bills=tuple(kept), settled=settled))


def with_shares(account: Account, shares: Iterable[Share], now_ms: int, open_: int, disputed: int) -> Account:
    """Give the account with shares of bills added to what is open and disputed, `open_` and `disputed` times each."""
    return with_bills(account, changed(account.open.bills, shares, now_ms, open_, disputed))


def late_fee_pending(bill: OpenBill) -> bool:
    """Say whether a late fee of a bill, paid by now, is still to be asked for by the next one."""
    if not bill.late.ppm_a_day:
        return False
    return late_fee(bill, bill.counted_ms) > bill.late_billed


def late_fees(account: Account, until_ms: int) -> tuple[tuple[str, int], ...]:
    """Give what the next bill asks for paying earlier ones late: (number of the late bill, micro-units).

    The event that opens it has them marked by `late_fees_billed` in the same act.
    """
    bills = account.open.bills
    if not bills:
        return ()
    found = [(bill.number, late_fee(bill, until_ms) - bill.late_billed) for bill in bills]
    return tuple([pair for pair in found if pair[1] > 0])


def late_fees_billed(account: Account, fees: Sequence[tuple[str, int]]) -> Account:
    """Give the account once a bill asks for these late fees: (number of the late bill, micro-units)."""
    if not fees:
        return account
    asked = dict(fees)
    bills = [replace(each, late_billed=each.late_billed + asked.get(each.number, 0)) for each in account.open.bills]
    return with_bills(account, bills)


def bill_of(account: Account, number: str) -> OpenBill | None:
    """Find a bill of the account, open or remembered; None = it is none, or longer ago than is remembered."""
    known = find(account.open.bills, number)
    return known if known is not None else find(settled_bills(account.open.settled), number)


def open_of(account: Account) -> int:
    """Give what is open of all bills, disputed or not, micro-units: the receivable."""
    return sum([open_of_bill(bill) for bill in account.open.bills])


def kept_for_bills(account: Account) -> int:
    """Give what the main book keeps for bills that are not paid, micro-units."""
    return sum([owed_of_bill(bill) for bill in account.open.bills])


def open_of_bill(bill: OpenBill) -> int:
    """Give what is open of a bill, disputed or not: as `OpenBill.open`, for who asks it of each bill of a run."""
    total = 0
    for row in bill.items:
        total += row.open
    return total


def owed_of_bill(bill: OpenBill) -> int:
    """Give what is to be paid of a bill: as `OpenBill.owed`."""
    total = 0
    for row in bill.items:
        total += row.open - row.disputed
    return total


def _grown(book: Book, amount: int) -> Book:
    return replace(book, amount=book.amount + amount)


def _keeping(book: Book, more: int) -> Book:
    return replace(book, reserved=book.reserved + more)

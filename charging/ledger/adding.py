"""What is added to a book by a top-up, a voucher, a bonus or a gift: which events make the book, renew it, and add.

A pack (units, or money bound to a scope) holds from the moment on at which it is added, unless it says from when: usage
from before is not its to pay. An empty book begins anew, what is added to one with something left holds as that. Books
that have expired lapse first, so they don't pile up: an expired one is never revived.
"""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, MONEY, Account, Book
from charging.base.bounds import BOOKS_MAX, PRIORITY_DEFAULT
from charging.base.lateness import LATE_MS_MAX
from charging.errors import Invalid, Refused
from charging.ledger import funds
from charging.ledger.books import check_main, check_room, check_unit
from charging.ledger.event import BaseEvent
from charging.ledger.events import BookDropped, Booked, BookSet, FirstMoney


class Addition(Struct, frozen=True, gc=False):
    """What is added, and how the book is that it makes if there is none."""

    book_id: str
    unit: str
    amount: int
    """Micro-units of money, base units of anything else."""
    valid_to_ms: int = 0
    """0 = open end; of a book that is there the later end holds."""
    priority: int = PRIORITY_DEFAULT
    allowance: str = ""
    valid_from_ms: int = 0
    """0 = a pack from now on, plain money whenever."""


def prepared(account: Account, given: Addition, time_ms: int) -> list[BaseEvent]:
    """Give the events after which the book can take the amount: lapses, the book made or renewed.

    Refused BOOKS_FULL, BOOK_FULL, UNIT_MISMATCH, ALLOWANCE_MISMATCH; Invalid BOOKS_MALFORMED, VALIDITY_FIXED.
    """
    events = _lapses(account, time_ms, given.book_id)
    dropped = {event.book_id for event in events if isinstance(event, BookDropped)}
    book = None if given.book_id in dropped else funds.book_of(account, given.book_id)
    if book is None:
        if len(account.books) - len(dropped) >= BOOKS_MAX:
            raise Refused("BOOKS_FULL", f"an account has at most {BOOKS_MAX} books")
        events.append(BookSet(_new_book(given, time_ms)))
    else:
        check_room(book, given.amount)
        events += _renewal(book, given, time_ms)
    return events


def after(account: Account, events: Iterable[BaseEvent]) -> Account:
    """Give the account as these events leave its books: what comes next in the same act is decided on it."""
    for event in events:
        account = event.apply(account)
    return account


def _new_book(given: Addition, time_ms: int) -> Book:
    check_main(given.book_id, given.unit, given.allowance, "unit")
    begins = _begins(given, given.allowance, time_ms)
    priority = given.priority or PRIORITY_DEFAULT
    return Book(given.book_id, given.unit, 0, 0, priority, begins, given.valid_to_ms, given.allowance)


def _begins(given: Addition, allowance: str, time_ms: int) -> int:
    """Give the moment from which what is bought now holds."""
    return given.valid_from_ms or (time_ms if given.unit != MONEY or allowance else 0)


def _renewal(book: Book, given: Addition, time_ms: int) -> list[BaseEvent]:
    check_unit(book, given.unit)
    if given.allowance and given.allowance != book.allowance:
        raise Refused("ALLOWANCE_MISMATCH", f"book {book.book_id!r} is bound to {book.allowance or 'nothing'!r}")
    valid_to_ms = 0
    if book.valid_to_ms and given.valid_to_ms:
        valid_to_ms = max(book.valid_to_ms, given.valid_to_ms)
    begins = book.valid_from_ms if book.amount else _begins(given, book.allowance, time_ms)
    if given.valid_from_ms not in (0, begins):
        text = f"{book.valid_from_ms}, as what is left in it, or nothing"
        raise Invalid("VALIDITY_FIXED", f"book {book.book_id!r} holds from {text}", fields={"valid_from_ms": text})
    if (begins, valid_to_ms) == (book.valid_from_ms, book.valid_to_ms):
        return []
    return [BookSet(replace(book, amount=0, reserved=0, valid_from_ms=begins, valid_to_ms=valid_to_ms))]


def _lapses(account: Account, time_ms: int, topped_up: str) -> list[BaseEvent]:
    """End the books that are over: at once what is empty or topped up, the rest when no late usage can need it.

    A book that an open session has drawn on stays until the session ends, and one from which something is under way
    until that has arrived or come back: it comes back to where it lapses. Only what is free in it lapses.
    """
    events: list[BaseEvent] = []
    awaited = {pair[0] for session in account.open.sessions for hold in session.holds for pair in hold.postings}
    for row in account.open.outgoing:
        awaited.update((row.from_book_id, *[book_id for book_id, _ in row.fee]))
    for book in account.books:
        wait_ms = 0 if book.book_id == topped_up or not book.amount else LATE_MS_MAX
        if not book.valid_to_ms or book.book_id == MAIN_BOOK or book.valid_to_ms + wait_ms > time_ms:
            continue
        left = book.amount - book.reserved
        if left:
            events.append(Booked("lapse", ((book.book_id, -left),), "validity ended"))
        if not book.reserved and book.book_id not in awaited:
            events.append(BookDropped(book.book_id))
    return events


def first_money(account: Account, unit: str) -> tuple[BaseEvent, ...]:
    """Give what notes that an account is topped up for the first time; nothing when it was before, or gets units."""
    return (FirstMoney(),) if unit == MONEY and not account.terms.topped_up else ()

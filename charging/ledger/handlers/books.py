"""Deciding what moves books by hand: top-ups, adjustments, moves between books, and the end of expired books."""

from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, MONEY, Account, Book
from charging.base.bounds import AMOUNT_MAX, BOOK_MAX, BOOKS_MAX
from charging.base.lateness import LATE_MS_MAX
from charging.errors import Invalid, Refused
from charging.ledger import funds
from charging.ledger.commands import Adjust, Command, MoveMoney, TopUp
from charging.ledger.decision import Effect
from charging.ledger.events import BookDropped, Booked, BookSet, Event
from charging.ledger.standing import require_here, require_open

PRIORITY_DEFAULT = 100


def top_up(account: Account, command: Command, action: TopUp) -> Effect:
    """Add to a book, making it if need be; its validity becomes the later of the two ends.

    A pack (units, or money bound to an allowance) holds from its purchase on, unless the command says from when: usage
    from before is not its to pay. An empty book begins anew, what is added to one with something left holds as that.

    Books that have expired lapse first, so they don't pile up: an expired one is never revived by a top-up.
    """
    require_open(account)
    book_id, unit = action.book_id or MAIN_BOOK, action.unit or MONEY
    if action.amount <= 0:
        raise Invalid("TOP_UP_NOT_POSITIVE", "a top-up adds something", fields={"amount": "more than zero"})
    check_amount(action.amount)
    if action.valid_to_ms and action.valid_to_ms <= command.time_ms:
        raise Invalid("VALIDITY_OVER", "the validity ended before the top-up", fields={"valid_to_ms": "in the future"})
    events = _lapses(account, command.time_ms, book_id)
    dropped = {event.book_id for event in events if isinstance(event, BookDropped)}
    book = None if book_id in dropped else funds.book_of(account, book_id)
    if book is None:
        if len(account.books) - len(dropped) >= BOOKS_MAX:
            raise Refused("BOOKS_FULL", f"an account has at most {BOOKS_MAX} books")
        events.append(BookSet(_new_book(action, book_id, unit, command.time_ms)))
    else:
        check_room(book, action.amount)
        events += _renewal(book, action, unit, command.time_ms)
    events.append(Booked(action.kind or "deposit", ((book_id, action.amount),), ""))
    return Effect(tuple(events), action.amount if unit == MONEY else 0)


def _new_book(action: TopUp, book_id: str, unit: str, time_ms: int) -> Book:
    if book_id == MAIN_BOOK and (unit != MONEY or action.allowance):
        raise Invalid("BOOKS_MALFORMED", "the main book is unrestricted money", fields={"unit": MONEY})
    begins = _begins(action, unit, action.allowance, time_ms)
    return Book(book_id, unit, 0, 0, action.priority or PRIORITY_DEFAULT, begins, action.valid_to_ms, action.allowance)


def _begins(action: TopUp, unit: str, allowance: str, time_ms: int) -> int:
    """Give the moment from which what is bought now holds."""
    return action.valid_from_ms or (time_ms if unit != MONEY or allowance else 0)


def _renewal(book: Book, action: TopUp, unit: str, time_ms: int) -> list[Event]:
    check_unit(book, unit)
    if action.allowance and action.allowance != book.allowance:
        raise Refused("ALLOWANCE_MISMATCH", f"book {book.book_id!r} is bound to {book.allowance or 'nothing'!r}")
    valid_to_ms = 0
    if book.valid_to_ms and action.valid_to_ms:
        valid_to_ms = max(book.valid_to_ms, action.valid_to_ms)
    begins = book.valid_from_ms if book.amount else _begins(action, unit, book.allowance, time_ms)
    if action.valid_from_ms not in (0, begins):
        text = f"{book.valid_from_ms}, as what is left in it, or nothing"
        raise Invalid("VALIDITY_FIXED", f"book {book.book_id!r} holds from {text}", fields={"valid_from_ms": text})
    if (begins, valid_to_ms) == (book.valid_from_ms, book.valid_to_ms):
        return []
    return [BookSet(replace(book, amount=0, reserved=0, valid_from_ms=begins, valid_to_ms=valid_to_ms))]


def _lapses(account: Account, time_ms: int, topped_up: str) -> list[Event]:
    """End the books that are over: at once what is empty or topped up, the rest when no late usage can need it.

    A book that an open session has drawn on stays until the session ends; only what is free in it lapses.
    """
    events: list[Event] = []
    in_sessions = {pair[0] for session in account.sessions for hold in session.holds for pair in hold.postings}
    for book in account.books:
        wait_ms = 0 if book.book_id == topped_up or not book.amount else LATE_MS_MAX
        if not book.valid_to_ms or book.book_id == MAIN_BOOK or book.valid_to_ms + wait_ms > time_ms:
            continue
        left = book.amount - book.reserved
        if left:
            events.append(Booked("lapse", ((book.book_id, -left),), "validity ended"))
        if not book.reserved and book.book_id not in in_sessions:
            events.append(BookDropped(book.book_id))
    return events


def adjust(account: Account, command: Command, action: Adjust) -> Effect:
    """Correct a book by hand. Actor and reason are required; money stays over its floor and what sessions keep."""
    require_here(account)
    if not command.actor or not action.reason.strip():
        missing = {
            name: "required" for name, value in (("actor", command.actor), ("reason", action.reason)) if not value
        }
        raise Invalid("ADJUSTMENT_UNSIGNED", "an adjustment names its actor and its reason", fields=missing)
    if action.delta == 0:
        raise Invalid("ADJUSTMENT_EMPTY", "an adjustment changes something", fields={"delta": "not zero"})
    check_amount(abs(action.delta))
    book = require_book(account, action.book_id or MAIN_BOOK)
    credit = account.credit_limit if book.book_id == MAIN_BOOK else 0
    left = book.amount - book.reserved + credit
    check_room(book, action.delta)
    if action.delta < 0 and left < -action.delta:
        raise funds.no_funds(-action.delta, max(0, left), account.currency)
    return Effect(
        (Booked("adjust", ((book.book_id, action.delta),), action.reason),),
        action.delta if book.unit == MONEY else 0,
    )


def move_money(account: Account, command: Command, action: MoveMoney) -> Effect:
    """Move between two books of one account and one unit; never on credit, nor out of the scope it is bound to."""
    require_open(account)
    if action.amount <= 0:
        raise Invalid("AMOUNT_NOT_POSITIVE", "what moves is more than zero", fields={"amount": "more than zero"})
    check_amount(action.amount)
    source_id, target_id = action.from_book_id or MAIN_BOOK, action.to_book_id or MAIN_BOOK
    if source_id == target_id:
        raise Refused("MOVE_TO_SELF", f"book {source_id!r} is both ends of the move")
    source = require_giver(account, source_id, action.amount, command.time_ms)
    target = require_taker(account, target_id, source.unit, action.amount, command.time_ms)
    if source.allowance and source.allowance != target.allowance:
        raise Refused("BOOK_BOUND", f"what is in book {source_id!r} is for {source.allowance!r} alone")
    pairs = ((source.book_id, -action.amount), (target.book_id, action.amount))
    return Effect((Booked("move", pairs, action.reason),), action.amount if source.unit == MONEY else 0)


def require_book(account: Account, book_id: str) -> Book:
    """Find a book or refuse with BOOK_UNKNOWN."""
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
        raise funds.no_funds(amount, max(0, left), account.currency)
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


def check_amount(amount: int) -> None:
    """Raise Invalid AMOUNT_TOO_LARGE beyond the bound of one command."""
    if amount > AMOUNT_MAX:
        raise Invalid(
            "AMOUNT_TOO_LARGE", f"an amount is at most {AMOUNT_MAX}", fields={"amount": f"at most {AMOUNT_MAX}"}
        )


def check_room(book: Book, amount: int) -> None:
    """Refuse BOOK_FULL what would make a book larger than numbers may become."""
    if book.amount + amount > BOOK_MAX:
        raise Refused("BOOK_FULL", f"book {book.book_id!r} holds at most {BOOK_MAX}", facts={"holds": str(book.amount)})

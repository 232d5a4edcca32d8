"""Deposit, payment, bonus, voucher: add to a book of an account, money or free units."""

from typing import Annotated

from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, MONEY, Account, Book
from charging.base.asked import Asked
from charging.base.bounds import BOOKS_MAX, PRIORITY_DEFAULT
from charging.base.fields import BookId, Priority, Unit
from charging.base.fieldtypes import TEXT, Amount, Moment, Text, check_validity, refusal
from charging.base.lateness import LATE_MS_MAX
from charging.errors import Invalid, Refused
from charging.ledger import funds
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.books import check_main, check_room, check_unit
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent
from charging.ledger.events import BookDropped, Booked, BookSet
from charging.ledger.reversals import refuse_reversed
from charging.ledger.standing import require_open

_ENDS = "0, or a time after the top-up"
_ADDED = Amount("TOP_UP_NOT_POSITIVE", beside="unit")


class TopUp(BaseAction, frozen=True, tag="topup"):
    """Deposit, payment, bonus, voucher: add to a book, making it if need be."""

    book_id: BookId
    unit: Unit
    amount: Annotated[int, _ADDED]
    """Micro-units of money, base units of anything else."""
    valid_to_ms: Annotated[int, Moment(_ENDS)]
    priority: Priority
    allowance: Annotated[str, TEXT]
    kind: Annotated[str, Text(empty="deposit")]
    valid_from_ms: Annotated[int, Moment()] = 0
    """From when a book that it makes holds; 0 = a pack from its purchase on, plain money whenever."""

    traits = Traits(
        sender=PLATFORM,
        permissions=("top_up", "top_up_units"),
        predictable=True,
        proposable=True,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Give what it adds, whatever the unit."""
        return self.amount

    def permission(self) -> str:
        """Give free units a name of their own: their limits are no money."""
        return "top_up_units" if self.unit not in ("", MONEY) else "top_up"

    def checked(self, asked: Asked) -> "TopUp":
        """Give it as it is. Raises `Invalid` VALIDITY_OVER when what it adds would never hold."""
        _check_end(self.valid_to_ms, asked.time_ms, "top_up.valid_to_ms")
        check_validity(self.valid_from_ms, self.valid_to_ms, "top_up")
        return self

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Add to a book, making it if need be; its validity becomes the later of the two ends.

        A pack (units, or money bound to an allowance) holds from its purchase on, unless the command says from when:
        usage from before is not its to pay. An empty book begins anew, what is added to one with something left holds
        as that.

        Books that have expired lapse first, so they don't pile up: an expired one is never revived by a top-up.
        """
        require_open(account)
        refuse_reversed(account, command.key)
        book_id, unit = self.book_id or MAIN_BOOK, self.unit or MONEY
        _ADDED.read(self.amount, "amount")
        _check_end(self.valid_to_ms, command.time_ms, "valid_to_ms")
        events = _lapses(account, command.time_ms, book_id)
        dropped = {event.book_id for event in events if isinstance(event, BookDropped)}
        book = None if book_id in dropped else funds.book_of(account, book_id)
        if book is None:
            if len(account.books) - len(dropped) >= BOOKS_MAX:
                raise Refused("BOOKS_FULL", f"an account has at most {BOOKS_MAX} books")
            events.append(BookSet(_new_book(self, book_id, unit, command.time_ms)))
        else:
            check_room(book, self.amount)
            events += _renewal(book, self, unit, command.time_ms)
        events.append(Booked(self.kind or "deposit", ((book_id, self.amount),), ""))
        return Effect(tuple(events), self.amount if unit == MONEY else 0)


def _check_end(valid_to_ms: int, time_ms: int, path: str) -> None:
    if valid_to_ms and valid_to_ms <= time_ms:
        raise refusal("VALIDITY_OVER", path, _ENDS)


def _new_book(action: TopUp, book_id: str, unit: str, time_ms: int) -> Book:
    check_main(book_id, unit, action.allowance, "unit")
    begins = _begins(action, unit, action.allowance, time_ms)
    return Book(book_id, unit, 0, 0, action.priority or PRIORITY_DEFAULT, begins, action.valid_to_ms, action.allowance)


def _begins(action: TopUp, unit: str, allowance: str, time_ms: int) -> int:
    """Give the moment from which what is bought now holds."""
    return action.valid_from_ms or (time_ms if unit != MONEY or allowance else 0)


def _renewal(book: Book, action: TopUp, unit: str, time_ms: int) -> list[BaseEvent]:
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


def _lapses(account: Account, time_ms: int, topped_up: str) -> list[BaseEvent]:
    """End the books that are over: at once what is empty or topped up, the rest when no late usage can need it.

    A book that an open session has drawn on stays until the session ends; only what is free in it lapses.
    """
    events: list[BaseEvent] = []
    in_sessions = {pair[0] for session in account.open.sessions for hold in session.holds for pair in hold.postings}
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

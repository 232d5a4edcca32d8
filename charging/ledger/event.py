"""What every event of an account can say of itself; the events are with the commands that make them.

Those that several commands make are in `charging.ledger.events`. `charging.ledger.kinds` lists them all.
"""

from collections.abc import Iterable
from typing import ClassVar

from msgspec import Struct

from charging.base.account import Account
from charging.base.buckets import Billed
from charging.base.usage import SealedCharge, Usage

Pair = tuple[str, int]
TermChange = tuple[str, str, str]
"""(term, before, after), as the views write them; "" where there was none, or is none now."""


class Leg(Struct, frozen=True):
    """One side of a posting: `place` is a book ("book:main") or what stands against it (revenue, deposit, …)."""

    place: str
    delta: int
    """What the place gains, micro-units or base units as the book's unit says; the legs of an event add up to zero."""


Settlement = tuple[str, str, int]
"""Number of a bill, how it was settled, and micro-units: the kind of a payment, "balance", "credit_note",
"written_off", "reversed"."""


class BaseEvent(Struct, frozen=True, array_like=True, gc=False):
    """A fact of an account's past. `apply`, `words` and `rerates` are each event's own to say."""

    rerates: ClassVar[bool]
    """It changes what every rating reads (`Account.terms_version`): a charge rated before it is stale."""
    regrants: ClassVar[bool] = False
    """It changes what open sessions of the account may be granted, though not their prices."""
    leads: ClassVar[bool] = False
    """Its words stand for the whole entry, whatever the events before it said; else the first words stand."""

    recounts: ClassVar[bool] = False
    """It counts what is overdue of bills until now, so all that was staged before has to settle them before it does."""

    moves_money: ClassVar[bool] = True
    """What it moves in books besides what it bills is counted as money that came in or went out; else it says itself
    what becomes of the buckets."""

    def apply(self, account: Account) -> Account:
        """Give the account with this done. No rule lives here: what an event says, happens.

        Raises `Broken` for what can't be true, as a book that is not there.
        """
        raise NotImplementedError

    def legs(self) -> tuple[Leg, ...]:
        """Give the double-entry reading, which adds up to zero: a test holds it against what moves in books.

        Money and free units are posted alike; the place that stands against free units is "use".
        """
        return ()

    def billed(self) -> tuple[Billed, ...]:
        """Give what it adds to the bill: what it posts as revenue, by item and member.

        Other money that it moves is counted by `charging.ledger.applying` itself, against the place of its `legs`.
        """
        return ()

    def moved_ms(self, time_ms: int) -> int:
        """Give the moment in whose period the money counts that it moves, UTC; `time_ms` is its entry's."""
        return time_ms

    def words(self) -> str:
        """Say why it happened, or what it was, in the account's history."""
        raise NotImplementedError

    def changes(self) -> tuple[TermChange, ...]:
        """Give the terms that it changed, with what held before."""
        return ()

    def numbers(self) -> tuple[str, ...]:
        """Give the numbers of the documents that it makes."""
        return ()

    def settles(self) -> tuple[Settlement, ...]:
        """Give what it settled of bills; below zero what is owed again."""
        return ()

    def charges(self) -> tuple[tuple[Usage, SealedCharge], ...]:
        """Give the usage that it charged, each with its rating."""
        return ()


class BaseArrival(BaseEvent, frozen=True):
    """The account is there from here on, in a state that the event brings; nothing of one before it stays."""

    account: Account

    def apply(self, account: Account) -> Account:
        """Give the state that it brings; the version goes on from whichever is higher."""
        return self.account


def book_legs(pairs: Iterable[Pair], sign: int) -> tuple[Leg, ...]:
    """Give one leg a pair (book id, amount), in order; `sign` 1 = the books gain, -1 = they lose."""
    return tuple(Leg(f"book:{book_id}", sign * amount) for book_id, amount in pairs)


def legs_against(place: str, pairs: Iterable[Pair]) -> tuple[Leg, ...]:
    """Give two legs a pair (book id, amount): what was taken from a book, and the place that it went to.

    A negative amount went the other way. Each two add up to zero.
    """
    return tuple(leg for book_id, amount in pairs for leg in (Leg(f"book:{book_id}", -amount), Leg(place, amount)))

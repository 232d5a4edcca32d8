"""Bonuses that come with a top-up, and what of them goes back when the top-up is taken back.

A bonus is taken back as far as its book still has it, free of sessions, or a book into which it was moved by hand. What
of it was used stays used: nobody is put into debt by a present.
"""

from msgspec import Struct
from msgspec.structs import replace

from charging.base.account import MONEY, Account
from charging.errors import Invalid, Refused
from charging.ledger import funds
from charging.ledger.adding import Addition, after, prepared
from charging.ledger.event import BaseEvent, Leg
from charging.ledger.events import Noticed

BONUSES_MAX = 8
"""Of one top-up."""
MOVED_MAX = 64
"""Pairs of books between which money was moved, that an account remembers."""
MOVES_MAX = 4
"""One after the other, behind which a bonus is looked for."""

Part = tuple[str, int, str]
"""Of a bonus that goes back: book id, micro-units, and the book that it had been moved from; "" = it wasn't."""


class BonusPart(Struct, frozen=True, array_like=True, gc=False):
    """A bonus that comes with a top-up."""

    rule: str
    """Of the catalogue."""
    label: str
    amount: int
    """Micro-units."""
    book_id: str
    valid_to_ms: int
    priority: int
    allowance: str
    first: bool
    """Only if the account was never topped up before."""


class BonusGiven(BaseEvent, frozen=True, tag="bonus"):
    """A bonus came with a top-up."""

    rule: str
    label: str
    book_id: str
    amount: int
    """Micro-units."""

    rerates = False

    def apply(self, account: Account) -> Account:
        """Add to the book."""
        return replace(account, books=funds.shift(account.books, ((self.book_id, self.amount),), 1))

    def legs(self) -> tuple[Leg, ...]:
        """Post against bonuses."""
        return (Leg(f"book:{self.book_id}", self.amount), Leg("bonus", -self.amount))

    def words(self) -> str:
        """Name the bonus."""
        return f"bonus {self.label}"


class BonusTakenBack(BaseEvent, frozen=True, tag="unbonus"):
    """What was left of a bonus went back with its top-up."""

    rule: str
    book_id: str
    amount: int
    """Micro-units taken back."""
    used: int
    """Of the bonus, which stays used."""
    moved_from: str = ""
    """Book out of which it had been moved there by hand; "" = it lay where it was given."""

    rerates = False

    def apply(self, account: Account) -> Account:
        """Take from the book, and forget as much of what was moved into it."""
        taken = replace(account, books=funds.shift(account.books, ((self.book_id, self.amount),), -1))
        return with_moved(taken, self.moved_from, self.book_id, -self.amount) if self.moved_from else taken

    def legs(self) -> tuple[Leg, ...]:
        """Post back to bonuses."""
        return (Leg(f"book:{self.book_id}", -self.amount), Leg("bonus", self.amount))

    def words(self) -> str:
        """Say how much went and how much stays."""
        return f"bonus {self.rule}: {self.amount} taken back, {self.used} used"


def given(account: Account, bonuses: tuple[BonusPart, ...], state: Account, time_ms: int) -> list[BaseEvent]:
    """Give each bonus that is due; one whose book can't take it is told as lost, and keeps no payment back.

    `account` is as it was before the top-up, `state` with it.
    """
    events: list[BaseEvent] = []
    notices: list[str] = []
    for part in bonuses:
        if part.first and account.terms.topped_up:
            continue
        addition = Addition(part.book_id, MONEY, part.amount, part.valid_to_ms, part.priority, part.allowance)
        try:
            made: list[BaseEvent] = [*prepared(state, addition, time_ms)]
        except (Refused, Invalid):
            notices.append(f"bonus-lost:{part.rule}")
            continue
        made.append(BonusGiven(part.rule, part.label, part.book_id, part.amount))
        state = after(state, made)
        events += made
        notices.append(f"bonus:{part.rule}")
    return [*events, Noticed(tuple(notices))] if notices else events


class BonusMoved(BaseEvent, frozen=True, tag="onward"):
    """Money went by hand out of a book that may hold bonuses: what is taken back of them is looked for there, too."""

    from_book_id: str
    to_book_id: str
    amount: int
    """Micro-units."""

    rerates = False

    def apply(self, account: Account) -> Account:
        """Remember it."""
        return with_moved(account, self.from_book_id, self.to_book_id, self.amount)

    def words(self) -> str:
        """Say where it went."""
        return f"from {self.from_book_id} to {self.to_book_id}"


def with_moved(account: Account, from_book_id: str, to_book_id: str, amount: int) -> Account:
    """Give an account that remembers so much more, or less, as moved; of more rows than are kept the oldest goes."""
    known = sum(row[2] for row in account.open.moved if row[:2] == (from_book_id, to_book_id))
    others = [row for row in account.open.moved if row[:2] != (from_book_id, to_book_id)]
    left = known + amount
    rows = [*others, (from_book_id, to_book_id, left)] if left > 0 else others
    return account.with_open(moved=tuple(rows[-MOVED_MAX:]))


def taken_back(state: Account, bonuses: tuple[tuple[str, str, int], ...]) -> list[BaseEvent]:
    """Give what goes back of bonuses, (rule, book id, micro-units) each; `state` is without the payment already.

    What is not in a bonus' book any more is taken from where it was moved by hand, as far as that still has it.
    """
    found: list[BaseEvent] = []
    for rule, book_id, amount in bonuses:
        parts: list[Part] = []
        used = amount - _seek(state, book_id, amount, "", MOVES_MAX, parts)
        for at, (where, part, moved_from) in enumerate(parts, 1):
            event = BonusTakenBack(rule, where, part, used if at == len(parts) else 0, moved_from)
            state = event.apply(state)
            found.append(event)
    return found


def _seek(state: Account, book_id: str, amount: int, moved_from: str, moves: int, parts: list[Part]) -> int:
    """Find an amount in a book, and behind the moves out of it; what is found is added to `parts`, and summed up.

    What other parts take of a book is not found in it again: money may have been moved in a circle.
    """
    book = funds.book_of(state, book_id)
    free = book.amount - book.reserved - sum(part for where, part, _ in parts if where == book_id) if book else 0
    left = amount
    if free > 0:
        parts.append((book_id, min(left, free), moved_from))
        left -= min(left, free)
    for source, target, moved in state.open.moved if moves else ():
        if source == book_id and left:
            left -= _seek(state, target, min(left, moved), source, moves - 1, parts)
    return amount - left

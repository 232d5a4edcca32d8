"""Bonuses that come with a top-up, and what of them goes back when the top-up is taken back.

A bonus is taken back as far as its book still has it, free of sessions. What of it was used stays used: nobody is put
into debt by a present.
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

    rerates = False

    def apply(self, account: Account) -> Account:
        """Take from the book."""
        return replace(account, books=funds.shift(account.books, ((self.book_id, self.amount),), -1))

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


def taken_back(state: Account, bonuses: tuple[tuple[str, str, int], ...]) -> list[BaseEvent]:
    """Give what goes back of bonuses, (rule, book id, micro-units) each; `state` is without the payment already."""
    found: list[BaseEvent] = []
    for rule, book_id, amount in bonuses:
        book = funds.book_of(state, book_id)
        back = min(amount, max(0, book.amount - book.reserved)) if book is not None else 0
        if back:
            event = BonusTakenBack(rule, book_id, back, amount - back)
            state = event.apply(state)
            found.append(event)
    return found

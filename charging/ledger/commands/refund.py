"""Give back a charge of the account by its key, in part or wholly, never more than it took.

What the owner looks up is only the journal entry under `charge_key` (`charging.ledger.originals`). How much was given
back before is remembered by the account itself (`Open.refunds`), so no index of refunds is needed: a row stays as
long as its charge can be refunded. A row is some 80 bytes, and only an account with refunds has any, so `REFUNDS_MAX`
is far above what anybody gets, and far below what an account may hold.
"""

from typing import Annotated

from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, Account
from charging.base.asked import FilledIn
from charging.base.bounds import AMOUNT_MAX
from charging.base.buckets import Billed
from charging.base.fields import Reason, RequestKey
from charging.base.fieldtypes import MICRO_UNITS, Whole
from charging.base.money import show
from charging.errors import Invalid, NotFound, Refused
from charging.ledger import funds
from charging.ledger.accruals import accrue
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent, Leg, book_legs, legs_against
from charging.ledger.outcome import ChargedFact
from charging.ledger.standing import require_here

REFUND_WINDOW_MS = 180 * 86_400_000
"""A charge older than this is corrected by an adjustment."""
REFUNDS = "refund"
"""Bill item of what is given back of a charge that the journal tells no item of."""
REFUNDS_MAX = 1_000
"""Charges of one account that were given back, in part or wholly, inside the window: five a day, each day."""


class Refunded(BaseEvent, frozen=True, tag="refund"):
    """A charge was given back, in part or wholly."""

    charge_key: str
    amount: int
    """Micro-units given back now; those of earlier parts are in `Open.refunds`."""
    postings: tuple[tuple[str, int], ...]
    """Given back to money books."""
    units: tuple[tuple[str, int], ...]
    """What goes back to books of free units, (book id, base units): with the rest of a charge, where they still are."""
    accruals: tuple[tuple[str, int], ...]
    """Taken off accumulators, positive; with the rest of a charge alone."""
    wholly: bool
    """Nothing of the charge is left to give back."""
    charged_ms: int
    """When it was charged, by the owner's clock: the window of refunds is counted from then."""
    forgets: tuple[str, ...]
    """Charges too old to be refunded again; what the account remembered of them goes."""
    reason: str
    parts: tuple[Billed, ...] = ()
    """What it takes off the bill, above zero; they add up to `amount`."""

    rerates = False

    def apply(self, account: Account) -> Account:
        """Give back, and remember how much."""
        books = funds.shift(funds.shift(account.books, self.postings, 1), self.units, 1)
        sums = [row for row in account.open.refunds if row[0] != self.charge_key and row[0] not in self.forgets]
        before = sum(row[1] for row in account.open.refunds if row[0] == self.charge_key)
        sums.append((self.charge_key, before + self.amount, self.wholly, self.charged_ms))
        accumulators = accrue(account.accumulators, self.accruals, -1)
        return replace(account, books=books, accumulators=accumulators).with_open(refunds=tuple(sums))

    def legs(self) -> tuple[Leg, ...]:
        """Post back from revenue, units from use."""
        return (
            *book_legs(self.postings, 1),
            Leg("revenue", -self.amount),
            *legs_against("use", [(book_id, -amount) for book_id, amount in self.units]),
        )

    def billed(self) -> tuple[Billed, ...]:
        """Take it off where it was billed, while that period is open."""
        return tuple(replace(due, amount=-due.amount) for due in self.parts)

    def words(self) -> str:
        """Say the reason."""
        return self.reason or f"refund of {self.charge_key}"


class Refund(BaseAction, frozen=True, tag="refund"):
    """Give back a charge of this account. `original` is filled in by the owner from its journal."""

    charge_key: RequestKey
    amount: Annotated[int, Whole(0, AMOUNT_MAX, unit=MICRO_UNITS)]
    """0 = all that is left."""
    reason: Reason
    original: Annotated[ChargedFact | None, FilledIn()] = None

    traits = Traits(
        sender=PLATFORM,
        permissions=("refund",),
        predictable=False,
        proposable=True,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Give the amount; of a refund of everything that of its charge, once the owner has found it."""
        return self.amount or (self.original.amount if self.original is not None else 0)

    def grounds(self) -> str:
        """Give the reason."""
        return self.reason

    def original_key(self) -> str:
        """Give the charge's, until what the journal says of it is filled in."""
        return self.charge_key if self.original is None else ""

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Give back a charge.

        NotFound CHARGE_UNKNOWN; Invalid AMOUNT_OUT_OF_RANGE; Refused REFUNDED_ALREADY, REFUND_EXCEEDS_CHARGE,
        REFUND_TOO_LATE, REFUNDS_FULL, SESSION_OPEN.
        """
        require_here(account)
        fact = self.original
        if fact is None:
            raise NotFound("CHARGE_UNKNOWN", f"the account has no charge under the key {self.charge_key!r}")
        if self.amount < 0:
            raise Invalid("AMOUNT_OUT_OF_RANGE", "a refund gives back", fields={"amount": "zero for all, or more"})
        _require_ended(account, fact.session_id)
        if fact.time_ms + REFUND_WINDOW_MS < now_ms:
            raise Refused("REFUND_TOO_LATE", "the charge is too old; adjust the account instead")
        before = 0
        for key, amount, wholly, _ in account.open.refunds:
            if key == self.charge_key:
                if wholly:
                    raise Refused("REFUNDED_ALREADY", f"the charge {key!r} was given back before")
                before = amount
        left = fact.amount - before
        if self.amount > left:
            raise Refused(
                "REFUND_EXCEEDS_CHARGE",
                f"{show(left)} {account.terms.currency} of the charge are left",
                facts={"charged": str(fact.amount), "refunded": str(before), "left": str(left)},
            )
        return _give_back(account, self, fact, before, now_ms)


def _require_ended(account: Account, session_id: str) -> None:
    """Refuse SESSION_OPEN while a session goes on: its next step takes back what the last took, refunded or not."""
    if session_id and any(session.session_id == session_id for session in account.open.sessions):
        raise Refused("SESSION_OPEN", f"session {session_id!r} still goes on: refund it when it has ended")


def _give_back(account: Account, action: Refund, fact: ChargedFact, before: int, now_ms: int) -> Effect:
    forgets = tuple(row[0] for row in account.open.refunds if row[3] + REFUND_WINDOW_MS < now_ms)
    known = any(row[0] == action.charge_key for row in account.open.refunds)
    if not known and len(account.open.refunds) - len(forgets) >= REFUNDS_MAX:
        raise Refused("REFUNDS_FULL", f"{REFUNDS_MAX} charges were given back in half a year; adjust the account")
    amount = action.amount or fact.amount - before
    wholly = before + amount == fact.amount
    units = tuple(pair for pair in fact.units if funds.book_of(account, pair[0]) is not None) if wholly else ()
    event = Refunded(
        action.charge_key,
        amount,
        _return_path(account, fact.postings, before, amount, now_ms),
        units,
        fact.accruals if wholly else (),
        wholly,
        fact.time_ms,
        forgets,
        action.reason,
        _billed(fact.billed, before, amount),
    )
    return Effect((event,), amount)


def _billed(dues: tuple[Billed, ...], before: int, amount: int) -> tuple[Billed, ...]:
    """Say where what is given back was billed: what was charged last is given back first, as by `_return_path`."""
    off: list[Billed] = []
    skip, missing = before, amount
    for due in reversed(dues):
        share = min(max(0, due.amount - skip), missing)
        skip = max(0, skip - due.amount)
        if share:
            off.append(replace(due, amount=share))
            missing -= share
    return (*off, Billed(0, REFUNDS, "", missing)) if missing else tuple(off)


def _return_path(
    account: Account, postings: funds.Pairs, before: int, amount: int, now_ms: int
) -> tuple[tuple[str, int], ...]:
    """Say which books get the money: what was taken last returns first, to the main book if its own is over."""
    back: dict[str, int] = {}
    skip, missing = before, amount
    for book_id, taken in reversed(postings):
        share = min(max(0, taken - skip), missing)
        skip = max(0, skip - taken)
        if share:
            book = funds.book_of(account, book_id)
            target = book_id if book is not None and book.valid_at(now_ms) else MAIN_BOOK
            back[target] = back.get(target, 0) + share
            missing -= share
    if missing:
        back[MAIN_BOOK] = back.get(MAIN_BOOK, 0) + missing
    return tuple(back.items())

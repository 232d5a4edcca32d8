"""How one session stands on an account: undoing what it posted and kept, taking again, keeping again.

The platform's planning (`charging.rating.sessions`) and the owner's deciding (`charging.ledger.commands.step_session`)
both build on these functions, so what was planned on a state is exactly what is decided on it.
"""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from charging.base.account import Account, Hold, Session
from charging.base.usage import Charge, SealedCharge, Usage
from charging.errors import Refused
from charging.ledger import funds, spending
from charging.ledger.accruals import accrue
from charging.ledger.outcome import SessionGrant

Pair = tuple[str, int]
RELEASED = "released"
EXPIRED = "expired"


class Taken(Struct, frozen=True):
    """What a charge takes: as much money as there is, and the rest named as shortfall."""

    postings: tuple[Pair, ...]
    units: tuple[Pair, ...]
    accruals: tuple[Pair, ...]
    shortfall: int
    """Micro-units of the charge that the account could not pay."""

    @property
    def amount(self) -> int:
        """Money taken, micro-units."""
        return sum(amount for _, amount in self.postings)


class Kept(Struct, frozen=True):
    """What a reservation keeps, beyond what is charged."""

    reserved: tuple[Pair, ...]
    accruals: tuple[Pair, ...]


def find(account: Account, session_id: str) -> Session | None:
    """Find an open session; None = there is none of that id, perhaps since it has ended."""
    for session in account.open.sessions:
        if session.session_id == session_id:
            return session
    return None


def hold_of(session: Session | None, key: str) -> Hold | None:
    """Find what a session keeps for a unit; None = nothing, or there is no session."""
    for hold in session.holds if session is not None else ():
        if (hold.numbers or hold.service) == key:
            return hold
    return None


def undone(account: Account, session: Session | None, starts: Mapping[str, int], *, free_all: bool) -> Account:
    """Give the account as if the session had kept nothing for these units, and their pieces had posted nothing.

    `starts` says of each unit, by its key, when the piece begins that is rated now: what an earlier piece has posted
    stays. `free_all` frees the reservations of the session's other units too (release).
    """
    if session is None:
        return account
    books, accumulators = account.books, account.accumulators
    rest: list[Hold] = []
    for hold in session.holds:
        start_ms = starts.get(hold.numbers or hold.service, -1)
        if start_ms >= 0 or free_all:
            books = funds.keep(books, hold.reserved, -1)
        if start_ms == hold.start_ms:
            books = funds.shift(books, hold.postings, 1)
            accumulators = accrue(accumulators, hold.accruals, -1)
        elif start_ms < 0:
            rest.append(replace(hold, reserved=(), reserved_accruals=(), granted=0) if free_all else hold)
    without = replace(session, holds=tuple(rest))
    sessions = tuple(without if known is session else known for known in account.open.sessions)
    return replace(account, books=books, accumulators=accumulators).with_open(sessions=sessions)


def running(hold: Hold | None, usage: Usage) -> Hold | None:
    """Give what a session holds for the piece that a usage goes on with; None when the usage begins one."""
    return hold if hold is not None and hold.start_ms == usage.start_ms else None


def take(view: Account, charge: SealedCharge | Charge, time_ms: int) -> Taken:
    """Say what the charge for reported usage takes. Usage has happened: when money ends, the rest is a shortfall.

    So it is never refused for want of money. `time_ms` (UTC) is when books must be valid. Refused CURRENCY_MISMATCH,
    BUDGET_SPENT, UNITS_MISSING; Invalid TAKES_EXCEED_CHARGE.
    """
    if charge.currency != view.terms.currency:
        raise funds.other_currency("charge", charge.currency, view)
    paid, units, left = funds.named(view, charge.takes, time_ms)
    rest = funds.unpaid(charge.amount, paid)
    payable = min(rest, funds.affordable(left, view.terms.credit_limit, time_ms))
    drawn = funds.draw(left, payable, view.terms.credit_limit, time_ms) or ()
    return Taken(funds.merged((*paid, *drawn)), units, charge.accruals, rest - payable)


def covers(account: Account, charge: Charge, time_ms: int) -> bool:
    """Say whether the account would pay for a charge as things stand, nothing being left over."""
    if charge.currency != account.terms.currency:
        return False
    try:
        paid, _, left = funds.named(account, charge.takes, time_ms)
    except Refused:
        return False
    # What `take` would find a shortfall of nothing for; each dry run asks, and needs not know from which books.
    return funds.unpaid(charge.amount, paid) <= funds.affordable(left, account.terms.credit_limit, time_ms)


def keep(view: Account, charge: SealedCharge | Charge, reservation: SealedCharge | Charge, time_ms: int) -> Kept | None:
    """Say what covers the step from a charge to the charge with the grant, or None when the account can't cover it.

    `view` already has the charge posted.
    """
    try:
        return covered(view, charge, reservation, time_ms)
    except Refused:
        return None


def covered(view: Account, charge: SealedCharge | Charge, reservation: SealedCharge | Charge, time_ms: int) -> Kept:
    """Do the same, and say why it can't.

    Refused INSUFFICIENT_FUNDS, BUDGET_SPENT, SPENDING_LIMIT_REACHED, UNITS_MISSING.
    """
    accruals = _difference(reservation.accruals, charge.accruals)
    if view.terms.limits:
        spending.hold(view, accruals)
    paid, units, left = funds.named(view, _difference(reservation.takes, charge.takes), time_ms)
    rest = max(0, reservation.amount - charge.amount - sum(amount for _, amount in paid))
    credit = view.terms.credit_limit
    drawn = funds.draw(left, rest, credit, time_ms)
    if drawn is None:
        raise funds.no_funds(rest, funds.affordable(left, credit, time_ms), view.terms.currency)
    return Kept(funds.merged((*paid, *drawn, *units)), accruals)


def posted(view: Account, taken: Taken, sign: int = 1) -> Account:
    """Give the view with a charge taken (sign 1) or given back (sign -1)."""
    books = funds.shift(funds.shift(view.books, taken.postings, -sign), taken.units, -sign)
    return replace(view, books=books, accumulators=accrue(view.accumulators, taken.accruals, sign))


def reserved(view: Account, kept: Kept) -> Account:
    """Give the view with a reservation made; its accruals count as taken."""
    books = funds.keep(view.books, kept.reserved, 1)
    return replace(view, books=books, accumulators=accrue(view.accumulators, kept.accruals))


def _difference(more: tuple[Pair, ...], less: tuple[Pair, ...]) -> tuple[Pair, ...]:
    """What `more` has beyond `less`, never negative."""
    known = dict(less)
    return tuple((key, amount - known.get(key, 0)) for key, amount in more if amount > known.get(key, 0))


def signed_difference(new: tuple[Pair, ...], old: tuple[Pair, ...]) -> tuple[Pair, ...]:
    """What changed from old to new, by key, signed, without zeros."""
    changed = dict(funds.merged(new))
    for key, amount in old:
        changed[key] = changed.get(key, 0) - amount
    return tuple((key, amount) for key, amount in changed.items() if amount)


def without_quota(hold: Hold) -> Hold:
    """Give what is left of a hold when its session ends: what it charged."""
    return replace(hold, granted=0, reserved=(), reserved_accruals=())


def grant_of_none(hold: Hold) -> SessionGrant:
    """Tell what a unit has cost that gets no quota."""
    return SessionGrant(hold.service, 0, 0, False, "", hold.charged_before + hold.charged, 0, hold.numbers)

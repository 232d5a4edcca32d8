"""Deciding a refund: a charge is given back by its key, in part or wholly, never more than it took.

What the owner must look up is only the journal entry under `charge_key`; `charged_fact` reads it and `with_original`
puts it into the command. Steps of a session are given back once it has ended, less what its later steps gave back by
themselves (`Falls`). How much was given back before is remembered by the account itself (`Account.refunds`), so no
index of refunds is needed: a row stays as long as its charge can be refunded. A row is some 80 bytes, and only an
account with refunds has any, so `REFUNDS_MAX` is far above what anybody gets, and far below what an account may hold.
"""

from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, Account
from charging.errors import Invalid, NotFound, Refused
from charging.ledger import funds
from charging.ledger.commands import ChargedFact, Command, Refund
from charging.ledger.decision import Effect
from charging.ledger.entry import Entry
from charging.ledger.events import Charged, Refunded, SessionStepped
from charging.ledger.standing import require_here

REFUND_WINDOW_MS = 180 * 86_400_000
"""A charge older than this is corrected by an adjustment."""
REFUNDS_MAX = 1_000
"""Charges of one account that were given back, in part or wholly, inside the window: five a day, each day."""


class Falls:
    """What steps of a session gave back by themselves of what earlier ones had taken, as where more costs less.

    Made by walking the account's entries back, newest first: what falls is of what was taken last before it.
    """

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self._amount: dict[str, int] = {}
        self._money: dict[str, int] = {}
        self._units: dict[str, int] = {}
        self._accruals: dict[str, int] = {}

    def pass_over(self, entry: Entry) -> None:
        """Note the next older entry, if it is a step of the session."""
        for event in entry.events:
            if isinstance(event, SessionStepped) and event.session.session_id == self.session_id:
                self.left_of(event, entry.time_ms)

    def left_of(self, event: SessionStepped, time_ms: int) -> ChargedFact | None:
        """Give what is left of what a step took, after the newer ones that were passed over; None when nothing is."""
        rows = event.postings
        amounts = _left([("", row.amount) for row in rows], self._amount)
        money = _left([pair for row in rows for pair in row.postings], self._money)
        units = _left([pair for row in rows for pair in row.units], self._units)
        accruals = _left([pair for row in rows for pair in row.accruals], self._accruals)
        if not (money or units or accruals):
            return None
        return ChargedFact(sum(amount for _, amount in amounts), money, accruals, units, time_ms, self.session_id)


def _left(changes: list[tuple[str, int]], falls: dict[str, int]) -> tuple[tuple[str, int], ...]:
    """Give what is left of a step's changes after later falls; its own are added for the steps before it."""
    totals: dict[str, int] = {}
    for key, change in changes:
        totals[key] = totals.get(key, 0) + change
    left: list[tuple[str, int]] = []
    for key, total in totals.items():
        rest = total - falls.pop(key, 0)
        if rest < 0:
            falls[key] = -rest
        elif rest:
            left.append((key, rest))
    return tuple(left)


def charged_fact(entry: Entry, falls: Falls | None = None) -> ChargedFact | None:
    """Read what an entry charged; None when it charged nothing (a refusal, a top-up, a mere reservation).

    `falls` of a session passed over all newer entries; without it a step's whole charge is told.
    """
    if entry.charged is not None:
        return entry.charged
    for event in entry.events:
        if isinstance(event, Charged):
            return ChargedFact(event.charge.amount, event.postings, event.charge.accruals, event.units, entry.time_ms)
        if isinstance(event, SessionStepped):
            return (falls or Falls(event.session.session_id)).left_of(event, entry.time_ms)
    return None


def with_original(command: Command, entry: Entry | None, falls: Falls | None = None) -> Command:
    """Fill a refund with what the journal says of the charge; `entry` is the one found under its `charge_key`."""
    action = command.action
    if not isinstance(action, Refund):
        return command
    return replace(command, action=replace(action, original=None if entry is None else charged_fact(entry, falls)))


def refund(account: Account, action: Refund, now_ms: int) -> Effect:
    """Give back a charge.

    NotFound CHARGE_UNKNOWN; Invalid REFUND_NEGATIVE; Refused REFUNDED_ALREADY, REFUND_EXCEEDS_CHARGE, REFUND_TOO_LATE,
    REFUNDS_FULL, SESSION_OPEN.
    """
    require_here(account)
    fact = action.original
    if fact is None:
        raise NotFound("CHARGE_UNKNOWN", f"the account has no charge under the key {action.charge_key!r}")
    if action.amount < 0:
        raise Invalid("REFUND_NEGATIVE", "a refund gives back", fields={"amount": "zero for all, or more"})
    require_ended(account, fact.session_id)
    if fact.time_ms + REFUND_WINDOW_MS < now_ms:
        raise Refused("REFUND_TOO_LATE", "the charge is too old; adjust the account instead")
    before = 0
    for key, amount, wholly, _ in account.refunds:
        if key == action.charge_key:
            if wholly:
                raise Refused("REFUNDED_ALREADY", f"the charge {key!r} was given back before")
            before = amount
    left = fact.amount - before
    if action.amount > left:
        raise Refused(
            "REFUND_EXCEEDS_CHARGE",
            f"{left} micro-units of the charge are left",
            facts={"charged": str(fact.amount), "refunded": str(before), "left": str(left)},
        )
    return _give_back(account, action, fact, before, now_ms)


def require_ended(account: Account, session_id: str) -> None:
    """Refuse SESSION_OPEN while a session goes on: its next step takes back what the last took, refunded or not."""
    if session_id and any(session.session_id == session_id for session in account.sessions):
        raise Refused("SESSION_OPEN", f"session {session_id!r} still goes on: refund it when it has ended")


def _give_back(account: Account, action: Refund, fact: ChargedFact, before: int, now_ms: int) -> Effect:
    forgets = tuple(row[0] for row in account.refunds if row[3] + REFUND_WINDOW_MS < now_ms)
    known = any(row[0] == action.charge_key for row in account.refunds)
    if not known and len(account.refunds) - len(forgets) >= REFUNDS_MAX:
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
    )
    return Effect((event,), amount)


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

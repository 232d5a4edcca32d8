"""The history of an account from its journal entries: lines for people, double-entry legs, and the audit of a chain."""

from collections.abc import Iterable

import msgspec
from msgspec import Raw, Struct

from charging import applying
from charging.account import Account
from charging.commands import REMEMBERED
from charging.entry import Entry
from charging.errors import Fault
from charging.events import (
    Booked,
    Charged,
    Event,
    MovedIn,
    MovedOut,
    Opened,
    Refunded,
    SessionStepped,
    StatusSet,
    TransferReceived,
    TransferSent,
    TransferSettled,
)
from charging.funds import movements
from charging.wire import Done, Failed, HistoryLine, unpack_answer

FINDINGS_MAX = 100


class Leg(Struct, frozen=True):
    """One side of a posting: `place` is a book ("book:main") or what stands against it (revenue, deposit, …)."""

    place: str
    delta: int


def outcome(entry: Entry) -> Done | Failed:
    """Unpack what a repeat of the entry's key is answered."""
    answer = unpack_answer(entry.outcome)
    if not isinstance(answer, (Done, Failed)):
        raise msgspec.ValidationError(f"an entry's outcome can't be {type(answer).__name__}")
    return answer


def line(entry: Entry) -> HistoryLine:
    """Tell one journal entry: what moved, before and after, by whom and why. A refusal tells its reason."""
    answer = outcome(entry)
    service, quantity, reason = "", 0, ""
    steps: tuple[Raw, ...] = ()
    for event in entry.events:
        service, quantity, steps, reason = _told(event, service, quantity, steps, reason)
    if isinstance(answer, Failed):
        reason = answer.reason
    done = answer if isinstance(answer, Done) else None
    return HistoryLine(
        entry.key,
        entry.kind,
        entry.time_ms,
        entry.identity,
        service,
        quantity,
        done.amount if done is not None else 0,
        entry.actor,
        entry.channel,
        reason,
        done.movements if done is not None else (),
        steps,
        entry.version,
    )


def _told(
    event: Event, service: str, quantity: int, steps: tuple[Raw, ...], reason: str
) -> tuple[str, int, tuple[Raw, ...], str]:
    match event:
        case Charged():
            return event.usage.service, event.usage.quantity, (event.charge.steps,), reason
        case SessionStepped():
            names = "+".join(posting.usage.service for posting in event.postings)
            whole = sum(posting.usage.quantity for posting in event.postings)
            told = tuple(posting.charge.steps for posting in event.postings)
            return names, whole, told, event.ended or f"session {event.session.session_id}"
        case Booked():
            return service, quantity, steps, event.reason or event.kind
        case Refunded() | TransferSent() | TransferReceived() | TransferSettled() | StatusSet():
            return service, quantity, steps, reason or event.reason
        case MovedOut():
            return service, quantity, steps, f"moved to {event.to_domain}"
    return service, quantity, steps, reason


def legs(event: Event) -> tuple[Leg, ...]:
    """Give the double-entry reading of an event: its legs add up to zero, or the event is wrong.

    Money and free units are posted alike; the place that stands against free units is "use".
    """
    match event:
        case Charged():
            return (
                *_books(event.postings, -1),
                Leg("revenue", event.charge.amount),
                *_against("use", event.units),
            )
        case SessionStepped():
            return tuple(
                leg
                for posting in event.postings
                for leg in (
                    *_books(posting.postings, -1),
                    Leg("revenue", posting.amount),
                    *_against("use", posting.units),
                )
            )
        case Booked(kind="move"):
            return _books(event.postings, 1)
        case Booked():
            return (*_books(event.postings, 1), Leg(event.kind, -sum(amount for _, amount in event.postings)))
        case Refunded():
            back = tuple((book_id, -amount) for book_id, amount in event.units)
            return (*_books(event.postings, 1), Leg("revenue", -event.amount), *_against("use", back))
        case TransferSent():
            return (Leg(f"book:{event.from_book_id}", -event.amount), Leg("transit", event.amount))
        case TransferReceived():
            return (Leg(f"book:{event.book_id}", event.amount), Leg("transit", -event.amount))
        case TransferSettled() if not event.arrived:
            return (Leg(f"book:{event.book_id}", event.amount), Leg("transit", -event.amount))
        case Opened():
            return _against("opening", [(book.book_id, -book.amount) for book in event.account.books])
    return ()


def _books(pairs: Iterable[tuple[str, int]], sign: int) -> tuple[Leg, ...]:
    return tuple(Leg(f"book:{book_id}", sign * amount) for book_id, amount in pairs)


def _against(place: str, pairs: Iterable[tuple[str, int]]) -> tuple[Leg, ...]:
    return tuple(leg for book_id, amount in pairs for leg in (Leg(f"book:{book_id}", -amount), Leg(place, amount)))


class AuditReport(Struct, frozen=True):
    """What the audit of one account found. Without findings its movements add up to its books."""

    account_id: str
    entries: int
    refusals: int
    account: Account | None
    """State at the end, replayed."""
    totals: dict[str, int]
    """By place: what was posted against the books (revenue, deposit, transit, …)."""
    findings: tuple[str, ...]
    """Sentences for people, at most `FINDINGS_MAX`."""


class Audit:
    """Follow the entries of one account, oldest first, and check each against the one before.

    `start` is the state before the first entry when older segments of the journal are gone.
    """

    def __init__(self, account_id: str, start: Account | None = None) -> None:
        self.account_id = account_id
        self.state = start
        self.entries = 0
        self.refusals = 0
        self.totals: dict[str, int] = {}
        self.findings: list[str] = []
        self._keys: set[str] = set()

    def add(self, entry: Entry) -> None:
        """Check the next entry: version, key, legs, movements before and after."""
        self.entries += 1
        if entry.account_id != self.account_id:
            self._find(f"entry {entry.key} is of account {entry.account_id}")
            return
        if entry.key in self._keys:
            self._find(f"key {entry.key} has two entries")
        self._keys.add(entry.key)
        if not entry.events:
            self._refusal(entry)
            return
        try:
            self._replay(entry)
        except Fault as fault:
            self._find(f"entry {entry.key} can't be replayed: {fault.message}")

    def _refusal(self, entry: Entry) -> None:
        self.refusals += 1
        version = self.state.version if self.state is not None else 0
        if entry.version != version:
            self._find(f"refusal {entry.key} says version {entry.version}, the account has {version}")
        answer = outcome(entry)
        if isinstance(answer, Done) and answer.movements and entry.kind != REMEMBERED:
            self._find(f"entry {entry.key} tells movements without events")

    def _replay(self, entry: Entry) -> None:
        before = self.state
        after = applying.apply(before, entry.events, entry.key)
        if entry.version != after.version:
            self._find(f"entry {entry.key} says version {entry.version} where {after.version} follows")
        moves: dict[str, int] = {}
        for event in entry.events:
            found = legs(event)
            if sum(leg.delta for leg in found):
                self._find(f"postings of {entry.key} do not add up to zero")
            for leg in found:
                moves[leg.place] = moves.get(leg.place, 0) + leg.delta
        self._movements(entry, before, after, moves)
        for place, delta in moves.items():
            if not place.startswith("book:"):
                self.totals[place] = self.totals.get(place, 0) + delta
        self.state = after

    def _movements(self, entry: Entry, before: Account | None, after: Account, moves: dict[str, int]) -> None:
        answer = outcome(entry)
        if not isinstance(answer, Done):
            self._find(f"entry {entry.key} changed the account and yet tells a refusal")
            return
        changed = movements(before.books if before is not None else (), after.books)
        if answer.movements != changed:
            self._find(f"entry {entry.key} tells movements that its events do not make")
        if any(isinstance(event, MovedIn) for event in entry.events):
            return
        for movement in changed:
            if movement.after - movement.before != moves.get(f"book:{movement.book_id}", 0):
                self._find(f"book {movement.book_id} moved otherwise than the postings of {entry.key} say")

    def _find(self, sentence: str) -> None:
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(sentence)

    def report(self) -> AuditReport:
        """Close the audit."""
        return AuditReport(
            self.account_id, self.entries, self.refusals, self.state, dict(self.totals), tuple(self.findings)
        )


def audit(entries: Iterable[Entry], account_id: str, start: Account | None = None) -> AuditReport:
    """Audit all entries of one account, oldest first."""
    following = Audit(account_id, start)
    for entry in entries:
        following.add(entry)
    return following.report()

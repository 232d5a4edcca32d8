"""The history of an account from its journal entries: lines for people, and the double-entry reading of events."""

from collections.abc import Iterable

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from charging.base.account import Account
from charging.base.usage import unpack_steps
from charging.ledger.commands import PROPOSED, MoveOut
from charging.ledger.entry import Entry
from charging.ledger.events import (
    Booked,
    Charged,
    Decided,
    Event,
    MovedOut,
    Opened,
    Proposed,
    Refunded,
    SessionStepped,
    StatusSet,
    TransferReceived,
    TransferSent,
    TransferSettled,
)
from charging.ledger.outcome import ChargeTold, Done, Failed, HistoryLine, SessionOutcome, unpack_outcome

MOVED_OUT = str(MoveOut.__struct_config__.tag)

_read_session = msgspec.msgpack.Decoder(SessionOutcome).decode
_read_account = msgspec.msgpack.Decoder(Account).decode


class Leg(Struct, frozen=True):
    """One side of a posting: `place` is a book ("book:main") or what stands against it (revenue, deposit, …)."""

    place: str
    delta: int


def outcome(entry: Entry) -> Done | Failed:
    """Unpack what a repeat of the entry's key is answered."""
    return unpack_outcome(entry.outcome)


def retold(entry: Entry, domain: str, currency: str) -> Done | Failed:
    """Give the stored outcome of an entry, marked as told again; of a charge with all that its first reply said.

    `domain` is where the account is; `currency` the account's, for a charge whose entry stayed where it came from.
    """
    stored = outcome(entry)
    if isinstance(stored, Failed):
        return replace(stored, repeated=True)
    told: ChargeTold | None = None
    for event in entry.events:
        if isinstance(event, Charged):
            charge = event.charge
            told = ChargeTold(charge.currency, domain, charge.catalogue, (charge.steps,))
    if told is None and entry.charged is not None and stored.detail is None:
        told = ChargeTold(currency, domain)
    return replace(stored, repeated=True, told=told)


def read_told(entry: Entry) -> None:
    """Read all of an entry that stays packed in it: outcome, its detail, explanations.

    Raises `msgspec.MsgspecError` or `ValueError` for what can't be read.
    """
    answer = outcome(entry)
    if isinstance(answer, Done) and answer.detail is not None:
        (_read_account if entry.kind == MOVED_OUT else _read_session)(answer.detail)
    for event in entry.events:
        if isinstance(event, Charged):
            unpack_steps(event.charge.steps)
        elif isinstance(event, SessionStepped):
            for posting in event.postings:
                unpack_steps(posting.charge.steps)


def line(entry: Entry) -> HistoryLine:
    """Tell one journal entry: what moved, before and after, by whom and why. A refusal tells its reason.

    An outcome that can't be read is told as such, not as an error: it must not hide the entries before it.
    """
    answer: Done | Failed
    try:
        answer = outcome(entry)
    except (msgspec.MsgspecError, ValueError):
        answer = Failed("broken", "OUTCOME_UNREADABLE", "")
    service, quantity, reason = "", 0, ""
    steps: tuple[Raw, ...] = ()
    for event in entry.events:
        service, quantity, steps, reason = _told(event, service, quantity, steps, reason)
    if isinstance(answer, Failed):
        reason = f"{answer.reason}: {reason}" if entry.kind == PROPOSED else answer.reason
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
        done.notices if done is not None else (),
        entry.principal,
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
        case Proposed():
            return service, quantity, steps, f"{event.proposal.kind} of {event.proposal.amount}: {event.reason}"
        case Decided():
            verb = "approved" if event.approved else "rejected"
            text = f"{verb} {event.key} of {event.proposer} ({event.proposer_actor or 'no actor'}): {event.reason}"
            return service, quantity, steps, text
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

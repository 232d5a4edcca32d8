"""Which open sessions were granted quota on what is no more so: the network should ask for them anew.

The answer is told over the feed, where a gateway makes a Re-Auth-Request (RFC 8506, 5.5) or a notification of
Nchf_ConvergedCharging (TS 32.290, 5.4.2) of it. Nothing waits for that: a session that is never asked for anew goes on
with what it has, and its next step is rated on what holds then.
"""

from collections.abc import Sequence

from charging.base.account import Account, Book, Hold, Session
from charging.ledger.event import BaseEvent
from charging.ledger.events import Affected, ContractSet, ReauthAsked, SessionStepped


def entailed(before: Account | None, after: Account, events: Sequence[BaseEvent]) -> tuple[ReauthAsked, ...]:
    """Say which sessions a mutation concerns: none or one event.

    All of the account where rights or prices of all changed; those of one member where its contract did; and those that
    were told of their last quota, when there is more to be had now. The session that takes the step itself is answered.
    """
    sessions = after.open.sessions
    if not sessions:
        return ()
    first = events[0]
    if len(sessions) == 1 and isinstance(first, SessionStepped) and first.session.session_id == sessions[0].session_id:
        return ()  # Nearly every step is of the only session there is.
    stepping = {event.session.session_id for event in events if isinstance(event, SessionStepped)}
    members = {event.contract.identity for event in events if isinstance(event, ContractSet)}
    all_of_them = any(event.regrants or (event.rerates and not isinstance(event, ContractSet)) for event in events)
    found: list[Affected] = []
    richer: bool | None = None
    for session in sessions:
        if session.session_id in stepping:
            continue
        if all_of_them or session.identity in members:
            found.append(_affected(session, session.holds))
            continue
        last = [hold for hold in session.holds if hold.final]
        if last and richer is None:
            richer = before is not None and _richer(before.books, after.books)
        if last and richer:
            found.append(_affected(session, last))
    return (ReauthAsked(tuple(found)),) if found else ()


def _affected(session: Session, holds: Sequence[Hold]) -> Affected:
    return Affected(session.session_id, session.identity, tuple([(hold.service, hold.numbers) for hold in holds]))


def _richer(before: Sequence[Book], after: Sequence[Book]) -> bool:
    """Say whether some book has more that nobody keeps."""
    had = {book.book_id: book.amount - book.reserved for book in before}
    return any(book.amount - book.reserved > had.get(book.book_id, 0) for book in after)

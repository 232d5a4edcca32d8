"""Events to state: one function for deciding and for replay, so both always agree.

No rule lives here. What an event says, happens; only what can't be true (a book that is not there) is a defect.
"""

from collections.abc import Callable, Sequence
from sys import intern

from msgspec.structs import replace

from charging.base.account import MONEY, Account, Book, Outgoing, next_mark
from charging.base.accumulators import counter_of
from charging.base.lateness import forgotten
from charging.errors import Broken
from charging.ledger import funds
from charging.ledger.events import (
    BookDropped,
    Booked,
    BookSet,
    Charged,
    ContractSet,
    CreditSet,
    Decided,
    Event,
    ModeSet,
    MovedIn,
    MovedOut,
    Noticed,
    Opened,
    ProfileSet,
    Proposed,
    Refunded,
    SessionStepped,
    StatusSet,
    ThresholdSet,
    TransferReceived,
    TransferSent,
    TransferSettled,
)

ENDED_SESSIONS_KEPT_MAX = 8
DECIDED_KEPT_MAX = 16
"""Proposals of an account whose end a repeat of their key is told."""

_TERMS = (Opened, ContractSet, ProfileSet, ModeSet, MovedIn)
_NOTHING: tuple[tuple[str, int], ...] = ()


def apply(account: Account | None, events: Sequence[Event], key: str) -> Account:
    """Give the state after a mutation: its events in order, version one higher, mark moved on by the request key."""
    if account is not None and len(events) == 1 and type(events[0]) is Charged:
        return _apply_charge(account, events[0], key)
    version = 0 if account is None else account.version
    mark = 0 if account is None else account.mark
    state = account
    terms = 0 if account is None else account.terms_version
    for event in events:
        if isinstance(event, (Opened, MovedIn)):
            state = event.account
            version, mark = max(version, state.version), state.mark
        elif state is None:
            raise Broken("ACCOUNT_MISSING", "an event other than opening came first")
        else:
            state = _APPLY[type(event)](state, event)
        if isinstance(event, _TERMS):
            terms = version + 1
    if state is None:
        raise Broken("ACCOUNT_MISSING", "no event opened the account")
    if account is not None and _scoped(account.books) != _scoped(state.books):
        # A charge that found none of these depends on nothing; now there may be some that it must use.
        terms = version + 1
    return replace(state, version=version + 1, mark=next_mark(mark, key), terms_version=terms)


def _scoped(books: Sequence[Book]) -> list[Book]:
    """Pick the books that rating looks for: free units, and money bound to an allowance."""
    return [book for book in books if book.unit != MONEY or book.allowance]


def _apply_charge(account: Account, event: Charged, key: str) -> Account:
    """Do the frequent case without a detour."""
    books = account.books
    if event.postings:
        books = funds.shift(books, event.postings, -1)
    if event.units:
        books = funds.shift(books, event.units, -1)
    return after_charge(account, books, event.charge.accruals, key)


def after_charge(account: Account, books: tuple[Book, ...], accruals: funds.Pairs, key: str) -> Account:
    """Give the state after a charge that left these books; `replace` would cost more than naming the fields."""
    return Account(
        account.account_id,
        account.version + 1,
        account.domain,
        account.customer_id,
        account.status,
        account.payment_mode,
        account.currency,
        account.credit_limit,
        account.cycle_day,
        account.members,
        books,
        accrue(account.accumulators, accruals) if accruals else account.accumulators,
        account.attributes,
        account.customer_attributes,
        account.agreements,
        account.sessions,
        account.thresholds,
        account.outgoing,
        next_mark(account.mark, key),
        account.terms_version,
        account.status_reason,
        account.before_move,
        account.refunds,
        account.ended,
        account.proposals,
        account.decided,
    )


def accrue(accumulators: dict[str, int], accruals: funds.Pairs, sign: int = 1) -> dict[str, int]:
    """Add to accumulators. With a new period those go that no usage can need any more, see `charging.base.lateness`.

    What is taken off a period that is gone is dropped with it.
    """
    changed = dict(accumulators)
    for key, quantity in accruals:
        known = changed.get(key)
        if known is not None:
            changed[key] = known + sign * quantity
        elif sign * quantity > 0:
            changed[intern(key)] = sign * quantity
            _forget(changed, key)
    return changed


def added(accumulators: dict[str, int], accruals: funds.Pairs) -> dict[str, int]:
    """Add to accumulators and forget nothing."""
    changed = dict(accumulators)
    for key, quantity in accruals:
        changed[key] = changed.get(key, 0) + quantity
    return changed


def _forget(accumulators: dict[str, int], new: str) -> None:
    counter = counter_of(new)
    for key in forgotten(sorted([key for key in accumulators if counter_of(key) == counter])):
        del accumulators[key]


def _charged(account: Account, event: Charged) -> Account:
    books = funds.shift(funds.shift(account.books, event.postings, -1), event.units, -1)
    return replace(account, books=books, accumulators=accrue(account.accumulators, event.charge.accruals))


def _booked(account: Account, event: Booked) -> Account:
    return replace(account, books=funds.shift(account.books, event.postings, 1))


def _book_set(account: Account, event: BookSet) -> Account:
    new = event.book
    old = funds.book_of(account, new.book_id)
    amount, reserved = (old.amount, old.reserved) if old is not None else (0, 0)
    others = [book for book in account.books if book.book_id != new.book_id]
    kept = Book(
        new.book_id,
        new.unit,
        amount,
        reserved,
        new.priority,
        new.valid_from_ms,
        new.valid_to_ms,
        new.allowance,
    )
    return replace(account, books=tuple(sorted([*others, kept], key=funds.consumption_order)))


def _book_dropped(account: Account, event: BookDropped) -> Account:
    return replace(account, books=tuple(book for book in account.books if book.book_id != event.book_id))


def _refunded(account: Account, event: Refunded) -> Account:
    books = funds.shift(funds.shift(account.books, event.postings, 1), event.units, 1)
    sums = [row for row in account.refunds if row[0] != event.charge_key and row[0] not in event.forgets]
    before = sum(row[1] for row in account.refunds if row[0] == event.charge_key)
    sums.append((event.charge_key, before + event.amount, event.wholly, event.charged_ms))
    return replace(
        account,
        books=books,
        accumulators=accrue(account.accumulators, event.accruals, -1),
        refunds=tuple(sums),
    )


def _sent(account: Account, event: TransferSent) -> Account:
    row = Outgoing(
        event.key,
        event.from_book_id,
        event.to_identity,
        event.to_book_id,
        event.amount,
        event.sent_ms,
        event.currency,
    )
    books = funds.shift(account.books, ((event.from_book_id, event.amount),), -1)
    return replace(account, books=books, outgoing=(*account.outgoing, row))


def _received(account: Account, event: TransferReceived) -> Account:
    return replace(account, books=funds.shift(account.books, ((event.book_id, event.amount),), 1))


def _settled(account: Account, event: TransferSettled) -> Account:
    back = () if event.arrived else ((event.book_id, event.amount),)
    outgoing = tuple(row for row in account.outgoing if row.key != event.key)
    return replace(account, books=funds.shift(account.books, back, 1), outgoing=outgoing)


def _stepped(account: Account, event: SessionStepped) -> Account:
    session = event.session
    old = next((known for known in account.sessions if known.session_id == session.session_id), None)
    books, accumulators = account.books, account.accumulators
    for hold in old.holds if old is not None else ():
        books = funds.keep(books, hold.reserved, -1)
    for posting in event.postings:
        books = funds.shift(funds.shift(books, posting.postings, -1), posting.units, -1)
        if posting.accruals:
            accumulators = accrue(accumulators, posting.accruals)
    for hold in session.holds:
        books = funds.keep(books, hold.reserved, 1)
    others = tuple(known for known in account.sessions if known is not old)
    if not event.ended:
        return replace(account, books=books, accumulators=accumulators, sessions=(*others, session))
    row = (session.session_id, session.invocation, event.ended, session.outcome)
    ended = (*account.ended, row)[-ENDED_SESSIONS_KEPT_MAX:]
    return replace(account, books=books, accumulators=accumulators, sessions=others, ended=ended)


def _contract_set(account: Account, event: ContractSet) -> Account:
    identity = event.contract.identity
    if event.contract.status == "ended":
        return replace(account, members=tuple(member for member in account.members if member != identity))
    if identity in account.members:
        return account
    return replace(account, members=(*account.members, identity))


def _status_set(account: Account, event: StatusSet) -> Account:
    return replace(account, status=event.status, status_reason=event.reason)


def _mode_set(account: Account, event: ModeSet) -> Account:
    return replace(account, payment_mode=event.payment_mode)


def _credit_set(account: Account, event: CreditSet) -> Account:
    return replace(account, credit_limit=event.credit_limit)


def _threshold_set(account: Account, event: ThresholdSet) -> Account:
    others = [known for known in account.thresholds if known.threshold_id != event.threshold.threshold_id]
    return replace(account, thresholds=tuple(others) if event.remove else (*others, event.threshold))


def _profile_set(account: Account, event: ProfileSet) -> Account:
    return replace(
        account,
        attributes=event.attributes,
        customer_attributes=event.customer_attributes,
        agreements=event.agreements,
    )


def _noticed(account: Account, event: Noticed) -> Account:
    return account


def _moved_out(account: Account, event: MovedOut) -> Account:
    return replace(
        account,
        status="moved",
        status_reason=event.to_domain,
        before_move=(account.status, account.status_reason),
    )


def _proposed(account: Account, event: Proposed) -> Account:
    kept = tuple(each for each in account.proposals if each.key not in event.forgets)
    return replace(account, proposals=(*kept, event.proposal))


def _decided(account: Account, event: Decided) -> Account:
    left = tuple(each for each in account.proposals if each.key != event.key)
    digest = next((each.digest for each in account.proposals if each.key == event.key), b"")
    decided = (*account.decided, (event.key, event.outcome, digest))[-DECIDED_KEPT_MAX:]
    return replace(account, proposals=left, decided=decided)


_APPLY: dict[type, Callable[..., Account]] = {
    Charged: _charged,
    Booked: _booked,
    BookSet: _book_set,
    BookDropped: _book_dropped,
    Refunded: _refunded,
    TransferSent: _sent,
    TransferReceived: _received,
    TransferSettled: _settled,
    SessionStepped: _stepped,
    ContractSet: _contract_set,
    StatusSet: _status_set,
    ModeSet: _mode_set,
    CreditSet: _credit_set,
    ThresholdSet: _threshold_set,
    ProfileSet: _profile_set,
    Noticed: _noticed,
    MovedOut: _moved_out,
    Proposed: _proposed,
    Decided: _decided,
}

"""Events to state: one function for deciding and for replay, so both always agree.

What an event does it says itself (`charging.ledger.event.BaseEvent.apply`); here is what all have in common.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from charging.base.account import MONEY, Account, Book, next_mark
from charging.base.buckets import Buckets
from charging.base.usage import SealedCharge, Usage
from charging.errors import Broken
from charging.ledger import buckets, funds
from charging.ledger.accruals import accrue, accrue_into
from charging.ledger.commands.post_charge import Charged
from charging.ledger.dues import FeePosted
from charging.ledger.event import BaseArrival
from charging.ledger.feerun import FeeRun
from charging.ledger.kinds import Event
from charging.ledger.running import SumRun
from charging.ledger.usescharged import UsesCharged


def apply(account: Account | None, events: Sequence[Event], key: str, time_ms: int) -> Account:
    """Give the state after a mutation: its events in order, version one higher, mark moved on by the request key.

    `time_ms` is when the owner decided it, UTC: the period of what says no time of its own.

    `account` None = the first event must bring it. Nothing is checked: what was journaled has happened. Raises `Broken`
    ACCOUNT_MISSING, and what an event raises that can't be true.
    """
    if account is not None and len(events) == 1 and type(events[0]) is Charged:
        return apply_charge(account, events[0], key)
    version = 0 if account is None else account.version
    mark = 0 if account is None else account.mark
    state = account
    terms = 0 if account is None else account.terms_version
    behind = 0
    for place, event in enumerate(events):
        if place < behind:
            continue
        if state is not None and type(event) is Charged and not event.charge.takes:
            behind = _plain_end(events, place)
            state = _charged_plainly(state, events[place:behind])
        elif state is not None and type(event) is UsesCharged:
            state = _uses_charged(state, event)
        elif state is not None and type(event) is FeePosted:
            behind = _fees_end(events, place)
            state = _fees_posted(state, events[place:behind], time_ms)
        elif isinstance(event, BaseArrival):
            state = _arrived(event, time_ms)
            version, mark = max(version, state.version), state.mark
        elif state is None:
            raise Broken("ACCOUNT_MISSING", "an event other than opening came first")
        else:
            state = buckets.after(state, event.apply(state), event, time_ms)
        if event.rerates:
            terms = version + 1
    if state is None:
        raise Broken("ACCOUNT_MISSING", "no event opened the account")
    if account is not None and _newly_scoped(account, state):
        terms = version + 1
    return replace(state, version=version + 1, mark=next_mark(mark, key), terms_version=terms)


def arrived_at(account: Account, state: Account, events: Sequence[Event], key: str) -> Account:
    """Give the state after a mutation whose events, one after the other, have led to this one already: as `apply`."""
    version = account.version + 1
    rerates = any(event.rerates for event in events) or _newly_scoped(account, state)
    terms = version if rerates else account.terms_version
    return replace(state, version=version, mark=next_mark(account.mark, key), terms_version=terms)


def further(account: Account | None, after: Account, events: Sequence[Event], time_ms: int) -> Account:
    """Give the state after a mutation that had led to `after` and entails these events, too: as `apply` of all.

    No event looks at version or mark of the account that it changes, so it makes no difference that `after` has its
    own already.
    """
    state, terms = after, after.terms_version
    for event in events:
        state = buckets.after(state, event.apply(state), event, time_ms)
        if event.rerates:
            terms = after.version
    if account is not None and _newly_scoped(account, state):
        terms = after.version
    return replace(state, terms_version=terms) if terms != state.terms_version else state


def _newly_scoped(account: Account, state: Account) -> bool:
    """Say whether there are other books that rating looks for.

    A charge that found none of these depends on nothing; now there may be some that it must use.
    """
    return account.books is not state.books and _scoped(account.books) != _scoped(state.books)


def _fees_end(events: Sequence[Event], begin: int) -> int:
    """Give where fees that stand one after the other end."""
    end = begin
    while end < len(events) and type(events[end]) is FeePosted:
        end += 1
    return end


def _fees_posted(account: Account, events: Sequence[Event], time_ms: int) -> Account:
    """Give the state after fees: each counts as by itself, and the state is made once."""
    run = FeeRun(account, time_ms)
    for event in events:
        assert isinstance(event, FeePosted)
        run.post(event.due, event.postings)
    return run.account()


def _plain_end(events: Sequence[Event], begin: int) -> int:
    """Give where charges that named no books, and stand one after the other, end."""
    end = begin
    while end < len(events):
        event = events[end]
        if type(event) is not Charged or event.charge.takes:
            break
        end += 1
    return end


def _charged_plainly(account: Account, events: Sequence[Event]) -> Account:
    """Give the state after charges that named no books: each counts as by itself, and the state is made once."""
    paid: dict[str, int] = {}
    counters = dict(account.accumulators)
    sums = SumRun(account)
    for event in events:
        assert isinstance(event, Charged)
        charge = event.charge
        for book_id, amount in event.postings:
            paid[book_id] = paid.get(book_id, 0) + amount
        if charge.accruals:
            accrue_into(counters, charge.accruals, 1)
        if charge.amount:
            sums.add(event.usage, charge)
    books = funds.shift(account.books, tuple(paid.items()), -1)
    return replace(account, books=books, accumulators=counters, buckets=sums.buckets())


def _uses_charged(account: Account, event: UsesCharged) -> Account:
    """Give the state after uses in columns: what single charges of them would leave."""
    sums = SumRun(account)
    sums.add_uses(event)
    return replace(event.apply(account), buckets=sums.buckets())


def _scoped(books: Sequence[Book]) -> list[Book]:
    """Pick the books that rating looks for: free units, and money bound to an allowance."""
    return [book for book in books if book.allowance or book.unit != MONEY]


def apply_charge(account: Account, event: Charged, key: str) -> Account:
    """Give the state after a charge and nothing else: the frequent case, without a detour."""
    books = account.books
    if event.postings:
        books = funds.shift(books, event.postings, -1)
    if event.units:
        books = funds.shift(books, event.units, -1)
    return after_charge(account, books, event.usage, event.charge, key)


def after_charge(account: Account, books: tuple[Book, ...], usage: Usage, charge: SealedCharge, key: str) -> Account:
    """Give the state after a charge that left these books; `replace` would cost more than naming the fields."""
    accruals = charge.accruals
    return Account(
        account.account_id,
        account.version + 1,
        next_mark(account.mark, key),
        account.terms_version,
        account.customer_id,
        account.members,
        books,
        accrue(account.accumulators, accruals) if accruals else account.accumulators,
        account.terms,
        account.open,
        _counted(account, books, usage, charge) if charge.amount else account.buckets,
    )


def _counted(account: Account, books: tuple[Book, ...], usage: Usage, charge: SealedCharge) -> Buckets:
    if charge.takes:
        return buckets.granted(account, books, usage, charge)
    return buckets.charged(account, usage, charge)


def _arrived(event: BaseArrival, time_ms: int) -> Account:
    """Give the account as it comes: what a new one begins with came in, one that was ported brings its buckets."""
    account = event.account
    if account.version:
        return account
    bare = replace(account, books=tuple([replace(book, amount=0) for book in account.books]))
    return buckets.after(bare, account, event, time_ms)

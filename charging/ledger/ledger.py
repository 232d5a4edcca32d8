"""The ledger: the one path for every change of an account.

`decide` checks a command against the state and says which events follow; `replay` repeats them from the journal. Both
go through `charging.ledger.applying`, so a state decided and a state replayed are equal. No clock, no I/O.
"""

from collections.abc import Sequence
from typing import cast

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from charging.base.account import Account, Book
from charging.base.staged import STAGED_MAX
from charging.base.usage import Charge, SealedCharge, pack_long
from charging.errors import Broken, NotFound
from charging.ledger import dunning, reauthorising, settling, staging, standing, within
from charging.ledger.accruals import accrue
from charging.ledger.action import BaseCreation
from charging.ledger.applying import after_charge, apply, apply_charge, arrived_at, further
from charging.ledger.command import Command
from charging.ledger.commands.approve import Approve, Decided
from charging.ledger.commands.post_charge import Charged, PostCharge
from charging.ledger.commands.settle_voucher import SettleVoucher, VoucherReturning, VoucherSettled
from charging.ledger.decision import Decision
from charging.ledger.effect import Effect
from charging.ledger.entry import Entry
from charging.ledger.events import Noticed
from charging.ledger.funds import moved, movements
from charging.ledger.kinds import Event
from charging.ledger.outcome import Done, pack_outcome

_pack = msgspec.msgpack.Encoder().encode


def decide(account: Account | None, command: Command, now_ms: int) -> Decision:
    """Decide a command on the state of its account.

    Raises `Refused` (journal it under the key; nothing moves), `Invalid` and `NotFound` (keep nothing), some of them
    from `charging.ledger.within`; `VersionMoved` (the platform rates again); `NothingDue`. `now_ms` is the owner's
    clock; what is late, refunds, transfers and sessions' expiry look at it.
    """
    action = command.action
    if type(action) is PostCharge and account is not None:
        return _decide_charge(account, command.key, action, now_ms)
    effect = _effect(account, command, now_ms)
    if not effect.events:
        if account is None:
            raise Broken("ACCOUNT_MISSING", "nothing was decided on an account that is not there")
        done = Done(account.account_id, account.version, effect.amount, (), (), effect.detail, 0, effect.repeated)
        return Decision((), account, done)
    events = cast(tuple[Event, ...], effect.events)  # All there are, `charging.ledger.kinds` sees to it.
    if account is not None and effect.reached is not None:
        after = arrived_at(account, effect.reached, events, command.key)
    else:
        after = apply(account, events, command.key, now_ms)
    settled = _settled(after, command.key, now_ms) if after.open.bills else ()
    if settled:
        events = (*events, *settled)
        after = further(account, after, settled, now_ms)
    seen = _seen(after)
    entailed = (*dunning.consequences(seen, now_ms), *standing.consequences(_seen_before(account), seen, now_ms))
    if entailed:
        events = (*events, *entailed)
        after = further(account, after, entailed, now_ms)
    # What is asked of the network changes nothing here, so the state need not be made anew.
    events = (*events, *reauthorising.entailed(account, after, events))
    within.check_state(account, after)
    changed = movements(account.books if account is not None else (), after.books)
    done = Done(after.account_id, after.version, effect.amount, changed, _notices(events), effect.detail)
    if type(action) is Approve or type(action) is SettleVoucher:
        events = _with_outcome(events, done)
        after = apply(account, events, command.key, now_ms)
    return Decision(events, after, done)


def _decide_charge(account: Account, key: str, action: PostCharge, now_ms: int) -> Decision:
    """Do the frequent case without a detour: the same, step by step, of a charge."""
    event = action.charged(account, now_ms)
    events: tuple[Event, ...] = (event,)
    after = apply_charge(account, event, key)
    terms = after.terms
    notices: tuple[str, ...] = ()
    if terms.thresholds or terms.attributes or terms.limits:
        entailed = standing.consequences(_seen(account), _seen(after), now_ms)
        if entailed:
            events = (event, *entailed)
            events = (*events, *reauthorising.entailed(account, after, events))
            after = apply(account, events, key, now_ms)
            notices = _notices(events)
    charge = event.charge
    within.check_charge(account, after, event.usage.quantity, charge.accruals)
    done = Done(after.account_id, after.version, charge.amount, movements(account.books, after.books), notices)
    return Decision(events, after, done)


def _notices(events: Sequence[Event]) -> tuple[str, ...]:
    return tuple([notice for event in events if type(event) is Noticed for notice in event.notices])


def _effect(account: Account | None, command: Command, now_ms: int) -> Effect:
    action = command.action
    if isinstance(action, BaseCreation):
        return action.decide(account, command, now_ms)
    if account is None:
        raise NotFound("ACCOUNT_UNKNOWN", f"there is no account {command.account_id}")
    if action.sees_stages or not account.open.staged:
        return action.decide(account, command, now_ms)
    return staging.in_time(account, action.decide(_seen(account), command, now_ms))


def _seen(account: Account) -> Account:
    """Give an account as commands are decided on it: with what is staged as if it had come in at once."""
    return staging.reckoned(account) if account.open.staged else account


def _seen_before(account: Account | None) -> Account | None:
    return None if account is None else _seen(account)


def _settled(after: Account, key: str, now_ms: int) -> tuple[Event, ...]:
    """Say what the balance settles by itself; where money of it is staged, it leaves an instruction in the stage.

    In a stage that is full it leaves none: what is staged comes in before it, and bills are settled at once.
    """
    staged = after.open.staged
    settled = settling.entailed(_seen(after), now_ms)
    if not staged or not settled:
        return settled
    if len(staged) >= STAGED_MAX:
        return (*staging.all_replayed(after), *settled)
    return tuple([staging.instructed(each, key, staged[-1].month) for each in settled])


def _with_outcome(events: tuple[Event, ...], done: Done) -> tuple[Event, ...]:
    """Write the outcome of an approved command, or of a voucher, into the event that ends what waited."""
    first = events[0]
    if isinstance(first, Decided):
        return (replace(first, outcome=pack_outcome(done)), *events[1:]) if first.approved else events
    if isinstance(first, VoucherSettled):
        return events if first.reason else (replace(first, outcome=pack_outcome(done)), *events[1:])
    if isinstance(first, VoucherReturning):
        return events
    raise Broken("INTERNAL", "an approval begins with the end of its proposal")


def follow(account: Account, command: Command, done: Done) -> Account | None:
    """Give the state after a charge whose outcome the owner has told: nothing is decided again.

    None when that can't be said so: another command, an outcome of another state, consequences besides the charge.
    """
    action = command.action
    if type(action) is not PostCharge or done.version != account.version + 1 or done.notices:
        return None
    terms = account.terms
    if terms.thresholds or terms.attributes or terms.limits:
        return None
    books = moved(account.books, done.movements)
    return None if books is None else after_charge(account, books, action.usage, action.charge, command.key)


def replay(account: Account | None, entry: Entry) -> Account:
    """Repeat a journal entry on the state before it. A refusal changes nothing.

    Raises `Broken` when the entry does not fit: another account, a version that does not follow; `Refused` or `Invalid`
    when it would lead beyond `charging.ledger.within`.
    """
    if not entry.events:
        if account is None:
            raise Broken("REPLAY_GAP", f"a refusal of {entry.account_id} without the account")
        return account
    after = apply(account, entry.events, entry.key, entry.time_ms)
    if after.version != entry.version or after.account_id != entry.account_id:
        raise Broken(
            "REPLAY_GAP",
            f"entry of {entry.account_id} at version {entry.version} does not follow",
            facts={"version": str(after.version)},
        )
    first = entry.events[0]
    if account is not None and type(first) is Charged:
        within.check_charge(account, after, first.usage.quantity, first.charge.accruals)
    else:
        within.check_numbers(account, after)
    return after


def available_view(account: Account) -> Account:
    """Give the account as rating must see it: what open sessions keep counts as taken."""
    if not account.open.sessions:
        return account
    accumulators = account.accumulators
    for session in account.open.sessions:
        for hold in session.holds:
            if hold.reserved_accruals:
                accumulators = accrue(accumulators, hold.reserved_accruals)
    books = tuple(_taken(book) if book.reserved else book for book in account.books)
    return replace(account, books=books, accumulators=accumulators)


def _taken(book: Book) -> Book:
    return replace(book, amount=book.amount - book.reserved, reserved=0)


def seal(charge: Charge) -> SealedCharge:
    """Pack the explanation of a charge for its way to the owner and into the journal."""
    try:
        steps = _pack(charge.steps)
    except OverflowError:
        steps = pack_long(charge.steps)
    return SealedCharge(
        charge.amount,
        charge.currency,
        charge.takes,
        charge.accruals,
        charge.catalogue,
        charge.depends,
        Raw(steps),
        charge.item,
        charge.taxed_since,
    )

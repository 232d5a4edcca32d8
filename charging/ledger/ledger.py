"""The ledger: the one path for every change of an account.

`decide` checks a command against the state and says which events follow; `replay` repeats them from the journal. Both
go through `charging.ledger.applying`, so a state decided and a state replayed are equal. No clock, no I/O.
"""

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from charging.base.account import Account, BalanceView, Book
from charging.base.usage import Charge, SealedCharge, pack_long
from charging.errors import Broken, Invalid, NotFound
from charging.ledger import standing, within
from charging.ledger.applying import accrue, after_charge, apply
from charging.ledger.commands import (
    Adjust,
    Approve,
    Command,
    ExpireSession,
    MoveIn,
    MoveMoney,
    MoveOut,
    OpenAccount,
    PostCharge,
    Propose,
    ReceiveTransfer,
    Refund,
    SendTransfer,
    SetContract,
    SetCreditLimit,
    SetPaymentMode,
    SetProfile,
    SetStatus,
    SetThreshold,
    SettleTransfer,
    StepSession,
    TopUp,
)
from charging.ledger.decision import Decision, Effect, VersionMoved
from charging.ledger.entry import Entry
from charging.ledger.events import Charged, Event, Noticed
from charging.ledger.funds import balance_view, moved, movements
from charging.ledger.handlers import accounts as account_commands
from charging.ledger.handlers import approvals as approval_commands
from charging.ledger.handlers import books as book_commands
from charging.ledger.handlers import charges as charge_commands
from charging.ledger.handlers import refunds as refund_commands
from charging.ledger.handlers import sessions as session_commands
from charging.ledger.handlers import transfers as transfer_commands
from charging.ledger.handlers.refunds import with_original
from charging.ledger.handlers.sessions import due_sessions, expire_command
from charging.ledger.handlers.transfers import receive_command, settle_command
from charging.ledger.outcome import Done

__all__ = [
    "BalanceView",
    "Decision",
    "Event",
    "VersionMoved",
    "available_view",
    "balance_view",
    "decide",
    "due_sessions",
    "expire_command",
    "follow",
    "receive_command",
    "replay",
    "seal",
    "settle_command",
    "with_original",
]

_pack = msgspec.msgpack.Encoder().encode


def decide(account: Account | None, command: Command, now_ms: int) -> Decision:
    """Decide a command on the state of its account.

    Raises `Refused` (journal it under the key; nothing moves), `Invalid` and `NotFound` (keep nothing), some of them
    from `charging.ledger.within`; `VersionMoved` (the platform rates again). `now_ms` is the owner's clock; what is
    late, refunds, transfers and sessions' expiry look at it.
    """
    effect = _effect(account, command, now_ms)
    if not effect.events:
        if account is None:
            raise Broken("ACCOUNT_MISSING", "nothing was decided on an account that is not there")
        done = Done(account.account_id, account.version, effect.amount, (), (), effect.detail, 0, effect.repeated)
        return Decision((), account, done)
    events = effect.events
    after = apply(account, events, command.key)
    notices: tuple[str, ...] = ()
    if after.thresholds or after.attributes:
        entailed = standing.consequences(account, after, now_ms)
        if entailed:
            events = (*events, *entailed)
            after = apply(account, events, command.key)
    action = command.action
    if account is not None and type(action) is PostCharge:
        within.check_charge(account, after, action.usage.quantity, action.charge.accruals)
    else:
        within.check_state(account, after)
    if len(events) > 1:
        notices = tuple(notice for event in events if type(event) is Noticed for notice in event.notices)
    changed = movements(account.books if account is not None else (), after.books)
    done = Done(after.account_id, after.version, effect.amount, changed, notices, effect.detail)
    if type(command.action) is Approve:
        events = approval_commands.with_outcome(events, done)
        after = apply(account, events, command.key)
    return Decision(events, after, done)


def _effect(account: Account | None, command: Command, now_ms: int) -> Effect:
    action = command.action
    if account is not None and type(action) is PostCharge:
        return charge_commands.post_charge(account, action, now_ms)
    match action:
        case OpenAccount():
            return account_commands.open_account(account, command, action)
        case MoveIn():
            return account_commands.move_in(account, command, action)
    if account is None:
        raise NotFound("ACCOUNT_UNKNOWN", f"there is no account {command.account_id}")
    match action:
        case TopUp():
            return book_commands.top_up(account, command, action)
        case Adjust():
            return book_commands.adjust(account, command, action)
        case MoveMoney():
            return book_commands.move_money(account, command, action)
        case Refund():
            return refund_commands.refund(account, action, now_ms)
        case SendTransfer():
            return transfer_commands.send(account, command, action, now_ms)
        case ReceiveTransfer():
            return transfer_commands.receive(account, action, now_ms)
        case SettleTransfer():
            return transfer_commands.settle(account, action)
        case StepSession():
            return session_commands.step(account, action, now_ms)
        case ExpireSession():
            return session_commands.expire(account, action, now_ms)
        case SetContract():
            return account_commands.set_contract(account, action)
        case SetStatus():
            return account_commands.set_status(account, action)
        case SetPaymentMode():
            return account_commands.set_payment_mode(account, action)
        case SetCreditLimit():
            return account_commands.set_credit_limit(account, action)
        case SetThreshold():
            return account_commands.set_threshold(account, action)
        case SetProfile():
            return account_commands.set_profile(account, action)
        case MoveOut():
            return account_commands.move_out(account, command, action)
        case Propose():
            proposed = approval_commands.proposed_command(command, action)
            return approval_commands.propose(account, command, action, _effect(account, proposed, now_ms), now_ms)
        case Approve():
            return _approve(account, command, action, now_ms)
    raise Invalid("COMMAND_UNKNOWN", f"the ledger does not know {type(action).__name__}")


def _approve(account: Account, command: Command, action: Approve, now_ms: int) -> Effect:
    proposal = approval_commands.decidable(account, command, action, now_ms)
    if action.reject:
        return approval_commands.rejected(proposal, action)
    proposed = approval_commands.approved_command(command, proposal)
    return approval_commands.approved(proposal, action, _effect(account, proposed, now_ms))


def follow(account: Account, command: Command, done: Done) -> Account | None:
    """Give the state after a charge whose outcome the owner has told: nothing is decided again.

    None when that can't be said so: another command, an outcome of another state, consequences besides the charge.
    """
    action = command.action
    if type(action) is not PostCharge or done.version != account.version + 1 or done.notices:
        return None
    if account.thresholds or account.attributes:
        return None
    books = moved(account.books, done.movements)
    return None if books is None else after_charge(account, books, action.charge.accruals, command.key)


def replay(account: Account | None, entry: Entry) -> Account:
    """Repeat a journal entry on the state before it. A refusal changes nothing.

    Raises `Broken` when the entry does not fit: another account, a version that does not follow; `Refused` or `Invalid`
    when it would lead beyond `charging.ledger.within`.
    """
    if not entry.events:
        if account is None:
            raise Broken("REPLAY_GAP", f"a refusal of {entry.account_id} without the account")
        return account
    after = apply(account, entry.events, entry.key)
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
    if not account.sessions:
        return account
    accumulators = account.accumulators
    for session in account.sessions:
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
        charge.amount, charge.currency, charge.takes, charge.accruals, charge.catalogue, charge.depends, Raw(steps)
    )

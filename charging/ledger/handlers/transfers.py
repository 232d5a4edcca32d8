"""Deciding transfers between accounts: a saga of three journaled steps, exactly once and never half.

1. The sender's owner takes the money and remembers the transfer as outgoing (`SendTransfer`, the caller's key).
2. It commits `receive` at the account of the other identity, in whatever domain, under a key derived from the first.
   Repeats meet the stored outcome, so however often step 2 is tried, the money arrives once. It says when step 1 was:
   of one that is late the receiver's owner looks for an earlier arrival in the journal, for the key may be forgotten.
3. It commits `settle` at home: forget it, or give it back when step 2 was refused for good.

Until step 3 the transfer stays in `Account.outgoing`, through any crash or takeover: the owner drives what it finds
there. Money under way belongs to neither account's balance; `charging.ledger.history` shows it as in transit.
"""

from charging.base.account import MAIN_BOOK, MONEY, Account, Outgoing
from charging.base.house_keys import digest_of, receive_key, settle_key
from charging.errors import Invalid, NotFound, Refused
from charging.ledger import funds
from charging.ledger.commands import Command, ReceiveTransfer, SendTransfer, SettleTransfer
from charging.ledger.decision import Effect
from charging.ledger.events import TransferReceived, TransferSent, TransferSettled
from charging.ledger.handlers.books import check_amount, require_giver, require_taker
from charging.ledger.standing import require_active, require_here, require_open

OUTGOING_MAX = 32
OWNER = "owner"
"""Actor and channel of commands that an owner gives by itself."""


def send(account: Account, command: Command, action: SendTransfer, now_ms: int) -> Effect:
    """Take money for another account; never on credit, never what sessions keep.

    Refused TRANSFER_TO_ITSELF, TRANSFERS_PENDING, BOOK_UNKNOWN, BOOK_EXPIRED, BOOK_BOUND, INSUFFICIENT_FUNDS,
    ACCOUNT_SUSPENDED.
    """
    require_active(account)
    if action.amount <= 0:
        raise Invalid("AMOUNT_NOT_POSITIVE", "a transfer moves something", fields={"amount": "more than zero"})
    check_amount(action.amount)
    if action.to_identity in account.members:
        raise Refused("TRANSFER_TO_ITSELF", "both ends of the transfer are one account")
    if len(account.outgoing) >= OUTGOING_MAX:
        raise Refused("TRANSFERS_PENDING", f"at most {OUTGOING_MAX} transfers are under way at once")
    book = require_giver(account, action.from_book_id or MAIN_BOOK, action.amount, command.time_ms)
    if book.unit != MONEY or book.allowance:
        raise Refused("BOOK_BOUND", f"what is in book {book.book_id!r} can't leave the account")
    event = TransferSent(
        command.key,
        book.book_id,
        action.to_identity,
        action.to_book_id or MAIN_BOOK,
        action.amount,
        action.reason,
        now_ms,
        account.currency,
    )
    return Effect((event,), action.amount)


def receive(account: Account, action: ReceiveTransfer, now_ms: int) -> Effect:
    """Take in money from another account, by the owner's clock: the sender's may be another one.

    Refused, so that it goes back: ACCOUNT_CLOSED, ACCOUNT_MOVED, TRANSFER_TO_ITSELF, CURRENCY_MISMATCH, BOOK_UNKNOWN,
    BOOK_EXPIRED, UNIT_MISMATCH, BOOK_FULL.
    """
    require_open(account)
    if action.from_account == account.account_id:
        raise Refused("TRANSFER_TO_ITSELF", "both ends of the transfer are one account")
    if action.amount <= 0:
        raise Invalid("AMOUNT_NOT_POSITIVE", "a transfer moves something", fields={"amount": "more than zero"})
    if action.currency != account.currency:
        raise Refused(
            "CURRENCY_MISMATCH",
            f"the transfer is in {action.currency}, the account in {account.currency}",
            facts={"currency": account.currency},
        )
    book = require_taker(account, action.to_book_id or MAIN_BOOK, MONEY, action.amount, now_ms)
    event = TransferReceived(action.from_account, book.book_id, action.amount, action.reason, account.currency)
    return Effect((event,), action.amount)


def settle(account: Account, action: SettleTransfer) -> Effect:
    """End a transfer at its sender. NotFound TRANSFER_UNKNOWN when it is not under way."""
    require_here(account)
    for row in account.outgoing:
        if row.key == action.transfer_key:
            book_id = row.from_book_id if funds.book_of(account, row.from_book_id) is not None else MAIN_BOOK
            event = TransferSettled(row.key, action.arrived, book_id, row.amount, action.reason)
            return Effect((event,), 0 if action.arrived else row.amount)
    raise NotFound("TRANSFER_UNKNOWN", f"no transfer {action.transfer_key!r} is under way")


def receive_command(sender: Account, row: Outgoing, receiver_account_id: str, time_ms: int) -> Command:
    """Make step 2 of an outgoing transfer: for the owner of the account of its `to_identity`."""
    reason = f"transfer {row.key}"
    action = ReceiveTransfer(sender.account_id, row.to_book_id, row.amount, reason, row.sent_ms, row.currency)
    return own_command(receiver_account_id, receive_key(sender.account_id, row.key), action, time_ms)


def settle_command(sender: Account, row: Outgoing, refusal: str, time_ms: int) -> Command:
    """Make step 3: `refusal` is empty when step 2 was done, else the reason it was refused for good."""
    action = SettleTransfer(row.key, not refusal, refusal)
    return own_command(sender.account_id, settle_key(row.key), action, time_ms)


def own_command(account_id: str, key: str, action: ReceiveTransfer | SettleTransfer, time_ms: int) -> Command:
    """Make a command that an owner gives by itself; its digest is over all that it says."""
    return Command(account_id, key, digest_of(key, action), OWNER, OWNER, time_ms, action)

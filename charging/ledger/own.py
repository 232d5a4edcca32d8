"""Commands that an owner gives by itself: the other steps of a transfer, and the end of a session."""

from charging.base.account import Account, Session
from charging.base.house_keys import (
    address_key,
    digest_of,
    expire_key,
    receive_key,
    replay_key,
    settle_key,
    voucher_key,
)
from charging.base.outgoing import Outgoing
from charging.ledger.command import Command
from charging.ledger.commands.address_transfer import AddressTransfer
from charging.ledger.commands.expire_session import ExpireSession
from charging.ledger.commands.receive_bill import ReceiveBill
from charging.ledger.commands.receive_transfer import ReceiveTransfer
from charging.ledger.commands.replay_staged import ReplayStaged
from charging.ledger.commands.settle_transfer import SettleTransfer
from charging.ledger.commands.settle_voucher import SettleVoucher
from charging.ledger.outcome import Failed
from charging.ledger.vouchers import Worth

OWNER = "owner"
"""Actor and channel of commands that an owner gives by itself."""


def address_command(sender: Account, row: Outgoing, to_account: str, time_ms: int) -> Command:
    """Make what says to which account an outgoing transfer goes, before anybody is offered it."""
    key = address_key(row.key, row.sent_ms)
    return _own_command(sender.account_id, key, AddressTransfer(row.key, to_account), time_ms)


def receive_command(sender: Account, row: Outgoing, receiver_account_id: str, time_ms: int) -> Command:
    """Make step 2 of an outgoing transfer, or of a bill: for the owner of the account that it goes to."""
    key = receive_key(sender.account_id, row.key)
    if row.bill is not None:
        bill = ReceiveBill(sender.account_id, row.bill.number, row.amount, row.currency, row.of_ms, row.sent_ms)
        return _own_command(receiver_account_id, key, bill, time_ms)
    present = row.present
    reason = f"transfer {row.key}"
    if present is not None:
        reason = f"gift from {present.from_identity}: {present.label}"
    action = ReceiveTransfer(sender.account_id, row.to_book_id, row.amount, reason, row.sent_ms, row.currency, present)
    return _own_command(receiver_account_id, key, action, time_ms)


def settle_command(sender: Account, row: Outgoing, refusal: str, time_ms: int) -> Command:
    """Make step 3: `refusal` is empty when step 2 was done, else the reason it was refused for good."""
    action = SettleTransfer(row.key, not refusal, refusal)
    return _own_command(sender.account_id, settle_key(row.key), action, time_ms)


def settle_voucher_command(
    account: Account, row: Outgoing, time_ms: int, worth: Worth | None, refusal: Failed | None = None, returns: str = ""
) -> Command:
    """Make step 3 of a voucher; each of its three ways has a key of its own, for a stored refusal must not end it."""
    action = SettleVoucher(row.key, worth, refusal, returns)
    way = "taken" if worth is not None else "returns" if returns else "over"
    key = voucher_key(way, account.account_id, row.key, row.sent_ms)
    return _own_command(account.account_id, key, action, time_ms)


def due_sessions(account: Account, now_ms: int) -> tuple[Session, ...]:
    """Give the sessions whose validity has passed; the owner gives an `expire_command` for each."""
    return tuple(session for session in account.open.sessions if 0 < session.valid_until_ms <= now_ms)


def expire_command(account: Account, session: Session, now_ms: int) -> Command:
    """Make the owner's command that ends a session; its key names session and validity, so repeats are equal."""
    action = ExpireSession(session.session_id, session.valid_until_ms)
    return _own_command(account.account_id, expire_key(session.session_id, session.valid_until_ms), action, now_ms)


def replay_command(account: Account, month: int, now_ms: int) -> Command:
    """Make the owner's command that takes in what is staged; its key names the newest row, so repeats are equal."""
    newest = account.open.staged[-1].key if account.open.staged else ""
    key = replay_key(newest, str(account.version))
    return _own_command(account.account_id, key, ReplayStaged(month), now_ms)


def _own_command(
    account_id: str,
    key: str,
    action: AddressTransfer
    | ReceiveBill
    | ReceiveTransfer
    | SettleTransfer
    | SettleVoucher
    | ExpireSession
    | ReplayStaged,
    time_ms: int,
) -> Command:
    """Make a command that an owner gives by itself; its digest is over all that it says."""
    return Command(account_id, key, digest_of(key, action), OWNER, OWNER, time_ms, action)

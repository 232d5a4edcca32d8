"""First half of a transfer to another account: take the money, and remember it as outgoing until it has arrived.

A transfer is a saga of four journaled steps, exactly once and never half.

1. The sender's owner takes the money and remembers the transfer as outgoing (`SendTransfer`, the caller's key).
2. It asks which account the other identity belongs to, and writes that down (`AddressTransfer`). From here on the money
   goes to this account and to no other: whoever the number belongs to later has not had it, and can't know whether it
   arrived.
3. It commits `ReceiveTransfer` there, in whatever domain, under a key derived from the first. Repeats meet the stored
   outcome, so however often step 3 is tried, the money arrives once. It says when step 1 was: of one that is late the
   receiver's owner looks for an earlier arrival in the journal, for the key may be forgotten.
4. It commits `SettleTransfer` at home: forget it, or give it back when step 3 was refused for good.

Until step 4 the transfer stays in `Open.outgoing`, through any crash or takeover: the owner drives what it finds
there. Money under way belongs to neither account's balance; `charging.ledger.history` shows it as in transit.
"""

from charging.base.account import MAIN_BOOK, MONEY, Account
from charging.errors import Refused
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.books import MOVED, require_giver
from charging.ledger.effect import Effect
from charging.ledger.sending import TransferSent, check_room_for
from charging.ledger.standing import require_active


class SendTransfer(BaseAction, frozen=True, tag="send"):
    """First half of a transfer to another account: take, and remember as outgoing until it has arrived."""

    from_book_id: str
    to_identity: str
    to_book_id: str
    amount: int
    """In the currency of the sender's account."""
    reason: str

    traits = Traits(
        sender=PLATFORM,
        permissions=("transfer",),
        predictable=False,
        proposable=True,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Give what leaves."""
        return self.amount

    def grounds(self) -> str:
        """Give the reason."""
        return self.reason

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Take money for another account; never on credit, never what sessions keep.

        Refused TRANSFER_TO_ITSELF, TRANSFERS_PENDING, BOOK_UNKNOWN, BOOK_EXPIRED, BOOK_BOUND, INSUFFICIENT_FUNDS,
        ACCOUNT_SUSPENDED.
        """
        require_active(account)
        MOVED.read(self.amount, "amount")
        if self.to_identity in account.members:
            raise Refused("TRANSFER_TO_ITSELF", "both ends of the transfer are one account")
        check_room_for(account, command.key)
        book = require_giver(account, self.from_book_id or MAIN_BOOK, self.amount, command.time_ms)
        if book.unit != MONEY or book.allowance:
            raise Refused("BOOK_BOUND", f"what is in book {book.book_id!r} can't leave the account")
        event = TransferSent(
            command.key,
            book.book_id,
            self.to_identity,
            self.to_book_id or MAIN_BOOK,
            self.amount,
            self.reason,
            now_ms,
            account.terms.currency,
        )
        return Effect((event,), self.amount)

"""Take a payment: it settles bills, the oldest or the named one, and what is left goes to the balance."""

from typing import Annotated

from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, Account
from charging.base.asked import Asked, FilledIn
from charging.base.fields import Reason
from charging.base.fieldtypes import Amount, Name, Text
from charging.base.openbills import Share, allocate
from charging.base.receivables import RECEIVABLE, with_shares
from charging.base.staged import SETTLEMENT, StagedMoney
from charging.ledger import funds
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.books import check_room, require_book
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent, Leg, Settlement
from charging.ledger.events import Noticed
from charging.ledger.reversals import refuse_reversed
from charging.ledger.settling import check_kind, numbers, settled_by, settling, total
from charging.ledger.staging import STAGED, MoneyStaged
from charging.ledger.standing import require_here, require_open

_PAID = Amount("PAYMENT_NOT_POSITIVE")


class Paid(BaseEvent, frozen=True, tag="paid"):
    """Money came in from outside: it settled bills, and the rest is the account's."""

    kind: str
    amount: int
    """Micro-units."""
    shares: tuple[Share, ...]
    """What of it settled bills; the rest of the amount went to the main book."""
    at_ms: int
    """By the owner's clock."""
    reason: str

    rerates = False
    leads = True
    recounts = True

    @property
    def rest(self) -> int:
        """What went to the balance, micro-units."""
        return self.amount - total(self.shares)

    def apply(self, account: Account) -> Account:
        """Settle, and add the rest to the main book."""
        books = funds.shift(account.books, ((MAIN_BOOK, self.rest),), 1) if self.rest else account.books
        return with_shares(replace(account, books=books), self.shares, self.at_ms, -1, 0)

    def legs(self) -> tuple[Leg, ...]:
        """Post from the kind of payment to what is owed, and to the main book."""
        return (
            Leg(f"book:{MAIN_BOOK}", self.rest),
            Leg(self.kind, -self.amount),
            Leg(RECEIVABLE, self.amount - self.rest),
        )

    def settles(self) -> tuple[Settlement, ...]:
        """Tell what it settled, by the kind of payment."""
        return settled_by(self.shares, self.kind)

    def words(self) -> str:
        """Say the reason, or what was settled."""
        bills = numbers(self.shares)
        return self.reason or (f"{self.kind} for {bills}" if bills else self.kind)


class Pay(BaseAction, frozen=True, tag="pay"):
    """Take a payment for what is owed by bills: the oldest due first, or what is named and nothing else."""

    amount: Annotated[int, _PAID]
    bill: Annotated[str, Name(required=False)]
    """Only this one, and never more than it; empty = the oldest first, the rest to the balance."""
    service: Annotated[str, Name(required=False)]
    """Only items of this service."""
    item: Annotated[str, Name(required=False)]
    """Only this item."""
    kind: Annotated[str, Text(empty="payment")]
    reason: Reason
    stage: Annotated[int, FilledIn()] = 0
    """Period of the run in whose stage it waits, months since the year 0; 0 = it settles at once."""

    stages = True
    traits = Traits(
        sender=PLATFORM,
        permissions=("pay",),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Give what is paid."""
        return self.amount

    def checked(self, asked: Asked) -> "Pay":
        """Give it as it is. Raises `Invalid` PAYMENT_KIND_TAKEN."""
        check_kind(self.kind, "pay.kind")
        return self

    def staged(self, month: int) -> "Pay":
        """Let it wait as an instruction to settle."""
        return replace(self, stage=month)

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Take it in.

        Of a bill, service or item that is named it never pays more than is owed. A closed account takes what it owes.
        Refused PAYMENT_REVERSED, BILL_UNKNOWN, BILL_SETTLED, NOTHING_OWED, PAYMENT_EXCEEDS_BILL, ACCOUNT_CLOSED,
        BOOK_FULL.
        """
        require_here(account)
        refuse_reversed(account, command.key)
        _PAID.read(self.amount, "amount")
        check_kind(self.kind, "kind")
        if self.bill or self.service or self.item:
            shares = settling(account, self.amount, self.bill, self.service, self.item)
        else:
            shares = allocate(account.open.bills, self.amount)
        event = Paid(self.kind or "payment", self.amount, shares, now_ms, self.reason)
        if event.rest:
            require_open(account)
            check_room(require_book(account, MAIN_BOOK), event.rest)
        if not self.stage:
            return Effect((event,), self.amount)
        return Effect((MoneyStaged(_row(event, command.key, self.stage)), Noticed((STAGED,))), self.amount)


def _row(paid: Paid, key: str, month: int) -> StagedMoney:
    postings = ((MAIN_BOOK, paid.rest),) if paid.rest else ()
    return StagedMoney(key, SETTLEMENT, paid.kind, paid.amount, postings, paid.shares, paid.at_ms, month, paid.reason)

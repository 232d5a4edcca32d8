"""Credit a closed bill, in part or wholly: the bill stays as it is, a credit note stands beside it."""

from typing import Annotated

from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, Account
from charging.base.asked import FilledIn
from charging.base.fields import Reason
from charging.base.fieldtypes import NAME, Amount, Name
from charging.base.openbills import Share, find
from charging.bills.bill import CREDIT_NOTE
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.books import check_room, require_book
from charging.ledger.crediting import crediting, telling
from charging.ledger.effect import Effect
from charging.ledger.standing import require_here

_CREDITED = Amount("CREDIT_NOT_POSITIVE")


class CreditBill(BaseAction, frozen=True, tag="credit_bill"):
    """Credit a closed bill: what is open of it becomes less, what was paid goes to the balance."""

    bill: Annotated[str, NAME]
    amount: Annotated[int, _CREDITED]
    """Micro-units, tax included; with earlier credits never more than the bill."""
    item: Annotated[str, Name(required=False)]
    """Credited first; empty = the last items first."""
    reason: Reason
    number: Annotated[str, FilledIn()] = ""
    """Of the credit note: the owner's, while it decides."""

    traits = Traits(
        sender=PLATFORM,
        permissions=("credit_bill",),
        predictable=False,
        proposable=True,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Give what is credited."""
        return self.amount

    def grounds(self) -> str:
        """Give the reason."""
        return self.reason

    def series(self) -> str:
        """Number credit notes."""
        return CREDIT_NOTE

    def numbered(self, number: str) -> "CreditBill":
        """Give it with the number of its note."""
        return replace(self, number=number)

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Credit it. Refused BILL_UNKNOWN, CREDIT_EXCEEDS_BILL, BOOK_FULL."""
        require_here(account)
        _CREDITED.read(self.amount, "amount")
        bill = find(account.open.bills, self.bill)
        rows = [row for row in bill.items if row.item == self.item] if bill is not None and self.item else []
        first = [Share(self.bill, row.item, row.service, row.open) for row in rows]
        event = crediting(account, self.bill, self.amount, self.number, now_ms, self.reason, first)
        if event.rest:
            check_room(require_book(account, MAIN_BOOK), event.rest)
        return Effect((event, telling(self.number)), self.amount)

"""Take over a bill that another system made, and that is not paid: so an operator moves in with what it is owed."""

import re
from typing import Annotated

from charging.base.account import Account
from charging.base.asked import FilledIn
from charging.base.fields import Reason
from charging.base.fieldtypes import NAME, TEXT, Amount, Moment, Name, refusal
from charging.base.openbills import NEVER_LATE, LateRule, OpenBill, OpenItem
from charging.base.receivables import RECEIVABLE, bill_of, with_bills
from charging.errors import Refused
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent, Leg
from charging.ledger.standing import require_open

TAKEN_OVER = "taken_over"
"""Place of what was owed to another system."""
OF_A_SERIES = re.compile(r"[A-Z0-9_.]+-[0-9]+-[A-Z]-[0-9]{4}-[0-9]+")
"""Numbers of the house, of whatever slot and year: GD-0-B-2027-0000017. They are given, never taken over."""
_OWED = Amount("BILL_NOT_POSITIVE")
_DUE = Moment("a time after 1970")


class BillTakenOver(BaseEvent, frozen=True, tag="takenover"):
    """The account owes a bill that was made elsewhere."""

    bill: OpenBill
    reason: str

    rerates = False

    def apply(self, account: Account) -> Account:
        """Owe it; no book of the account has to do with it."""
        return with_bills(account, (*account.open.bills, self.bill))

    def legs(self) -> tuple[Leg, ...]:
        """Post what is owed against where it comes from."""
        return Leg(RECEIVABLE, -self.bill.open), Leg(TAKEN_OVER, self.bill.open)

    def words(self) -> str:
        """Say the reason, or the bill."""
        return self.reason or f"bill {self.bill.number} taken over"


class TakeOverBill(BaseAction, frozen=True, tag="take_over_bill"):
    """Owe a bill of another system."""

    bill: Annotated[str, NAME]
    period: Annotated[str, TEXT]
    item: Annotated[str, Name(required=False)]
    """Empty = "balance"."""
    service: Annotated[str, Name(required=False)]
    amount: Annotated[int, _OWED]
    due_ms: Annotated[int, _DUE]
    reason: Reason
    late: Annotated[LateRule, FilledIn()] = NEVER_LATE

    traits = Traits(
        sender=PLATFORM,
        permissions=("take_over_bill",),
        predictable=False,
        proposable=True,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Give what will be owed."""
        return self.amount

    def grounds(self) -> str:
        """Give the reason."""
        return self.reason

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Owe it. Refused BILL_EXISTS, ACCOUNT_CLOSED, BILLS_FULL; Invalid BILL_NUMBER_TAKEN, or if it is none."""
        require_open(account)
        if OF_A_SERIES.fullmatch(self.bill.upper()):
            raise refusal("BILL_NUMBER_TAKEN", "bill", "a number that no series of the house has or will have")
        _OWED.read(self.amount, "amount")
        if self.due_ms <= 0:
            raise refusal("VALIDITY_OVER", "due_ms", _DUE.wanted)
        if bill_of(account, self.bill) is not None:
            raise Refused("BILL_EXISTS", f"the account has a bill {self.bill!r} already", facts={"bill": self.bill})
        rows = (OpenItem(self.item or "balance", self.service, self.amount, self.amount),)
        bill = OpenBill(self.bill, self.period, self.due_ms, self.amount, rows, self.late)
        return Effect((BillTakenOver(bill, self.reason),), self.amount)

"""Take money in for a debt that was written off: a recovery."""

from typing import Annotated

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.asked import Asked
from charging.base.fields import Reason
from charging.base.fieldtypes import NAME, Amount, Text
from charging.base.money import show
from charging.base.openbills import OpenBill, pack_settled, settled_bills
from charging.base.receivables import bill_of, with_bills
from charging.errors import Refused
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent, Leg
from charging.ledger.reversals import refuse_reversed
from charging.ledger.settling import check_kind
from charging.ledger.standing import require_here

_CAME_IN = Amount("PAYMENT_NOT_POSITIVE")


class Recovered(BaseEvent, frozen=True, tag="recovered"):
    """Money came in for what had been given up of a bill."""

    number: str
    kind: str
    amount: int
    """Micro-units."""
    reason: str

    rerates = False

    def apply(self, account: Account) -> Account:
        """Count it less among what was given up."""

        def one(bill: OpenBill) -> OpenBill:
            if bill.number != self.number:
                return bill
            return replace(bill, written_off=bill.written_off - self.amount)

        settled = pack_settled([one(bill) for bill in settled_bills(account.open.settled)])
        return with_bills(account.with_open(settled=settled), [one(bill) for bill in account.open.bills])

    def legs(self) -> tuple[Leg, ...]:
        """Post from the kind of payment to what was given up."""
        return Leg("written_off", self.amount), Leg(self.kind, -self.amount)

    def words(self) -> str:
        """Say the reason, or the bill."""
        return self.reason or f"recovery of {self.number}"


class Recover(BaseAction, frozen=True, tag="recover"):
    """Take money in for a bill that was written off; the account's balance gets nothing of it."""

    bill: Annotated[str, NAME]
    amount: Annotated[int, _CAME_IN]
    kind: Annotated[str, Text(empty="payment")]
    reason: Reason

    traits = Traits(
        sender=PLATFORM,
        permissions=("recover",),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Give what came in."""
        return self.amount

    def checked(self, asked: Asked) -> "Recover":
        """Give it as it is. Raises `Invalid` PAYMENT_KIND_TAKEN."""
        check_kind(self.kind, "recover.kind")
        return self

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Take it in. Refused PAYMENT_REVERSED, BILL_UNKNOWN, RECOVERY_EXCEEDS_WRITE_OFF."""
        require_here(account)
        refuse_reversed(account, command.key)
        _CAME_IN.read(self.amount, "amount")
        check_kind(self.kind, "kind")
        bill = bill_of(account, self.bill)
        if bill is None:
            text = f"the account has no bill {self.bill!r}, or it was settled longer ago than is remembered"
            raise Refused("BILL_UNKNOWN", text, facts={"bill": self.bill})
        if self.amount > bill.written_off:
            text = f"{show(bill.written_off)} {account.terms.currency} of bill {self.bill!r} were written off"
            raise Refused("RECOVERY_EXCEEDS_WRITE_OFF", text, facts={"written_off": str(bill.written_off)})
        return Effect((Recovered(self.bill, self.kind or "payment", self.amount, self.reason),), self.amount)

"""Write a bad debt off (核销): the bill is given up, not paid. What comes in later is a recovery."""

from typing import Annotated

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.asked import Asked
from charging.base.fields import Reason
from charging.base.fieldtypes import NAME, Amount
from charging.base.openbills import Share
from charging.base.receivables import RECEIVABLE, with_bills, with_shares
from charging.errors import Invalid
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent, Leg, Settlement
from charging.ledger.settling import settled_by, settling, total
from charging.ledger.standing import require_here

WRITTEN_OFF = "written_off"
"""Place of debts that were given up."""
_GIVEN_UP = Amount("WRITE_OFF_NOT_POSITIVE")


class WrittenOff(BaseEvent, frozen=True, tag="writeoff"):
    """Debt of a bill was given up."""

    number: str
    shares: tuple[Share, ...]
    approver: str
    at_ms: int
    """By the owner's clock."""
    reason: str

    rerates = False
    leads = True
    recounts = True

    def apply(self, account: Account) -> Account:
        """Let the bill become smaller, and remember by how much."""
        amount = total(self.shares)
        bills = [
            replace(bill, written_off=bill.written_off + amount) if bill.number == self.number else bill
            for bill in account.open.bills
        ]
        return with_shares(with_bills(account, bills), self.shares, self.at_ms, -1, 0)

    def legs(self) -> tuple[Leg, ...]:
        """Post from what was given up to what is owed."""
        amount = total(self.shares)
        return Leg(RECEIVABLE, amount), Leg(WRITTEN_OFF, -amount)

    def settles(self) -> tuple[Settlement, ...]:
        """Tell by what the bill became smaller."""
        return settled_by(self.shares, WRITTEN_OFF)

    def words(self) -> str:
        """Say who approved it, and why it was given up."""
        return f"write-off of {self.number}, approved by {self.approver}: {self.reason}"


class WriteOff(BaseAction, frozen=True, tag="write_off"):
    """Give a debt up. Somebody else than its actor answers for it."""

    bill: Annotated[str, NAME]
    amount: Annotated[int, _GIVEN_UP]
    approver: Reason
    """Who approved it; never the actor."""
    reason: Reason

    traits = Traits(
        sender=PLATFORM,
        permissions=("write_off",),
        predictable=False,
        proposable=True,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Give what is given up."""
        return self.amount

    def grounds(self) -> str:
        """Give the reason."""
        return self.reason

    def checked(self, asked: Asked) -> "WriteOff":
        """Give it as it is. Raises `Invalid` WRITE_OFF_UNAPPROVED unless two persons answer for it."""
        _check_approved(asked.actor, self.approver, "write_off.approver")
        return self

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Give it up.

        Invalid WRITE_OFF_UNAPPROVED; Refused BILL_UNKNOWN, BILL_SETTLED, NOTHING_OWED, PAYMENT_EXCEEDS_BILL.
        """
        require_here(account)
        _check_approved(command.actor, self.approver, "approver")
        _GIVEN_UP.read(self.amount, "amount")
        shares = settling(account, self.amount, self.bill, "")
        return Effect((WrittenOff(self.bill, shares, self.approver, now_ms, self.reason),), self.amount)


def _check_approved(actor: str, approver: str, path: str) -> None:
    if not approver.strip() or not actor or approver.strip() == actor.strip():
        wanted = {path: "who approved it, somebody else than the actor, who must be named too"}
        text = f"a debt is given up by two persons: {path} must be {wanted[path]}"
        raise Invalid("WRITE_OFF_UNAPPROVED", text, fields=wanted)

"""End the dispute of a bill: what was right is credited, the rest is owed as before."""

from typing import Annotated

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.asked import FilledIn
from charging.base.bounds import AMOUNT_MAX
from charging.base.fields import Reason
from charging.base.fieldtypes import MICRO_UNITS, NAME, Whole
from charging.base.money import show
from charging.base.openbills import Share
from charging.base.receivables import with_shares
from charging.bills.bill import CREDIT_NOTE
from charging.errors import Refused
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.crediting import crediting, telling
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent
from charging.ledger.settling import numbers, require_bill
from charging.ledger.standing import require_here


class DisputeResolved(BaseEvent, frozen=True, tag="resolved"):
    """Nothing of a bill is held any more; what is credited of it are the other events of the same entry."""

    shares: tuple[Share, ...]
    """What was held."""
    at_ms: int
    """By the owner's clock."""
    reason: str

    rerates = False
    recounts = True
    leads = True

    def apply(self, account: Account) -> Account:
        """Hold it no more."""
        return with_shares(account, self.shares, self.at_ms, 0, -1)

    def words(self) -> str:
        """Say the reason, or the bill."""
        return self.reason or f"end of the dispute of {numbers(self.shares)}"


class ResolveDispute(BaseAction, frozen=True, tag="resolve_dispute"):
    """End the dispute of a bill, crediting what was right about it."""

    bill: Annotated[str, NAME]
    credit: Annotated[int, Whole(0, AMOUNT_MAX, unit=MICRO_UNITS)]
    """0 = nothing: all of it is owed again."""
    reason: Reason
    number: Annotated[str, FilledIn()] = ""
    """Of the credit note: the owner's, while it decides."""

    traits = Traits(
        sender=PLATFORM,
        permissions=("resolve_dispute",),
        predictable=False,
        proposable=True,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Give what is credited."""
        return self.credit

    def grounds(self) -> str:
        """Give the reason."""
        return self.reason

    def series(self) -> str:
        """Number the credit note, where something is credited."""
        return CREDIT_NOTE if self.credit else ""

    def numbered(self, number: str) -> "ResolveDispute":
        """Give it with the number of its note."""
        return replace(self, number=number)

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """End it. Refused BILL_UNKNOWN, BILL_SETTLED, NOT_DISPUTED, CREDIT_EXCEEDS_DISPUTE, CREDIT_EXCEEDS_BILL."""
        require_here(account)
        bill = require_bill(account, self.bill)
        held = tuple([Share(bill.number, row.item, row.service, row.disputed) for row in bill.items if row.disputed])
        if not held:
            raise Refused("NOT_DISPUTED", f"nothing of bill {bill.number!r} is disputed", facts={"bill": bill.number})
        if self.credit > bill.disputed:
            text = f"{show(bill.disputed)} {account.terms.currency} of bill {bill.number!r} are disputed"
            raise Refused("CREDIT_EXCEEDS_DISPUTE", text, facts={"disputed": str(bill.disputed)})
        event = DisputeResolved(held, now_ms, self.reason)
        if not self.credit:
            return Effect((event,))
        state = event.apply(account)
        credited = crediting(state, bill.number, self.credit, self.number, now_ms, self.reason, held)
        return Effect((event, credited, telling(self.number)), self.credit)

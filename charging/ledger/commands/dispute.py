"""Hold what a customer disputes of a bill: it bears no late fee and is not dunned until somebody decides."""

from typing import Annotated

from charging.base.account import Account
from charging.base.bounds import AMOUNT_MAX
from charging.base.fields import Reason
from charging.base.fieldtypes import MICRO_UNITS, NAME, Name, Whole
from charging.base.openbills import Share
from charging.base.receivables import with_shares
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent
from charging.ledger.settling import numbers, settling, total
from charging.ledger.standing import require_here


class Disputed(BaseEvent, frozen=True, tag="disputed"):
    """Parts of a bill are held."""

    shares: tuple[Share, ...]
    at_ms: int
    """By the owner's clock."""
    reason: str

    rerates = False
    leads = True
    recounts = True

    def apply(self, account: Account) -> Account:
        """Hold them."""
        return with_shares(account, self.shares, self.at_ms, 0, 1)

    def words(self) -> str:
        """Say the reason, or the bill."""
        return self.reason or f"dispute of {numbers(self.shares)}"


class Dispute(BaseAction, frozen=True, tag="dispute"):
    """Hold what is disputed of a bill; `resolve_dispute` ends it."""

    bill: Annotated[str, NAME]
    service: Annotated[str, Name(required=False)]
    """Only items of this service."""
    item: Annotated[str, Name(required=False)]
    """Only this item."""
    amount: Annotated[int, Whole(0, AMOUNT_MAX, unit=MICRO_UNITS)]
    """0 = all that is owed of it."""
    reason: Reason

    traits = Traits(
        sender=PLATFORM,
        permissions=("dispute",),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Hold no limit against it: nothing moves."""
        return 0

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Hold it. Refused BILL_UNKNOWN, BILL_SETTLED, NOTHING_OWED (it is held already), PAYMENT_EXCEEDS_BILL."""
        require_here(account)
        shares = settling(account, self.amount, self.bill, self.service, self.item)
        return Effect((Disputed(shares, now_ms, self.reason),), total(shares))

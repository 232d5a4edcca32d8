"""Say which account pays the bills of this one, from its next billing period on."""

from typing import Annotated

from charging.base.account import Account
from charging.base.account_id import slot_of
from charging.base.fields import Reason
from charging.base.fieldtypes import Name, refusal
from charging.base.localtime import month_at
from charging.errors import Refused
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent
from charging.ledger.passing import payer_of, with_payer
from charging.ledger.standing import require_open


class PayerSet(BaseEvent, frozen=True, tag="payer"):
    """Another account pays the bills from a period on, or none does."""

    month: int
    """Months since the year 0."""
    payer: str
    reason: str

    rerates = False

    def apply(self, account: Account) -> Account:
        """Note it beside what holds until then: for each period that is not closed yet, whoever paid in it."""
        return with_payer(account, self.month, self.payer)

    def words(self) -> str:
        """Say the reason, or who pays."""
        return self.reason or f"bills are paid by {self.payer or 'the account itself'}"


class SetPayer(BaseAction, frozen=True, tag="set_payer"):
    """Let another account pay the bills, from the next billing period on; that one agrees by `set_payee`."""

    payer_account_id: Annotated[str, Name(required=False)]
    """Empty = the account itself."""
    reason: Reason

    traits = Traits(
        sender=PLATFORM,
        permissions=("set_payer",),
        predictable=False,
        proposable=True,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Hold no limit against it."""
        return 0

    def grounds(self) -> str:
        """Give the reason."""
        return self.reason

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Note it for the period after the running one. Refused PAYER_IS_ITSELF, PAYS_FOR_OTHERS, PAYER_UNCHANGED."""
        require_open(account)
        if self.payer_account_id and not slot_of(self.payer_account_id):
            raise refusal(
                "ACCOUNT_ID_MALFORMED", "set_payer.payer_account_id", "an account id as GD/3:1001, or nothing"
            )
        if self.payer_account_id == account.account_id:
            raise Refused("PAYER_IS_ITSELF", "an account pays its own bills unless another one does")
        if self.payer_account_id and account.open.payees:
            raise Refused(
                "PAYS_FOR_OTHERS", "the account pays for others, so nobody pays for it: bills would go in circles"
            )
        month = month_at(account.terms.zone, account.terms.cycle_day, now_ms) + 1
        if payer_of(account, month) == self.payer_account_id:
            raise Refused(
                "PAYER_UNCHANGED", f"bills are paid by {self.payer_account_id or 'the account itself'} already"
            )
        return Effect((PayerSet(month, self.payer_account_id, self.reason),))

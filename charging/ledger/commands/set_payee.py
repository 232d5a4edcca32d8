"""Agree to pay the bills of another account, or no more."""

from typing import Annotated

from charging.base.account import Account
from charging.base.account_id import slot_of
from charging.base.bounds import PAYEES_MAX
from charging.base.fields import Reason
from charging.base.fieldtypes import NAME, Choice, refusal
from charging.errors import Refused
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent
from charging.ledger.passing import is_paid_for
from charging.ledger.standing import require_open


class PayeeSet(BaseEvent, frozen=True, tag="payee"):
    """The account takes bills of another one over, or no more."""

    payee: str
    pays: bool
    reason: str

    rerates = False

    def apply(self, account: Account) -> Account:
        """Keep it in the list, or take it off."""
        others = tuple(each for each in account.open.payees if each != self.payee)
        return account.with_open(payees=(*others, self.payee) if self.pays else others)

    def words(self) -> str:
        """Say the reason, or for whom it pays."""
        return self.reason or f"{'pays' if self.pays else 'no longer pays'} the bills of {self.payee}"


class SetPayee(BaseAction, frozen=True, tag="set_payee"):
    """Take over the bills of an account whose payer this one is, or no more: what comes then goes back."""

    payee_account_id: Annotated[str, NAME]
    pays: Annotated[str, Choice("PAYS_UNKNOWN", ("yes", "no"), empty="yes")]
    reason: Reason

    traits = Traits(
        sender=PLATFORM,
        permissions=("set_payee",),
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
        """Agree, or end it. Refused PAYER_IS_ITSELF, PAYER_UNCHANGED, HAS_A_PAYER, PAYEES_FULL."""
        require_open(account)
        if not slot_of(self.payee_account_id):
            raise refusal("ACCOUNT_ID_MALFORMED", "set_payee.payee_account_id", "an account id as GD/3:1001")
        pays, known = self.pays == "yes", self.payee_account_id in account.open.payees
        if self.payee_account_id == account.account_id:
            raise Refused("PAYER_IS_ITSELF", "an account pays its own bills unless another one does")
        if pays == known:
            raise Refused("PAYER_UNCHANGED", f"the account {'pays' if known else 'does not pay'} for that one as it is")
        if pays and is_paid_for(account):
            raise Refused("HAS_A_PAYER", "another account pays a bill of this one that is not made yet")
        if pays and len(account.open.payees) >= PAYEES_MAX:
            raise Refused("PAYEES_FULL", f"an account pays for {PAYEES_MAX} others at most")
        return Effect((PayeeSet(self.payee_account_id, pays, self.reason),))

"""Switch between prepaid and postpaid without stopping service."""

from charging.base.account import Account
from charging.base.fields import PAYMENT_MODE, PaymentMode
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent, TermChange
from charging.ledger.standing import require_open


class ModeSet(BaseEvent, frozen=True, tag="mode"):
    """Prepaid or postpaid from here on."""

    payment_mode: str
    before: str

    rerates = True

    def apply(self, account: Account) -> Account:
        """Set the mode."""
        return account.with_terms(payment_mode=self.payment_mode)

    def changes(self) -> tuple[TermChange, ...]:
        """Give the mode."""
        return (("payment_mode", self.before, self.payment_mode),)

    def words(self) -> str:
        """Name the mode."""
        return self.payment_mode


class SetPaymentMode(BaseAction, frozen=True, tag="mode"):
    """Switch between prepaid and postpaid without stopping service."""

    payment_mode: PaymentMode

    traits = Traits(
        sender=PLATFORM,
        permissions=("set_payment_mode",),
        predictable=True,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Hold no limit against it."""
        return 0

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Switch between prepaid and postpaid: balances, credit and sessions stay as they are."""
        require_open(account)
        PAYMENT_MODE.read(self.payment_mode, "payment_mode")
        return Effect((ModeSet(self.payment_mode, account.terms.payment_mode),))

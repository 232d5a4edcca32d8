"""Let an account use vouchers again after too many wrong codes."""

from charging.base.account import Account
from charging.base.fields import Reason
from charging.errors import Refused
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent
from charging.ledger.standing import require_open


class VoucherBlockLifted(BaseEvent, frozen=True, tag="unbarred"):
    """Vouchers are taken again, and no wrong code counts any more."""

    reason: str

    rerates = False

    def apply(self, account: Account) -> Account:
        """Forget the wrong codes."""
        return account.with_open(missed=(), barred_ms=0)

    def words(self) -> str:
        """Say why."""
        return self.reason or "vouchers are taken again"


class LiftVoucherBlock(BaseAction, frozen=True, tag="lift_voucher_block"):
    """Let the account use vouchers again."""

    reason: Reason

    traits = Traits(
        sender=PLATFORM,
        permissions=("lift_voucher_block",),
        predictable=True,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Hold no limit against it."""
        return 0

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Forget the wrong codes. Refused VOUCHERS_NOT_BLOCKED when none count."""
        require_open(account)
        if not account.open.missed and not account.open.barred_ms:
            raise Refused("VOUCHERS_NOT_BLOCKED", "no wrong code of a voucher counts for the account")
        return Effect((VoucherBlockLifted(self.reason),))

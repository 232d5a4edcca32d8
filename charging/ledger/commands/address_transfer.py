"""Step between the halves of a transfer, at its sender: write down which account it goes to, before it is offered."""

from msgspec.structs import replace

from charging.base.account import Account
from charging.errors import NotFound
from charging.ledger.action import OWNER, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent
from charging.ledger.standing import require_here
from charging.ledger.within import check_id


class TransferAddressed(BaseEvent, frozen=True, tag="addressed"):
    """From here on a transfer goes to this account, whoever its number belongs to afterwards."""

    key: str
    to_account: str

    rerates = False

    def apply(self, account: Account) -> Account:
        """Note it with what is under way."""
        outgoing = tuple(
            replace(row, to_account=self.to_account) if row.key == self.key else row for row in account.open.outgoing
        )
        return account.with_open(outgoing=outgoing)

    def words(self) -> str:
        """Say so, without the other's id: that often has a number in it which the sender need not know."""
        return "on its way to the other account"


class AddressTransfer(BaseAction, frozen=True, tag="address"):
    """Say to which account a transfer goes, once."""

    transfer_key: str
    """Request key of its first half."""
    to_account: str
    """Id of the account that its number belongs to."""

    traits = Traits(
        sender=OWNER,
        permissions=(),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Hold no limit against it."""
        return 0

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Note it. NotFound TRANSFER_UNKNOWN when the transfer is not under way, or has its account."""
        require_here(account)
        check_id(self.to_account, "to_account")
        if not any(row.key == self.transfer_key and not row.to_account for row in account.open.outgoing):
            raise NotFound("TRANSFER_UNKNOWN", f"no transfer {self.transfer_key!r} waits for an account to go to")
        return Effect((TransferAddressed(self.transfer_key, self.to_account),))

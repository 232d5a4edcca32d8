"""Replace the attributes and agreements of an account and its customer."""

from charging.base.account import Account
from charging.base.fields import Agreements, AttributeMap
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent
from charging.ledger.standing import require_open


class ProfileSet(BaseEvent, frozen=True, tag="profile"):
    """What discount rules read on the levels A and C was replaced."""

    attributes: dict[str, str]
    customer_attributes: dict[str, str]
    agreements: tuple[str, ...]

    rerates = True

    def apply(self, account: Account) -> Account:
        """Replace all three."""
        return account.with_terms(
            attributes=self.attributes,
            customer_attributes=self.customer_attributes,
            agreements=self.agreements,
        )

    def words(self) -> str:
        """Say what was set."""
        return "profile set"


class SetProfile(BaseAction, frozen=True, tag="profile"):
    """Replace the attributes and agreements that discount rules read on the levels A and C."""

    account_attributes: AttributeMap
    customer_attributes: AttributeMap
    agreements: Agreements

    traits = Traits(
        sender=PLATFORM,
        permissions=("set_account_profile",),
        predictable=True,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Hold no limit against it."""
        return 0

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Replace attributes and agreements."""
        require_open(account)
        return Effect((ProfileSet(self.account_attributes, self.customer_attributes, self.agreements),))

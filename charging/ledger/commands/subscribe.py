"""Add an offering to a member's contract."""

from typing import Annotated

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.account_id import require_subscriber
from charging.base.asked import Asked, FilledIn
from charging.base.contract import Contract, Subscription
from charging.base.fields import QUANTITY, AttributeMap, Expected, When
from charging.base.fieldtypes import NAME, Moment, check_validity
from charging.ledger import revising
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.dues import NOTHING_DUE, Dues
from charging.ledger.effect import Effect
from charging.ledger.revising import CHANGE_PAST, Late


class Subscribe(BaseAction, frozen=True, tag="subscribe"):
    """Add an offering. The platform fills in the moment, the end that the catalogue gives, and `before`."""

    offering: Annotated[str, NAME]
    when: When
    valid_from_ms: Annotated[int, Moment()]
    """0 = as `when` says; never at the owner."""
    valid_to_ms: Annotated[int, Moment()]
    subscription_attributes: AttributeMap
    expected_version: Expected
    quantity: Annotated[int, QUANTITY]
    """How many of it are subscribed to."""
    before: Annotated[Contract | None, FilledIn()] = None
    dues: Annotated[Dues, FilledIn()] = NOTHING_DUE
    begins_later: Annotated[bool, FilledIn()] = False
    """Its first fees are not among the dues: they are posted when it begins."""
    late: Annotated[Late | None, FilledIn()] = None
    """It holds from the past, and its sender may ask for that."""

    traits = Traits(
        sender=PLATFORM,
        permissions=("subscribe", CHANGE_PAST),
        predictable=False,
        proposable=False,
        of_subscribers=True,
        ports=False,
    )

    def checked(self, asked: Asked) -> "Subscribe":
        """Raise `Invalid` SUBSCRIBER_MISSING, FIELD_WITHOUT_EFFECT, VALIDITY_OVER."""
        require_subscriber(asked.identity, "identity")
        revising.check_moment(self.when, self.valid_from_ms, "subscribe.valid_from_ms")
        if self.valid_from_ms:
            check_validity(self.valid_from_ms, self.valid_to_ms, "subscribe")
        return self

    def permission(self) -> str:
        """Give a change from the past a name of its own."""
        return revising.granted_by("subscribe", self.late)

    def at_stake(self) -> int:
        """Give the fees that it brings."""
        return self.dues.at_stake()

    def identities_written(self, account: Account | None) -> tuple[str, ...]:
        """Give the member."""
        return revising.member_of(self.before)

    def added(self) -> Subscription:
        """Give what the contract has more afterwards."""
        added = Subscription(self.offering, self.valid_from_ms, self.valid_to_ms, self.subscription_attributes)
        return replace(added, quantity=self.quantity, first_fees="activation" if self.begins_later else "")

    def of(self, before: Contract, now_ms: int) -> Contract:
        """Give the contract afterwards. Raises what `charging.ledger.revising.started` raises."""
        as_of_ms = revising.as_of(self.late, self.valid_from_ms, now_ms)
        return revising.started(before, self.added(), as_of_ms, "subscribe")

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Add it; refused as `started` and `revised` of `charging.ledger.revising` refuse."""
        before = revising.required(account, self.before)
        late_ms = revising.required_late(account, before, self.late, (self.offering,), self.valid_from_ms, now_ms)
        after = self.of(before, now_ms)
        return revising.revised(account, after, revising.told(before, after, now_ms), self.dues, now_ms, late_ms)

"""Change a member's contract from one offering to another."""

from typing import Annotated

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.account_id import require_subscriber
from charging.base.asked import Asked, FilledIn
from charging.base.contract import Contract, Subscription
from charging.base.fields import QUANTITY, AttributeMap, Expected, When
from charging.base.fieldtypes import NAME, Moment, refusal
from charging.ledger import revising
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.dues import NOTHING_DUE, Dues
from charging.ledger.effect import Effect
from charging.ledger.revising import CHANGE_PAST, Late


class ChangePlan(BaseAction, frozen=True, tag="change_plan"):
    """End one offering and begin another at one moment. The platform fills in the moment, the end and `before`."""

    from_offering: Annotated[str, NAME]
    to_offering: Annotated[str, NAME]
    when: When
    at_ms: Annotated[int, Moment()]
    """0 = as `when` says; never at the owner."""
    subscription_attributes: AttributeMap
    expected_version: Expected
    quantity: Annotated[int, QUANTITY]
    """How many of it are subscribed to."""
    ends_ms: Annotated[int, FilledIn()] = 0
    """When the new one ends by itself, as the catalogue says; 0 = open end."""
    before: Annotated[Contract | None, FilledIn()] = None
    dues: Annotated[Dues, FilledIn()] = NOTHING_DUE
    begins_later: Annotated[bool, FilledIn()] = False
    """Its first fees are not among the dues: they are posted when it begins."""
    late: Annotated[Late | None, FilledIn()] = None
    """It holds from the past, and its sender may ask for that."""

    traits = Traits(
        sender=PLATFORM,
        permissions=("change_plan", CHANGE_PAST),
        predictable=False,
        proposable=False,
        of_subscribers=True,
        ports=False,
    )

    def checked(self, asked: Asked) -> "ChangePlan":
        """Raise `Invalid` SUBSCRIBER_MISSING, FIELD_WITHOUT_EFFECT, PLAN_UNCHANGED."""
        require_subscriber(asked.identity, "identity")
        revising.check_moment(self.when, self.at_ms, "change_plan.at_ms")
        if self.from_offering == self.to_offering:
            raise refusal("PLAN_UNCHANGED", "change_plan.to_offering", "another one than from_offering")
        return self

    def permission(self) -> str:
        """Give a change from the past a name of its own."""
        return revising.granted_by("change_plan", self.late)

    def at_stake(self) -> int:
        """Give the fees that it brings."""
        return self.dues.at_stake()

    def identities_written(self, account: Account | None) -> tuple[str, ...]:
        """Give the member."""
        return revising.member_of(self.before)

    def of(self, before: Contract, now_ms: int) -> Contract:
        """Give the contract afterwards. Raises what `ended` and `started` of `charging.ledger.revising` raise."""
        as_of_ms = revising.as_of(self.late, self.at_ms, now_ms)
        without = revising.ended(before, self.from_offering, self.at_ms, as_of_ms)
        begun = Subscription(self.to_offering, self.at_ms, self.ends_ms, self.subscription_attributes)
        begun = replace(begun, quantity=self.quantity, first_fees="change" if self.begins_later else "")
        return revising.started(without, begun, as_of_ms, "change_plan")

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Do both; refused as `ended`, `started` and `revised` of `charging.ledger.revising` refuse."""
        before = revising.required(account, self.before)
        late_ms = revising.required_late(
            account, before, self.late, (self.from_offering, self.to_offering), self.at_ms, now_ms
        )
        after = self.of(before, now_ms)
        return revising.revised(account, after, revising.told(before, after, now_ms), self.dues, now_ms, late_ms)

"""End an offering in a member's contract."""

from typing import Annotated

from charging.base.account import Account
from charging.base.account_id import require_subscriber
from charging.base.asked import Asked, FilledIn
from charging.base.contract import Contract
from charging.base.fields import Expected, When
from charging.base.fieldtypes import NAME, Moment
from charging.ledger import revising
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.dues import NOTHING_DUE, Dues
from charging.ledger.effect import Effect
from charging.ledger.revising import CHANGE_PAST, Late


class Unsubscribe(BaseAction, frozen=True, tag="unsubscribe"):
    """End an offering. The platform fills in the moment and `before`."""

    offering: Annotated[str, NAME]
    when: When
    at_ms: Annotated[int, Moment()]
    """0 = as `when` says; never at the owner."""
    expected_version: Expected
    before: Annotated[Contract | None, FilledIn()] = None
    dues: Annotated[Dues, FilledIn()] = NOTHING_DUE
    late: Annotated[Late | None, FilledIn()] = None
    """It holds from the past, and its sender may ask for that."""

    traits = Traits(
        sender=PLATFORM,
        permissions=("unsubscribe", CHANGE_PAST),
        predictable=False,
        proposable=False,
        of_subscribers=True,
        ports=False,
    )

    def checked(self, asked: Asked) -> "Unsubscribe":
        """Raise `Invalid` SUBSCRIBER_MISSING, FIELD_WITHOUT_EFFECT."""
        require_subscriber(asked.identity, "identity")
        revising.check_moment(self.when, self.at_ms, "unsubscribe.at_ms")
        return self

    def permission(self) -> str:
        """Give a change from the past a name of its own."""
        return revising.granted_by("unsubscribe", self.late)

    def at_stake(self) -> int:
        """Give the fees that it brings."""
        return self.dues.at_stake()

    def identities_written(self, account: Account | None) -> tuple[str, ...]:
        """Give the member."""
        return revising.member_of(self.before)

    def of(self, before: Contract, now_ms: int) -> Contract:
        """Give the contract afterwards. Raises what `charging.ledger.revising.ended` raises."""
        as_of_ms = revising.as_of(self.late, self.at_ms, now_ms)
        return revising.ended(before, self.offering, self.at_ms, as_of_ms)

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """End it; refused as `ended` and `revised` of `charging.ledger.revising` refuse."""
        before = revising.required(account, self.before)
        late_ms = revising.required_late(account, before, self.late, (self.offering,), self.at_ms, now_ms)
        after = self.of(before, now_ms)
        return revising.revised(account, after, revising.told(before, after, now_ms), self.dues, now_ms, late_ms)

"""Pause a member's contract, or one offering of it."""

from typing import Annotated

from charging.base.account import Account
from charging.base.account_id import require_subscriber
from charging.base.asked import Asked, FilledIn
from charging.base.contract import Contract
from charging.base.fields import Expected, Reason, When
from charging.base.fieldtypes import Moment, Name, check_validity
from charging.ledger import revising
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.dues import NOTHING_DUE, Dues
from charging.ledger.effect import Effect
from charging.ledger.revising import CHANGE_PAST, Late


class Pause(BaseAction, frozen=True, tag="pause"):
    """Serve no more for a while. The platform fills in the moment, `before` and the fees."""

    offering: Annotated[str, Name(required=False)]
    when: When
    from_ms: Annotated[int, Moment()]
    """0 = as `when` says; never at the owner."""
    to_ms: Annotated[int, Moment()]
    """0 = until it is resumed."""
    reason: Reason
    expected_version: Expected
    before: Annotated[Contract | None, FilledIn()] = None
    dues: Annotated[Dues, FilledIn()] = NOTHING_DUE
    late: Annotated[Late | None, FilledIn()] = None
    """It holds from the past, and its sender may ask for that."""

    traits = Traits(
        sender=PLATFORM,
        permissions=("pause", CHANGE_PAST),
        predictable=False,
        proposable=False,
        of_subscribers=True,
        ports=False,
    )

    def checked(self, asked: Asked) -> "Pause":
        """Raise `Invalid` SUBSCRIBER_MISSING, FIELD_WITHOUT_EFFECT, VALIDITY_OVER."""
        require_subscriber(asked.identity, "identity")
        revising.check_moment(self.when, self.from_ms, "pause.from_ms")
        if self.from_ms:
            check_validity(self.from_ms, self.to_ms, "pause", "from_ms", "to_ms")
        return self

    def permission(self) -> str:
        """Give a change from the past a name of its own."""
        return revising.granted_by("pause", self.late)

    def at_stake(self) -> int:
        """Give the fees that it brings."""
        return self.dues.at_stake()

    def identities_written(self, account: Account | None) -> tuple[str, ...]:
        """Give the member."""
        return revising.member_of(self.before)

    def of(self, before: Contract, now_ms: int) -> Contract:
        """Give the contract afterwards. Raises what `charging.ledger.revising.paused` raises."""
        as_of_ms = revising.as_of(self.late, self.from_ms, now_ms)
        return revising.paused(before, self.offering, self.from_ms, self.to_ms, as_of_ms)

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Pause it; refused as `paused` and `revised` of `charging.ledger.revising` refuse."""
        before = revising.required(account, self.before)
        about = (self.offering,) if self.offering else ()
        late_ms = revising.required_late(account, before, self.late, about, self.from_ms, now_ms)
        after = self.of(before, now_ms)
        words = f"{revising.told(before, after, now_ms)}; paused: {self.reason}".removesuffix(": ")
        return revising.revised(account, after, words, self.dues, now_ms, late_ms)

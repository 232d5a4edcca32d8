"""Resume a member's contract, or one offering of it."""

from typing import Annotated

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.account_id import require_subscriber
from charging.base.asked import Asked, FilledIn
from charging.base.contract import Contract
from charging.base.fields import Expected, Reason, When
from charging.base.fieldtypes import Moment, Name
from charging.ledger import revising
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.dues import NOTHING_DUE, Dues
from charging.ledger.effect import Effect
from charging.ledger.revising import CHANGE_PAST, Late


class Resume(BaseAction, frozen=True, tag="resume"):
    """Serve again what is paused. The platform fills in the moment, `before` and the fees."""

    offering: Annotated[str, Name(required=False)]
    when: When
    at_ms: Annotated[int, Moment()]
    """0 = as `when` says; never at the owner."""
    reason: Reason
    expected_version: Expected
    before: Annotated[Contract | None, FilledIn()] = None
    dues: Annotated[Dues, FilledIn()] = NOTHING_DUE
    late: Annotated[Late | None, FilledIn()] = None
    """It holds from the past, and its sender may ask for that."""

    traits = Traits(
        sender=PLATFORM,
        permissions=("resume", CHANGE_PAST),
        predictable=False,
        proposable=False,
        of_subscribers=True,
        ports=False,
    )

    def checked(self, asked: Asked) -> "Resume":
        """Raise `Invalid` SUBSCRIBER_MISSING, FIELD_WITHOUT_EFFECT."""
        require_subscriber(asked.identity, "identity")
        revising.check_moment(self.when, self.at_ms, "resume.at_ms")
        return self

    def permission(self) -> str:
        """Give a change from the past a name of its own."""
        return revising.granted_by("resume", self.late)

    def at_stake(self) -> int:
        """Give the fees that it brings."""
        return self.dues.at_stake()

    def identities_written(self, account: Account | None) -> tuple[str, ...]:
        """Give the member."""
        return revising.member_of(self.before)

    def of(self, before: Contract, now_ms: int) -> Contract:
        """Give the contract afterwards. Raises what `charging.ledger.revising.resumed` raises."""
        as_of_ms = revising.as_of(self.late, self.at_ms, now_ms)
        return revising.resumed(before, self.offering, self.at_ms, as_of_ms)

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Resume it; refused as `resumed` and `revised` of `charging.ledger.revising` refuse."""
        before = revising.required(account, self.before)
        about = (self.offering,) if self.offering else ()
        late_ms = revising.required_late(
            account, _unpaused(before, self.offering), self.late, about, self.at_ms, now_ms
        )
        after = self.of(before, now_ms)
        words = f"{revising.told(before, after, now_ms)}; resumed: {self.reason}".removesuffix(": ")
        return revising.revised(account, after, words, self.dues, now_ms, late_ms)


def _unpaused(before: Contract, offering: str) -> Contract:
    """Give the contract without the pause that a resumption is about: it is no change that came after."""
    return before if offering else replace(before, paused_from_ms=0, paused_to_ms=0)

"""Let a member join the account: with a contract of its own, at once, from the next cycle or from a date on."""

from typing import Annotated

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.account_id import require_subscriber
from charging.base.asked import Asked, FilledIn
from charging.base.contract import Contract
from charging.base.fields import QUANTITY, AttributeMap, Expected, Reason, When
from charging.base.fieldtypes import Identity, Moment, Name
from charging.base.identity import normalise
from charging.ledger import revising
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.admitting import admitted
from charging.ledger.dues import NOTHING_DUE, Dues
from charging.ledger.effect import Effect
from charging.ledger.standing import require_open


class Join(BaseAction, frozen=True, tag="join"):
    """Begin the contract of one member more. The platform completes the moment, the end and the fees."""

    member: Annotated[str, Identity()]
    offering: Annotated[str, Name(required=False)]
    when: When
    from_ms: Annotated[int, Moment()]
    """0 = as `when` says; never at the owner."""
    subscription_attributes: AttributeMap
    reason: Reason
    expected_version: Expected
    """Of the contract that the identity had last, with whatever account."""
    quantity: Annotated[int, QUANTITY] = 1
    begins_later: Annotated[bool, FilledIn()] = False
    ends_ms: Annotated[int, FilledIn()] = 0
    """Of an offering that lasts for a time only."""
    dues: Annotated[Dues, FilledIn()] = NOTHING_DUE

    traits = Traits(
        sender=PLATFORM,
        permissions=("join",),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def checked(self, asked: Asked) -> "Join":
        """Give it with the identity normalised.

        Raises `Invalid` IDENTITY_MALFORMED, SUBSCRIBER_MISSING, FIELD_WITHOUT_EFFECT.
        """
        revising.check_moment(self.when, self.from_ms, "join.from_ms")
        member = normalise(self.member, asked.country)
        require_subscriber(member, "join.member")
        return replace(self, member=member)

    def at_stake(self) -> int:
        """Give the fees that it brings."""
        return self.dues.at_stake()

    def identities_written(self, account: Account | None) -> tuple[str, ...]:
        """Give the member."""
        return (self.member,)

    def begun(self, account: Account, now_ms: int) -> Contract:
        """Give the contract that it begins. Raises what `charging.ledger.admitting.admitted` raises."""
        return admitted(account, self, now_ms, "join")

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Take the member in. Refused as `begun` and `charging.ledger.revising.revised` refuse."""
        require_open(account)
        after = self.begun(account, now_ms)
        nothing = Contract(self.member, account.account_id, account.terms.domain, status="ended")
        words = f"{revising.told(nothing, after, now_ms)}; joined: {self.reason}".removesuffix(": ")
        return revising.revised(account, after, words, self.dues, now_ms)

"""Let a member leave its account: its contract ends, and its identity is free."""

from typing import Annotated

from charging.base.account import Account
from charging.base.account_id import require_subscriber
from charging.base.asked import Asked, FilledIn
from charging.base.contract import Contract
from charging.base.fields import Expected, Reason
from charging.base.fieldtypes import TEXT
from charging.errors import Refused
from charging.ledger import revising
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.dues import NOTHING_DUE, Dues
from charging.ledger.effect import Effect


class Leave(BaseAction, frozen=True, tag="leave"):
    """End the contract of one member of several. The platform fills in `before`."""

    reason: Reason
    expected_version: Expected
    to_account_id: Annotated[str, TEXT]
    """Account that may have the identity at once; "" = no other."""
    before: Annotated[Contract | None, FilledIn()] = None
    dues: Annotated[Dues, FilledIn()] = NOTHING_DUE
    rests_until_ms: Annotated[int, FilledIn()] = 0
    """Until when nobody else may have the identity, UTC; 0 = it is free at once."""
    begun: Annotated[tuple[tuple[str, str, int], ...], FilledIn()] = ()
    """What it had taken in this period that may be taken so often only; as `Open.begun`."""

    traits = Traits(
        sender=PLATFORM,
        permissions=("leave",),
        predictable=False,
        proposable=False,
        of_subscribers=True,
        ports=False,
    )

    def checked(self, asked: Asked) -> "Leave":
        """Raise `Invalid` SUBSCRIBER_MISSING."""
        require_subscriber(asked.identity, "identity")
        return self

    def at_stake(self) -> int:
        """Give the fees that it brings."""
        return self.dues.at_stake()

    def identities_written(self, account: Account | None) -> tuple[str, ...]:
        """Give the member."""
        return revising.member_of(self.before)

    def of(self, before: Contract, now_ms: int) -> Contract:
        """Give the contract afterwards: over, with nothing in it."""
        return revising.over(before, now_ms, self.rests_until_ms, self.to_account_id)

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """End it. Refused MEMBER_LAST, SESSIONS_OPEN, and as `charging.ledger.revising.required` refuses."""
        before = revising.required(account, self.before)
        if len(account.members) == 1:
            raise Refused("MEMBER_LAST", "the account would have no member: close it instead")
        revising.require_no_session(account, before.identity)
        after = self.of(before, now_ms)
        words = f"{revising.told(before, after, now_ms)}; left: {self.reason}".removesuffix(": ")
        return revising.revised(account, after, words, self.dues, now_ms, begun=self.begun)

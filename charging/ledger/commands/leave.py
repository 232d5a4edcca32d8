"""Let a member leave its account: its contract ends, and its identity is free."""

from typing import Annotated

from charging.base.account import Account
from charging.base.account_id import require_subscriber
from charging.base.asked import Asked, FilledIn
from charging.base.contract import Contract
from charging.base.fields import Expected, Reason
from charging.errors import Refused
from charging.ledger import revising
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.dues import NOTHING_DUE, Dues
from charging.ledger.effect import Effect


class Leave(BaseAction, frozen=True, tag="leave"):
    """End the contract of one member of several. The platform fills in `before`."""

    reason: Reason
    expected_version: Expected
    before: Annotated[Contract | None, FilledIn()] = None
    dues: Annotated[Dues, FilledIn()] = NOTHING_DUE

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
        return Contract(before.identity, before.account_id, before.domain, before.valid_from_ms, now_ms, "ended")

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """End it. Refused MEMBER_LAST, SESSIONS_OPEN, and as `charging.ledger.revising.required` refuses."""
        before = revising.required(account, self.before)
        if len(account.members) == 1:
            raise Refused("MEMBER_LAST", "the account would have no member: close it instead")
        running = [session for session in account.open.sessions if session.identity == before.identity]
        if running:
            raise Refused("SESSIONS_OPEN", "release the open sessions first", facts={"open": str(len(running))})
        after = self.of(before, now_ms)
        words = f"{revising.told(before, after, now_ms)}; left: {self.reason}".removesuffix(": ")
        return revising.revised(account, after, words, self.dues, now_ms)

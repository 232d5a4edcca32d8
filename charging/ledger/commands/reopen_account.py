"""Open a closed account again, within the time that the catalogue gives: with one of its numbers, or with none yet."""

from typing import Annotated

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.account_id import require_subscriber
from charging.base.asked import Asked, FilledIn
from charging.base.contract import Contract
from charging.base.fields import QUANTITY, AttributeMap, Reason
from charging.base.fieldtypes import Identity, Name, refusal
from charging.base.identity import normalise
from charging.errors import Refused
from charging.ledger import dues, dunning
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.admitting import admitted
from charging.ledger.dues import NOTHING_DUE, Dues
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent
from charging.ledger.events import ContractSet, StatusSet
from charging.ledger.standing import DUNNING, require_here

NEVER = 1 << 62
"""`closed_since_ms` where the catalogue lets no account be reopened."""


class Reopen(BaseAction, frozen=True, tag="reopen"):
    """Undo a closing, except for what it ended: contracts begin anew. The platform fills in moment, bounds and fees."""

    member: Annotated[str, Identity(required=False)]
    """Number that comes back; "" = none."""
    offering: Annotated[str, Name(required=False)]
    subscription_attributes: AttributeMap
    reason: Reason
    quantity: Annotated[int, QUANTITY] = 1
    begins_later: Annotated[bool, FilledIn()] = False
    """Never: what comes back begins with the account."""
    from_ms: Annotated[int, FilledIn()] = 0
    ends_ms: Annotated[int, FilledIn()] = 0
    closed_since_ms: Annotated[int, FilledIn()] = NEVER
    """An account that was closed before this moment stays closed, UTC."""
    dues: Annotated[Dues, FilledIn()] = NOTHING_DUE

    traits = Traits(
        sender=PLATFORM,
        permissions=("reopen_account",),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def checked(self, asked: Asked) -> "Reopen":
        """Give it with the number normalised.

        Raises `Invalid` IDENTITY_MALFORMED, SUBSCRIBER_MISSING; FIELD_WITHOUT_EFFECT for an offering of nobody.
        """
        if not self.member:
            if self.offering or self.subscription_attributes:
                raise refusal("FIELD_WITHOUT_EFFECT", "reopen_account.offering", "empty, unless a number comes back")
            return self
        member = normalise(self.member, asked.country)
        require_subscriber(member, "reopen_account.member")
        return replace(self, member=member)

    def at_stake(self) -> int:
        """Give the fees that it brings."""
        return self.dues.at_stake()

    def identities_written(self, account: Account | None) -> tuple[str, ...]:
        """Give the number that comes back."""
        return (self.member,) if self.member else ()

    def begun(self, account: Account, now_ms: int) -> Contract:
        """Give the contract that it begins. Raises what `charging.ledger.admitting.admitted` raises."""
        return admitted(account, self, now_ms, "reopen_account")

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Open it again. That its number rests for it was looked at before (`charging.ledger.admitting.not_kept`).

        Refused ACCOUNT_NOT_CLOSED, ENDED_BY_DUNNING, REOPENING_OVER, and as `begun` and
        `charging.ledger.dues.posted` refuse.
        """
        require_here(account)
        if account.terms.status != "closed":
            raise Refused("ACCOUNT_NOT_CLOSED", f"account {account.account_id} is {account.terms.status}")
        closed_ms = account.open.closed_ms
        if account.terms.status_reason == DUNNING and not closed_ms:
            raise Refused("ENDED_BY_DUNNING", "the account was ended for what it owes, for good: open another one")
        if closed_ms < self.closed_since_ms:
            text = "it was closed longer ago than accounts are reopened after"
            raise Refused("REOPENING_OVER", text, facts={"closed_ms": str(closed_ms)})
        back = (ContractSet(self.begun(account, now_ms)),) if self.member else ()
        fees = dues.posted(account, self.dues, now_ms)
        opened = StatusSet("active", self.reason or "reopened", "closed")
        # What staff or dunning had stopped stays stopped: the reason for it did not go away by closing.
        by_staff = tuple([StatusSet("suspended", why, "active") for why in account.open.stopped])
        stopped = by_staff or dunning.status_of(opened.apply(account))
        events: tuple[BaseEvent, ...] = (opened, *stopped, *back, *fees)
        return Effect(events, dues.net(fees))

"""Let a number that rests go to whoever wants it, before its time: for somebody who answers for it."""

from typing import Annotated

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.account_id import require_subscriber
from charging.base.asked import Asked
from charging.base.contract import Contract
from charging.base.fields import Reason
from charging.base.fieldtypes import Identity
from charging.base.identity import normalise
from charging.errors import Invalid, Refused
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.events import ContractSet
from charging.ledger.standing import require_here


class ReleaseNumber(BaseAction, frozen=True, tag="release_number"):
    """End the rest of a number that the account let go, closed or not. The journal keeps who did it and why."""

    number: Annotated[str, Identity()]
    reason: Reason

    traits = Traits(
        sender=PLATFORM,
        permissions=("release_number",),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def checked(self, asked: Asked) -> "ReleaseNumber":
        """Give it with the number normalised.

        Raises `Invalid` IDENTITY_MALFORMED, SUBSCRIBER_MISSING; RELEASE_UNSIGNED unless somebody answers for it.
        """
        _check_signed(asked.actor, self.reason, "release_number.reason")
        number = normalise(self.number, asked.country)
        require_subscriber(number, "release_number.number")
        return replace(self, number=number)

    def at_stake(self) -> int:
        """Hold no limit against it."""
        return 0

    def identities_written(self, account: Account | None) -> tuple[str, ...]:
        """Give the number: nobody else may take it meanwhile."""
        return (self.number,)

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Free it. That it rests for the account was looked at before (`charging.ledger.admitting.not_kept`).

        Refused MEMBER_KNOWN, ACCOUNT_MOVED; Invalid RELEASE_UNSIGNED.
        """
        require_here(account)
        _check_signed(command.actor, self.reason, "reason")
        if self.number in account.members:
            raise Refused("MEMBER_KNOWN", "the number is a member of the account and does not rest")
        free = Contract(
            self.number,
            account.account_id,
            account.terms.domain,
            valid_to_ms=now_ms,
            status="ended",
            version=account.version + 1,
        )
        return Effect((ContractSet(free, f"{self.number} rests no longer: {self.reason}"),))


def _check_signed(actor: str, reason: str, path: str) -> None:
    missing = {} if actor else {"actor": "who releases it"}
    if not reason.strip():
        missing[path] = "why it is released"
    if missing:
        raise Invalid("RELEASE_UNSIGNED", "an early release names its actor and its reason", fields=missing)

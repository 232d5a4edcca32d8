"""Change the identity of a member: another number, card or user name; its contract, counters and fees go on."""

from typing import Annotated

from msgspec.structs import replace

from charging.base import accumulators
from charging.base.account import Account
from charging.base.account_id import require_subscriber
from charging.base.asked import Asked, FilledIn
from charging.base.contract import Contract
from charging.base.fields import Expected, Reason
from charging.base.fieldtypes import Identity, refusal
from charging.base.identity import normalise
from charging.errors import Refused
from charging.ledger import revising
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent
from charging.ledger.events import ContractSet
from charging.ledger.within import check_contract


class IdentityChanged(BaseEvent, frozen=True, tag="renumber"):
    """A member is called by another identity, and so is all that is counted or remembered for it."""

    before: str
    after: str
    reason: str

    rerates = True

    def apply(self, account: Account) -> Account:
        """Put the new identity in the old one's place: among the members, counters, limits and fees."""
        members = tuple(self.after if member == self.before else member for member in account.members)
        counters = {self._key(key): value for key, value in account.accumulators.items()}
        fees = tuple(
            replace(mark, identity=self.after) if mark.identity == self.before else mark for mark in account.open.fees
        )
        limits = tuple(
            replace(limit, member=self.after) if limit.member == self.before else limit
            for limit in account.terms.limits
        )
        changed = replace(account, members=members, accumulators=counters)
        return changed.with_open(fees=fees, feeds=self._feeds(account)).with_terms(limits=limits)

    def _feeds(self, account: Account) -> tuple[tuple[str, str, int], ...]:
        """Give the batches that were taken: what was taken of the old number is not taken of the new one."""
        newest: dict[tuple[str, str], int] = {}
        for feed, identity, batch in account.open.feeds:
            of = (feed, self.after if identity == self.before else identity)
            newest[of] = max(newest.get(of, 0), batch)
        return tuple((feed, identity, batch) for (feed, identity), batch in newest.items())

    def words(self) -> str:
        """Name both, and say the reason."""
        return f"{self.before} is {self.after} now: {self.reason}".removesuffix(": ")

    def _key(self, key: str) -> str:
        found = accumulators.parts(key)
        if found.holder != self.before:
            return key
        return accumulators.key(found.name, found.period, self.after, found.since)


class ChangeIdentity(BaseAction, frozen=True, tag="change_identity"):
    """Call a member by another identity. The platform fills in `before` and how long the old one rests."""

    to_identity: Annotated[str, Identity()]
    reason: Reason
    expected_version: Expected
    before: Annotated[Contract | None, FilledIn()] = None
    rests_until_ms: Annotated[int, FilledIn()] = 0
    """Until when nobody else may have the old identity, UTC; 0 = it is free at once."""

    traits = Traits(
        sender=PLATFORM,
        permissions=("change_identity",),
        predictable=False,
        proposable=False,
        of_subscribers=True,
        ports=False,
    )

    def checked(self, asked: Asked) -> "ChangeIdentity":
        """Give it with the new identity normalised.

        Raises `Invalid` SUBSCRIBER_MISSING, IDENTITY_MALFORMED, IDENTITY_UNCHANGED.
        """
        require_subscriber(asked.identity, "identity")
        wanted = normalise(self.to_identity, asked.country)
        require_subscriber(wanted, "change_identity.to_identity")
        if wanted == asked.identity:
            raise refusal("IDENTITY_UNCHANGED", "change_identity.to_identity", "another one than that of the request")
        return replace(self, to_identity=wanted)

    def at_stake(self) -> int:
        """Hold no limit against it."""
        return 0

    def identities_written(self, account: Account | None) -> tuple[str, ...]:
        """Give the old identity and the new one."""
        return (*revising.member_of(self.before), self.to_identity)

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Change it. Refused MEMBER_KNOWN, SESSIONS_OPEN, and as `charging.ledger.revising.required` refuses."""
        before = revising.required(account, self.before)
        if self.to_identity in account.members:
            raise Refused("MEMBER_KNOWN", "the new identity is a member of the account already")
        revising.require_no_session(account, before.identity)
        version = account.version + 1
        after = replace(before, identity=self.to_identity, version=version)
        check_contract(after)
        old = replace(revising.over(before, now_ms, self.rests_until_ms), version=version)
        changed = IdentityChanged(before.identity, self.to_identity, self.reason)
        return Effect((changed, ContractSet(after), ContractSet(old)))

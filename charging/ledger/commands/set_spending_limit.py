"""Set or remove how much may be spent in a day or a cycle, by a member or by the whole account."""

from typing import Annotated

from msgspec.structs import replace

from charging.base.account import Account, SpendingLimit
from charging.base.asked import Asked, Inside
from charging.base.fieldtypes import check_name, refusal
from charging.base.identity import normalise
from charging.base.names import is_service
from charging.base.spending import counter_of
from charging.errors import Refused
from charging.ledger import spending
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent
from charging.ledger.standing import require_open

LIMITS_MAX = 32
"""Spending limits of one account."""


class LimitSet(BaseEvent, frozen=True, tag="limit"):
    """A spending limit was set or removed."""

    limit: SpendingLimit
    remove: bool
    told: str
    """What it was and what it is."""

    rerates = True

    def apply(self, account: Account) -> Account:
        """Set or remove it; what counts something else than before begins at nothing."""
        limit = self.limit
        known = next((each for each in account.terms.limits if each.limit_id == limit.limit_id), None)
        others = tuple(each for each in account.terms.limits if each is not known)
        accumulators = account.accumulators
        if known is not None and (self.remove or _counts(known) != _counts(limit)):
            accumulators = spending.without(accumulators, known)
        limits = others if self.remove else (*others, limit)
        return replace(account, accumulators=accumulators).with_terms(limits=limits)

    def words(self) -> str:
        """Say what it was and what it is."""
        return self.told


class SetSpendingLimit(BaseAction, frozen=True, tag="set_spending_limit"):
    """Set or remove a spending limit."""

    limit: Annotated[SpendingLimit, Inside()]
    remove: bool

    traits = Traits(
        sender=PLATFORM,
        permissions=("set_spending_limit",),
        predictable=True,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Hold no limit of a principal against it."""
        return 0

    def checked(self, asked: Asked) -> "SetSpendingLimit":
        """Give it with the member's identity normalised.

        Raises `Invalid` FIELD_WITHOUT_EFFECT for one that is removed and set in one, SERVICE_UNKNOWN, and for what is
        no identity.
        """
        limit = self.limit
        if self.remove:
            written = (("amount", limit.amount), ("services", limit.services), ("scope", limit.scope))
            for field, given in (*written, ("member", limit.member), ("warn_percent", limit.warn_percent)):
                if given:
                    wanted = "nothing, when the limit is removed"
                    raise refusal("FIELD_WITHOUT_EFFECT", f"set_spending_limit.{field}", wanted)
            return self
        for service in limit.services:
            if is_service(service) is None:
                wanted = "codes of services of the catalogue, such as voice, sms, data"
                raise refusal("SERVICE_UNKNOWN", "set_spending_limit.services", wanted)
        if not limit.member:
            return self
        return replace(self, limit=replace(limit, member=normalise(limit.member, asked.country)))

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Set or remove it. Refused LIMIT_UNKNOWN, LIMITS_FULL, MEMBER_UNKNOWN."""
        require_open(account)
        limit = self.limit
        check_name(limit.limit_id, "limit_id")
        known = next((each for each in account.terms.limits if each.limit_id == limit.limit_id), None)
        if self.remove:
            if known is None:
                raise Refused("LIMIT_UNKNOWN", f"the account has no spending limit {limit.limit_id!r}")
            return Effect((LimitSet(known, True, f"spending limit {limit.limit_id}: {_said(known)} → none"),))
        if known is None and len(account.terms.limits) >= LIMITS_MAX:
            raise Refused("LIMITS_FULL", f"an account has at most {LIMITS_MAX} spending limits")
        if limit.member and limit.member not in account.members:
            text = "the account has no such member: name one of its identities, or none for all of them"
            raise Refused("MEMBER_UNKNOWN", text)
        before = _said(known) if known is not None else "none"
        return Effect((LimitSet(limit, False, f"spending limit {limit.limit_id}: {before} → {_said(limit)}"),))


def _counts(limit: SpendingLimit) -> tuple[object, ...]:
    """Give what is counted, and over which period; amount and notice may change on the way."""
    return (counter_of(limit), limit.period, limit.services, limit.scope)


def _said(limit: SpendingLimit) -> str:
    what = "+".join(limit.services) or "all services"
    scope = f" in {limit.scope}" if limit.scope else ""
    return f"{limit.amount} a {limit.period} by {limit.member or 'all members'} for {what}{scope}"

"""Take many rated uses of one subscriber at once, as mediation brings them from files: one entry, one version.

Each batch of a feed is taken once for a subscriber, for ever: the account remembers the newest one of each feed, which
no age of request keys undoes. The uses are rated one after the other, each on the state that the one before left, so
they cost what they would one by one.
"""

from typing import Annotated

from msgspec import Struct, msgpack

from charging.base.account import Account
from charging.base.asked import Asked, FilledIn, Own
from charging.base.bounds import VERSION_MAX
from charging.base.fieldtypes import NAME, Whole, refusal
from charging.base.usage import SealedCharge, Usage
from charging.errors import Invalid, Refused
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.commands.post_charge import Charged, PostCharge
from charging.ledger.effect import Effect, VersionMoved
from charging.ledger.event import BaseEvent
from charging.ledger.feeds import FeedMarked, require_new

USES_MAX = 200
"""Of one command: what it makes must fit a journal entry."""


class RatedUse(Struct, frozen=True, array_like=True, gc=False):
    """What rating made of one use: a charge, or why there is none."""

    charge: SealedCharge | None
    reason: str = ""
    message: str = ""


class UseOutcome(Struct, frozen=True, gc=False):
    """What became of one use."""

    amount: int
    """Micro-units charged."""
    reason: str = ""
    """Why it was not charged; empty = it was."""
    message: str = ""
    currency: str = ""
    """Of the amount."""


_pack = msgpack.Encoder().encode
read_outcomes = msgpack.Decoder(tuple[UseOutcome, ...]).decode
"""Reads the detail of an outcome: one for each use, in their order. Raises `msgspec.MsgspecError`."""


class PostUsage(BaseAction, frozen=True, tag="post_usage"):
    """Take many rated uses. The platform fills in what rating made of each, and the state it began with.

    Stale when version or mark are not the account's: uses that depend on each other are rated anew together.
    """

    feed: Annotated[str, NAME]
    batch: Annotated[int, Whole(1, VERSION_MAX, required=True)]
    uses: Annotated[tuple[Usage, ...], Own()]
    rated: Annotated[tuple[RatedUse, ...], FilledIn()] = ()
    """One for each use, in their order."""
    base_version: Annotated[int, FilledIn()] = 0
    base_mark: Annotated[int, FilledIn()] = 0

    traits = Traits(
        sender=PLATFORM,
        permissions=("post_usage",),
        predictable=False,
        proposable=False,
        of_subscribers=True,
        ports=False,
    )

    def checked(self, asked: Asked) -> "PostUsage":
        """Raise `Invalid` LIST_TOO_LONG, USES_MISSING."""
        if not self.uses:
            raise refusal("USES_MISSING", "post_usage.uses", f"1 to {USES_MAX} uses")
        if len(self.uses) > USES_MAX:
            raise refusal("LIST_TOO_LONG", "post_usage.uses", f"at most {USES_MAX}")
        return self

    def at_stake(self) -> int:
        """Give the price of all."""
        return sum([each.charge.amount for each in self.rated if each.charge is not None])

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Take all that were rated, in order.

        Refused BATCH_TAKEN, FEEDS_FULL; a use that is refused although it was rated on this very state is rated anew
        (`VersionMoved`): what follows was rated as if it had been taken.
        """
        if not self.uses or len(self.rated) != len(self.uses):
            raise VersionMoved
        identity = self.uses[0].identity
        require_new(account, self.feed, identity, self.batch)
        if (account.version, account.mark) != (self.base_version, self.base_mark):
            raise VersionMoved
        events: list[BaseEvent] = []
        outcomes: list[UseOutcome] = []
        state = account
        for usage, rated in zip(self.uses, self.rated, strict=True):
            if rated.charge is None:
                outcomes.append(UseOutcome(0, rated.reason, rated.message))
                continue
            try:
                event, state = take_use(state, usage, rated.charge, account, now_ms)
            except (Refused, Invalid) as fault:
                raise VersionMoved from fault
            events.append(event)
            outcomes.append(UseOutcome(rated.charge.amount, currency=rated.charge.currency))
        events.append(FeedMarked(self.feed, identity, self.batch))
        return Effect(tuple(events), sum([each.amount for each in outcomes]), _pack(outcomes))


def take_use(state: Account, usage: Usage, charge: SealedCharge, base: Account, now_ms: int) -> tuple[Charged, Account]:
    """Take one use after others of its command; `base` is the account before the first.

    Gives what happened and the state after it. Raises what a charge raises.
    """
    event = PostCharge(usage, charge, base.version, base.mark).charged(state, now_ms)
    return event, event.apply(state)

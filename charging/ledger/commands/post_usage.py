"""Take many rated uses of one subscriber at once, as mediation brings them from files: one entry, one version.

Each batch of a feed is taken once for a subscriber, for ever: the account remembers the newest one of each feed, which
no age of request keys undoes. The uses are rated one after the other, each on the state that the one before left, so
they cost what they would one by one.

A use whose counters are kept no more, and one that replaces what was charged for a part of it, can't be priced alone:
it is set aside in the journal, at no price, until its cycle is rated anew (`charging.rating.restating`).
"""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Struct, msgpack

from charging.base.account import Account
from charging.base.asked import Asked, FilledIn, Own
from charging.base.bounds import VERSION_MAX
from charging.base.fieldtypes import NAME, Whole, refusal
from charging.base.usage import SealedCharge, Usage
from charging.errors import Invalid, Refused
from charging.ledger import within
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.commands.post_charge import Charged
from charging.ledger.effect import Effect, VersionMoved
from charging.ledger.event import BaseEvent
from charging.ledger.feeds import FeedMarked, require_new
from charging.ledger.running import ChargeRun
from charging.ledger.standing import require_served
from charging.ledger.usescharged import UsesCharged

USES_MAX = 200
"""Of one command: what it makes must fit a journal entry."""


class ReplacedUse(Struct, frozen=True, array_like=True, gc=False):
    """What was charged for a part of a use, and does not stand beside it any more once it is rated."""

    use: int
    """Place among the uses of the command, from 0 on."""
    request_key: str
    """Under which the part was charged, or set aside."""
    start_ms: int
    """When the part began, UTC."""
    quantity: int
    """Of the part, base units."""


class UsageSetAside(BaseEvent, frozen=True, tag="aside"):
    """A use was taken at no price: it is rated with its whole cycle."""

    usage: Usage
    replaced: ReplacedUse | None = None

    rerates = False

    def apply(self, account: Account) -> Account:
        """Change nothing: nothing is charged yet."""
        return account

    def words(self) -> str:
        """Say what becomes of it."""
        return "set aside until its cycle is rated anew"


class RatedUse(Struct, frozen=True, array_like=True, gc=False):
    """What rating made of one use: a charge, or why there is none."""

    charge: SealedCharge | None
    reason: str = ""
    message: str = ""
    set_aside: bool = False
    """It is taken without a charge."""


class RefusedUse(Struct, frozen=True, array_like=True, gc=False):
    """Why a use was not charged."""

    use: int
    """Place among the uses of the command, from 0 on."""
    reason: str
    message: str


class UseOutcomes(Struct, frozen=True, array_like=True, gc=False):
    """What became of the uses of a command, by columns: nearly all were charged."""

    amounts: tuple[int, ...]
    """Micro-units charged for each, in their order."""
    currency: str
    """Of all amounts."""
    refused: tuple[RefusedUse, ...] = ()
    """In their order."""
    set_aside: tuple[int, ...] = ()
    """Places of those that were taken at no price, until their cycle is rated anew."""


_pack = msgpack.Encoder().encode
read_outcomes = msgpack.Decoder(UseOutcomes).decode
"""Reads the detail of an outcome. Raises `msgspec.MsgspecError`."""


class PostUsage(BaseAction, frozen=True, tag="post_usage"):
    """Take many rated uses. The platform fills in what rating made of each, and the state it began with.

    Stale when version or mark are not the account's: uses that depend on each other are rated anew together.
    """

    feed: Annotated[str, NAME]
    batch: Annotated[int, Whole(1, VERSION_MAX, required=True)]
    uses: Annotated[tuple[Usage, ...], Own(also=("columns",))]
    replaces: Annotated[tuple[ReplacedUse, ...], Own()] = ()
    """At most one for each use: it is set aside then."""
    rated: Annotated[tuple[RatedUse, ...], FilledIn()] = ()
    """One for each use, in their order."""
    base_version: Annotated[int, FilledIn()] = 0
    base_mark: Annotated[int, FilledIn()] = 0
    charged: Annotated[UsesCharged | None, FilledIn()] = None
    """All uses with their charges, where columns say them: `uses` and `rated` are empty then."""

    traits = Traits(
        sender=PLATFORM,
        permissions=("post_usage",),
        predictable=False,
        proposable=False,
        of_subscribers=True,
        ports=False,
    )

    def checked(self, asked: Asked) -> "PostUsage":
        """Raise `Invalid` LIST_TOO_LONG, USES_MISSING, REPLACED_USE_WRONG."""
        if not self.uses:
            raise refusal("USES_MISSING", "post_usage.uses", f"1 to {USES_MAX} uses")
        if len(self.uses) > USES_MAX:
            raise refusal("LIST_TOO_LONG", "post_usage.uses", f"at most {USES_MAX}")
        places = {each.use for each in self.replaces}
        if len(places) != len(self.replaces) or not places.issubset(range(len(self.uses))):
            raise refusal("REPLACED_USE_WRONG", "post_usage.replaces.use", "one of the uses each, none of them twice")
        return self

    def at_stake(self) -> int:
        """Give the price of all."""
        if self.charged is not None:
            return self.charged.amount
        return sum([each.charge.amount for each in self.rated if each.charge is not None])

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Take all that were rated, in order.

        Refused BATCH_TAKEN, FEEDS_FULL; Invalid QUANTITY_OUT_OF_RANGE. A use that is refused although it was rated on
        this very state is rated anew (`VersionMoved`): what follows was rated as if it had been taken.
        """
        identity = self._identity()
        require_new(account, self.feed, identity, self.batch)
        if (account.version, account.mark) != (self.base_version, self.base_mark):
            raise VersionMoved
        run, columns, currency = ChargeRun(account, now_ms), self.charged, account.terms.currency
        within.check_quantities([use.quantity for use in self.uses] if columns is None else columns.quantities)
        events: list[BaseEvent]
        if columns is None:
            events, outcomes = self._take(account, run, list(zip(self.uses, self.rated, strict=True)))
        elif run.take_uses(columns):
            events, outcomes = [columns], UseOutcomes(columns.amounts, currency)
        else:
            events, outcomes = self._take(account, run, [(use, RatedUse(charge)) for use, charge in columns.charges()])
        events.append(FeedMarked(self.feed, identity, self.batch))
        return Effect(tuple(events), sum(outcomes.amounts), _pack(outcomes))

    def _identity(self) -> str:
        """Say whose uses they are. Raises `VersionMoved` when they are not rated."""
        if self.charged is not None and len(self.charged.amounts) <= USES_MAX:
            return self.charged.identity
        if not self.uses or len(self.rated) != len(self.uses):
            raise VersionMoved
        return self.uses[0].identity

    def _take(
        self, account: Account, run: ChargeRun, uses: Sequence[tuple[Usage, RatedUse]]
    ) -> tuple[list[BaseEvent], UseOutcomes]:
        """Take uses one by one."""
        events: list[BaseEvent] = []
        amounts = [0] * len(uses)
        refused: list[RefusedUse] = []
        aside: list[int] = []
        replaced = {each.use: each for each in self.replaces}
        for place, (usage, rated) in enumerate(uses):
            if rated.charge is None and not rated.set_aside:
                refused.append(RefusedUse(place, rated.reason, rated.message))
                continue
            try:
                if rated.charge is None:
                    events.append(set_aside(account, usage, replaced.get(place)))
                    aside.append(place)
                    continue
                postings, units = run.take(usage, rated.charge)
            except (Refused, Invalid) as fault:
                raise VersionMoved from fault
            events.append(Charged(usage, rated.charge, postings, units))
            amounts[place] = rated.charge.amount
        return events, UseOutcomes(tuple(amounts), account.terms.currency, tuple(refused), tuple(aside))


def set_aside(account: Account, usage: Usage, replaced: ReplacedUse | None) -> UsageSetAside:
    """Take a use at no price. Refused as a charge is when the account may not have it."""
    if account.terms.status != "active":
        require_served(account, usage)
    return UsageSetAside(usage, replaced)

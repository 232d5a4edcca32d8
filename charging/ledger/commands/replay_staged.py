"""The owner's own command once an account's run is over: what was staged comes in, settlements first, then deposits."""

from charging.base.account import Account
from charging.base.staged import in_order, staged_in
from charging.errors import NotFound
from charging.ledger.action import OWNER, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.staging import MoneyReplayed, replayable
from charging.ledger.standing import require_here


class ReplayStaged(BaseAction, frozen=True, tag="replay_staged"):
    """The run of a period is over: take in what was staged for it."""

    month: int
    """Newest period whose stage is replayed, months since the year 0."""

    sees_stages = True
    traits = Traits(
        sender=OWNER,
        permissions=(),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Hold no limit against it."""
        return 0

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Replay each row once. Refused ACCOUNT_MOVED; NotFound NOTHING_STAGED, of which nothing is kept.

        A closed account takes what settles its bills; what would go to its balance stays staged, and is listed.
        """
        require_here(account)
        rows = tuple([row for row in in_order(account.open.staged) if row.month <= self.month])
        events = tuple([MoneyReplayed(row) for row in rows if replayable(account, row)])
        if not events:
            raise NotFound("NOTHING_STAGED", f"nothing is staged for {account.account_id} that can be replayed")
        return Effect(events, staged_in([event.row for event in events]))

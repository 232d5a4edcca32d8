"""Post the fees of an account that fell due: what a billing run, or whoever keeps the schedule, asks for.

Each fee is posted once for its time, whatever repeats, restarts or takes over: its mark says until when
(`charging.ledger.dues`).
"""

from charging.base.account import Account
from charging.ledger import dues
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.dues import Dues
from charging.ledger.effect import Effect
from charging.ledger.standing import require_open


class PostFees(BaseAction, frozen=True, tag="fees"):
    """Take fees that the platform rated, all or none."""

    dues: Dues

    patient = True
    traits = Traits(
        sender=PLATFORM,
        permissions=("post_fees",),
        predictable=True,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Give all that it takes or gives."""
        return self.dues.at_stake()

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Post them, by books that are valid now; refused as `charging.ledger.dues.posted` refuses."""
        require_open(account)
        events = dues.posted(account, self.dues, now_ms)
        return Effect(events, dues.net(events))

"""Move between two books of one account."""

from charging.base.account import MAIN_BOOK, MONEY, Account
from charging.errors import Refused
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.books import MOVED, require_giver, require_taker
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent
from charging.ledger.events import Booked
from charging.ledger.rewards import BonusMoved
from charging.ledger.standing import require_open


class MoveMoney(BaseAction, frozen=True, tag="move"):
    """Between two books of the same account."""

    from_book_id: str
    to_book_id: str
    amount: int
    """Micro-units of money, base units of anything else."""
    reason: str

    traits = Traits(
        sender=PLATFORM,
        permissions=("transfer",),
        predictable=True,
        proposable=True,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Give what moves."""
        return self.amount

    def grounds(self) -> str:
        """Give the reason."""
        return self.reason

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Move between two books of one account and one unit; never on credit, nor out of the scope it is bound to."""
        require_open(account)
        MOVED.read(self.amount, "amount")
        source_id, target_id = self.from_book_id or MAIN_BOOK, self.to_book_id or MAIN_BOOK
        if source_id == target_id:
            raise Refused("MOVE_TO_SELF", f"book {source_id!r} is both ends of the move")
        source = require_giver(account, source_id, self.amount, command.time_ms)
        target = require_taker(account, target_id, source.unit, self.amount, command.time_ms)
        if source.allowance and source.allowance != target.allowance:
            raise Refused("BOOK_BOUND", f"what is in book {source_id!r} is for {source.allowance!r} alone")
        pairs = ((source.book_id, -self.amount), (target.book_id, self.amount))
        events: tuple[BaseEvent, ...] = (Booked("move", pairs, self.reason),)
        if source.unit != MONEY:
            return Effect(events)
        if source_id != MAIN_BOOK:
            events = (*events, BonusMoved(source_id, target_id, self.amount))
        return Effect(events, self.amount)

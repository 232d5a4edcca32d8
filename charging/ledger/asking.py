"""What a caller's command is read into, by the name that it has in a request."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Struct
from msgspec.structs import replace

from charging.base.asked import Asked
from charging.base.fields import BookId, Reason
from charging.base.fieldtypes import Identity, refusal
from charging.base.identity import normalise
from charging.ledger.action import PLATFORM
from charging.ledger.books import MOVED
from charging.ledger.commands.close_period import ClosePeriod
from charging.ledger.commands.move_money import MoveMoney
from charging.ledger.commands.post_charge import PostCharge
from charging.ledger.commands.post_fees import PostFees
from charging.ledger.commands.send_transfer import SendTransfer
from charging.ledger.commands.step_session import StepSession
from charging.ledger.kinds import ACTIONS


class TransferAsk(Struct, frozen=True, array_like=True):
    """A transfer before it is known whether the other identity belongs to the same account."""

    from_book_id: BookId
    to_identity: Annotated[str, Identity()]
    """Empty = another book of the same account."""
    to_book_id: BookId
    amount: Annotated[int, MOVED]
    reason: Reason

    def checked(self, asked: Asked) -> "TransferAsk":
        """Give it with the other identity normalised. Raises `Invalid` TRANSFER_TO_ITSELF, IDENTITY_MALFORMED."""
        other = normalise(self.to_identity, asked.country) if self.to_identity else asked.identity
        if other == asked.identity and self.from_book_id == self.to_book_id:
            text = "another identity, or another book of this one"
            raise refusal("TRANSFER_TO_ITSELF", "transfer.to_identity", text)
        return replace(self, to_identity="" if other == asked.identity else other)

    def at_stake(self) -> int:
        """Give what moves, micro-units."""
        return self.amount

    def permission(self) -> str:
        """Give the name by which it is granted."""
        return "transfer"


PREPARED = frozenset({ClosePeriod, PostCharge, PostFees, StepSession, MoveMoney, SendTransfer})
"""What the platform makes of something else: of usage, which it rates; of a transfer, once it knows the account; of a
billing run."""
ASKED: Mapping[str, type[Struct]] = {
    **{kind.traits.permissions[0]: kind for kind in ACTIONS if kind.traits.sender == PLATFORM and kind not in PREPARED},
    "transfer": TransferAsk,
}

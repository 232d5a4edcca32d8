"""Set or remove a mark that raises a notice when it is crossed."""

from typing import Annotated

from charging.base.account import Account, Threshold
from charging.base.asked import Asked, Inside
from charging.base.fieldtypes import check_name, refusal
from charging.errors import Refused
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent
from charging.ledger.standing import require_open


class ThresholdSet(BaseEvent, frozen=True, tag="threshold"):
    """A mark was set or removed."""

    threshold: Threshold
    remove: bool

    rerates = False

    def apply(self, account: Account) -> Account:
        """Set or remove the mark."""
        others = [known for known in account.terms.thresholds if known.threshold_id != self.threshold.threshold_id]
        return account.with_terms(thresholds=tuple(others) if self.remove else (*others, self.threshold))

    def words(self) -> str:
        """Name the mark."""
        return f"threshold {self.threshold.threshold_id} {'removed' if self.remove else 'set'}"


class SetThreshold(BaseAction, frozen=True, tag="threshold"):
    """Set or remove a mark that raises a notice."""

    threshold: Annotated[Threshold, Inside()]
    remove: bool

    traits = Traits(
        sender=PLATFORM,
        permissions=("set_threshold",),
        predictable=True,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Hold no limit against it."""
        return 0

    def checked(self, asked: Asked) -> "SetThreshold":
        """Give it as it is. Raises `Invalid` for a mark on nothing, and for one that is removed and set in one."""
        if not self.remove:
            check_name(self.threshold.watches, "set_threshold.watches")
            return self
        for field, written in (("watches", self.threshold.watches), ("mark", self.threshold.mark)):
            if written:
                path, wanted = f"set_threshold.{field}", "nothing, when the threshold is removed"
                raise refusal("FIELD_WITHOUT_EFFECT", path, wanted)
        return self

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Set or remove a mark."""
        require_open(account)
        threshold = self.threshold
        known = any(each.threshold_id == threshold.threshold_id for each in account.terms.thresholds)
        if self.remove and not known:
            raise Refused("THRESHOLD_UNKNOWN", f"the account has no threshold {threshold.threshold_id!r}")
        if not self.remove:
            check_name(threshold.threshold_id, "threshold_id")
            check_name(threshold.watches, "watches")
        return Effect((ThresholdSet(threshold, self.remove),))

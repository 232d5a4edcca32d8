"""Take the steps of dunning that are due about an account: told by the catalogue, decided by what is overdue now.

A sweep sends it for whoever owes something, as often as it likes: a step that was taken is not taken again, and an
account about which nothing is due stays as it is.
"""

from typing import Annotated

from charging.base.account import Account
from charging.base.asked import FilledIn
from charging.base.contract import Contract
from charging.base.dunning import ACTIONS, DUNNED_MAX, END, DunningStep
from charging.base.fields import Reason
from charging.errors import Invalid, Refused
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.dunning import DunningTaken, due, named, status_of
from charging.ledger.effect import Effect, NothingDue
from charging.ledger.event import BaseEvent
from charging.ledger.events import ContractSet, Noticed, StatusSet
from charging.ledger.standing import DUNNING, require_open


class Dun(BaseAction, frozen=True, tag="dun"):
    """Take the steps that are due; `steps` are filled in by the platform from the catalogue in force."""

    reason: Reason
    steps: Annotated[tuple[DunningStep, ...], FilledIn()] = ()
    rests_until_ms: Annotated[int, FilledIn()] = 0
    """Of an account that ends: until when nobody else may have its identities, UTC; 0 = they are free at once."""

    traits = Traits(
        sender=PLATFORM,
        permissions=("dun",),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Hold no limit against it: nothing moves."""
        return 0

    def grounds(self) -> str:
        """Give the reason."""
        return self.reason

    def identities_written(self, account: Account | None) -> tuple[str, ...]:
        """Give all members of an account that a step could end."""
        ends = any(step.action == END for step in self.steps)
        return account.members if account is not None and ends else ()

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Take what is due, and stop what it stops.

        Refused ACCOUNT_CLOSED, DUNNED_FULL; Invalid DUNNING_MALFORMED. Raises `NothingDue`: no entry is written then.
        """
        require_open(account)
        if any(step.action not in ACTIONS or step.days < 0 for step in self.steps):
            raise Invalid("DUNNING_MALFORMED", "a step of dunning can't be meant so")
        steps = due(account, self.steps, now_ms)
        if not steps:
            raise NothingDue
        if len(account.open.dunned) + len(steps) > DUNNED_MAX:
            raise Refused("DUNNED_FULL", f"at most {DUNNED_MAX} steps hold for an account")
        taken = DunningTaken(steps)
        events: list[BaseEvent] = [taken]
        if any(row.step.action == END for row in steps):
            ended = [
                Contract(
                    member,
                    account.account_id,
                    account.terms.domain,
                    status="ended",
                    version=account.version + 1,
                    rests_until_ms=self.rests_until_ms,
                )
                for member in account.members
            ]
            events += [StatusSet("closed", DUNNING), *map(ContractSet, ended)]
        else:
            events += status_of(taken.apply(account))
        notices = [f"dunning:{step}" for step in named(steps).split(", ")]
        return Effect((*events, Noticed(tuple(notices))))

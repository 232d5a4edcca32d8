"""What an owner makes of a command that its sender may not do alone: it waits for another principal.

The owner journals `Propose` under the command's own key and answers APPROVAL_NEEDED. `Approve`, under a key of its own,
does exactly the proposed content in the entry that ends the proposal.
"""

import msgspec

from charging.base.account import Account, Proposal
from charging.errors import Invalid, Refused
from charging.ledger.action import OWNER, BaseAction, Envelope, Traits
from charging.ledger.approvals import PROPOSAL_KEEP_MS
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent
from charging.ledger.standing import require_here

PROPOSED = "propose"
"""Kind of the entries of `Propose`: they change the account and yet tell a refusal, APPROVAL_NEEDED."""
PROPOSALS_MAX = 16
"""Of one account, waiting."""

_pack_action = msgspec.msgpack.Encoder().encode


class Proposed(BaseEvent, frozen=True, tag="proposed"):
    """A command waits for approval; nothing else has happened."""

    proposal: Proposal
    forgets: tuple[str, ...]
    """Keys of proposals that nobody decided in time."""
    reason: str

    rerates = False
    leads = True

    def apply(self, account: Account) -> Account:
        """Let it wait, and forget those that nobody decided in time."""
        kept = tuple(each for each in account.open.proposals if each.key not in self.forgets)
        return account.with_open(proposals=(*kept, self.proposal))

    def words(self) -> str:
        """Say what waits, and for what reason."""
        return f"{self.proposal.kind} of {self.proposal.amount}: {self.reason}"


class Propose(BaseAction, frozen=True, tag=PROPOSED):
    """What an owner makes of a command that its sender may not do alone: it waits for another principal."""

    kind: str
    """Tag of the action."""
    action: bytes
    """The action, packed."""
    amount: int
    """What a limit is held against, micro-units."""

    traits = Traits(
        sender=OWNER,
        permissions=(),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Give what the proposed command's is."""
        return self.amount

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Let a command wait; what could not be done now is not proposed.

        Refused PROPOSALS_FULL, ACCOUNT_MOVED; Invalid PROPOSAL_MALFORMED; and what the command itself raises.
        """
        asked = command.carrying(self.action)
        if not asked.action.traits.proposable:
            raise Invalid("PROPOSAL_MALFORMED", f"{type(asked.action).__name__} can't wait for approval")
        require_here(account)
        effect = asked.action.decide(account, asked, now_ms)
        over = tuple(each.key for each in account.open.proposals if each.time_ms + PROPOSAL_KEEP_MS <= now_ms)
        if len(account.open.proposals) - len(over) >= PROPOSALS_MAX:
            raise Refused(
                "PROPOSALS_FULL", f"{PROPOSALS_MAX} commands of the account wait for approval: decide those first"
            )
        proposal = Proposal(
            command.key,
            self.kind,
            self.action,
            self.amount or effect.amount,
            command.principal,
            command.actor,
            command.channel,
            now_ms,
            command.digest,
        )
        return Effect((Proposed(proposal, over, asked.action.grounds()),))


def proposal_of(action: BaseAction) -> Propose:
    """Make the proposal of an action."""
    return Propose(str(type(action).__struct_config__.tag), _pack_action(action), action.at_stake())

"""Four eyes: decide, as another principal, a command that waits as a proposal.

An approval does exactly the proposed content in the entry that ends the proposal, so nothing is done twice and both
names are in one place; a repeat of the proposed key is answered with that outcome. Who may approve how much is a matter
of grants (`charging.ledger.permission`); that nobody approves their own proposal is a rule of the ledger.
"""

from typing import Annotated

from msgspec.structs import replace

from charging.base.account import Account, Proposal
from charging.base.asked import FilledIn
from charging.base.fields import Reason, RequestKey
from charging.errors import Denied, Refused
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.approvals import PROPOSAL_KEEP_MS
from charging.ledger.effect import Effect, VersionMoved
from charging.ledger.event import BaseEvent
from charging.ledger.outcome import failed, pack_outcome
from charging.ledger.staging import in_time, reckoned

DECIDED_KEPT_MAX = 16
"""Proposals of an account whose end a repeat of their key is told."""


class Decided(BaseEvent, frozen=True, tag="decided"):
    """A proposal is over. Approved, what it does are the other events of the same entry."""

    key: str
    approved: bool
    proposer: str
    """Principal that proposed; the entry's own is the one that decided."""
    proposer_actor: str
    reason: str
    outcome: bytes = b""
    """Packed `wire.Done` or `wire.Failed`: what a repeat of the proposed command is answered from here on."""

    rerates = False
    leads = True

    def apply(self, account: Account) -> Account:
        """Let it wait no more, and remember its end."""
        left = tuple(each for each in account.open.proposals if each.key != self.key)
        digest = next((each.digest for each in account.open.proposals if each.key == self.key), b"")
        decided = (*account.open.decided, (self.key, self.outcome, digest))[-DECIDED_KEPT_MAX:]
        return account.with_open(proposals=left, decided=decided)

    def words(self) -> str:
        """Say who proposed it, and why it was decided so."""
        verb = "approved" if self.approved else "rejected"
        return f"{verb} {self.key} of {self.proposer} ({self.proposer_actor or 'no actor'}): {self.reason}"


class Approve(BaseAction, frozen=True, tag="approve"):
    """Decide a proposal, as another principal than its own."""

    of_key: RequestKey
    """Request key of the proposed command."""
    reject: bool
    reason: Reason
    stage: Annotated[int, FilledIn()] = 0
    """Period of the run in whose stage money waits that the proposed command brings; 0 = it comes in at once."""
    number: Annotated[str, FilledIn()] = ""
    """Of the document that the proposed command makes: the owner's, while it decides."""
    completed: Annotated[bytes, FilledIn()] = b""
    """The proposed command, packed, with what the platform fills in by now; nothing else is taken from it."""

    sees_stages = True
    stages = True
    traits = Traits(
        sender=PLATFORM,
        permissions=("approve",),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Hold no limit against it."""
        return 0

    def staged(self, month: int) -> "Approve":
        """Let the money of the proposed command wait."""
        return replace(self, stage=month)

    def numbered(self, number: str) -> "Approve":
        """Let the proposed command have it."""
        return replace(self, number=number)

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """End a proposal, by doing it or without.

        Denied SAME_PRINCIPAL; Refused PROPOSAL_UNKNOWN, also when it was decided before, PROPOSAL_EXPIRED; and what the
        proposed command itself raises; `VersionMoved` where what the platform filled into that is not brought anew.
        """
        proposal = _decidable(account, command, self, now_ms)
        if self.reject:
            return _rejected(proposal, self)
        asked = command.of_proposal(proposal)
        action = asked.action.staged(self.stage) if self.stage else asked.action
        action = action.numbered(self.number) if self.number else action
        if self.completed:
            action = action.completed_by(command.carrying(self.completed).action)
        elif action.ages():
            raise VersionMoved  # The platform did not know the proposal yet, and so filled nothing in.
        effect = action.decide(account if action.sees_stages else reckoned(account), asked, now_ms)
        if not action.sees_stages:
            effect = in_time(account, effect)
        event = Decided(proposal.key, True, proposal.principal, proposal.actor, self.reason)
        return replace(effect, events=(event, *effect.events))


def _decidable(account: Account, command: Envelope, action: Approve, now_ms: int) -> Proposal:
    """Find the proposal that a principal may decide.

    Denied SAME_PRINCIPAL; Refused PROPOSAL_UNKNOWN, also when it was decided before, PROPOSAL_EXPIRED.
    """
    proposal = next((each for each in account.open.proposals if each.key == action.of_key), None)
    if proposal is None:
        raise Refused("PROPOSAL_UNKNOWN", f"no command with the key {action.of_key[:64]!r} waits for approval")
    if proposal.principal == command.principal and not action.reject:
        raise Denied("SAME_PRINCIPAL", f"{command.principal} proposed this: another principal must approve it")
    if proposal.time_ms + PROPOSAL_KEEP_MS <= now_ms and not action.reject:
        raise Refused("PROPOSAL_EXPIRED", "nobody approved it in time: send the command again under a new key")
    return proposal


def _rejected(proposal: Proposal, action: Approve) -> Effect:
    """End a proposal without doing it."""
    refusal = failed(Refused("PROPOSAL_REJECTED", f"it was rejected: {action.reason or 'no reason was given'}"))
    event = Decided(proposal.key, False, proposal.principal, proposal.actor, action.reason, pack_outcome(refusal))
    return Effect((event,))

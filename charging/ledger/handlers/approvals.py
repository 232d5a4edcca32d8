"""Four eyes: a command over what its sender may do alone waits as a proposal until another principal decides it.

The owner journals `Propose` under the command's own key and answers APPROVAL_NEEDED. `Approve`, under a key of its own,
does exactly the proposed content in the entry that ends the proposal, so nothing is done twice and both names are in
one place; a repeat of the proposed key is answered with that outcome. Who may approve how much is a matter of grants
(`charging.ledger.permission`); that nobody approves their own proposal is a rule of the ledger.
"""

import msgspec
from msgspec.structs import replace

from charging.base.account import Account, Proposal
from charging.errors import Broken, Denied, Invalid, Refused
from charging.ledger.commands import (
    Action,
    Adjust,
    Approve,
    Command,
    MoveMoney,
    Propose,
    Refund,
    SendTransfer,
    SetCreditLimit,
    TopUp,
)
from charging.ledger.decision import Effect
from charging.ledger.events import Decided, Event, Proposed
from charging.ledger.outcome import Done, Failed, failed, pack_outcome
from charging.ledger.permission import amount_of
from charging.ledger.standing import require_open

PROPOSALS_MAX = 16
"""Of one account, waiting."""
PROPOSAL_KEEP_MS = 7 * 86_400_000
"""A proposal that nobody decided for so long is over."""
PROPOSABLE = (Adjust, Refund, SetCreditLimit, TopUp, MoveMoney, SendTransfer)
"""What can wait for approval: commands of people on an account that exists."""

_REASONED = (Adjust, Refund, SetCreditLimit, MoveMoney, SendTransfer)

pack_action = msgspec.msgpack.Encoder().encode
_unpack_action = msgspec.msgpack.Decoder(Action).decode


def proposal_of(action: Action) -> Propose:
    """Make the proposal of an action."""
    return Propose(str(type(action).__struct_config__.tag), pack_action(action), amount_of(action))


def pending(key: str) -> Failed:
    """Give the outcome of a command that waits; also what its repeats are told until it is decided."""
    text = "a second principal must approve this: nothing is done yet, send an approval of this request key"
    return failed(Refused("APPROVAL_NEEDED", text, facts={"of_key": key}))


def outcome_now(account: Account | None, key: str) -> bytes | None:
    """Give the packed outcome of a proposal that is decided; None when the key is none, or what is stored holds."""
    if account is None or not account.decided:
        return None
    return next((outcome for known, outcome, _ in account.decided if known == key), None)


def remembered(account: Account, key: str) -> tuple[bytes, bytes] | None:
    """Give digest and packed outcome of a proposal's key; None when the account knows none.

    A proposal waits for longer than journals know their keys: without this a late repeat would be proposed, and done,
    a second time.
    """
    for known, outcome, digest in account.decided:
        if known == key:
            return digest, outcome
    for proposal in account.proposals:
        if proposal.key == key:
            return proposal.digest, pack_outcome(pending(key))
    return None


def proposed_command(command: Command, action: Propose) -> Command:
    """Give the command that waits, as it would be done now."""
    try:
        inner = _unpack_action(action.action)
    except msgspec.MsgspecError as error:
        raise Invalid("PROPOSAL_MALFORMED", "the proposed command can't be read") from error
    if not isinstance(inner, PROPOSABLE):
        raise Invalid("PROPOSAL_MALFORMED", f"{type(inner).__name__} can't wait for approval")
    return replace(command, action=inner)


def propose(account: Account, command: Command, action: Propose, effect: Effect, now_ms: int) -> Effect:
    """Let a command wait. `effect` is what it would do now: what could not be done is not proposed.

    Refused PROPOSALS_FULL, ACCOUNT_CLOSED.
    """
    require_open(account)
    over = tuple(each.key for each in account.proposals if each.time_ms + PROPOSAL_KEEP_MS <= now_ms)
    if len(account.proposals) - len(over) >= PROPOSALS_MAX:
        raise Refused(
            "PROPOSALS_FULL", f"{PROPOSALS_MAX} commands of the account wait for approval: decide those first"
        )
    proposal = Proposal(
        command.key,
        action.kind,
        action.action,
        action.amount or effect.amount,
        command.principal,
        command.actor,
        command.channel,
        now_ms,
        command.digest,
    )
    inner = _unpack_action(action.action)
    reason = inner.reason if isinstance(inner, _REASONED) else ""
    return Effect((Proposed(proposal, over, reason),))


def decidable(account: Account, command: Command, action: Approve, now_ms: int) -> Proposal:
    """Find the proposal that a principal may decide.

    Denied SAME_PRINCIPAL; Refused PROPOSAL_UNKNOWN, also when it was decided before, PROPOSAL_EXPIRED.
    """
    proposal = next((each for each in account.proposals if each.key == action.of_key), None)
    if proposal is None:
        raise Refused("PROPOSAL_UNKNOWN", f"no command with the key {action.of_key[:64]!r} waits for approval")
    if proposal.principal == command.principal and not action.reject:
        raise Denied("SAME_PRINCIPAL", f"{command.principal} proposed this: another principal must approve it")
    if proposal.time_ms + PROPOSAL_KEEP_MS <= now_ms and not action.reject:
        raise Refused("PROPOSAL_EXPIRED", "nobody approved it in time: send the command again under a new key")
    return proposal


def rejected(proposal: Proposal, action: Approve) -> Effect:
    """End a proposal without doing it."""
    refusal = failed(Refused("PROPOSAL_REJECTED", f"it was rejected: {action.reason or 'no reason was given'}"))
    event = Decided(proposal.key, False, proposal.principal, proposal.actor, action.reason, pack_outcome(refusal))
    return Effect((event,))


def approved_command(command: Command, proposal: Proposal) -> Command:
    """Give the command that is done now, in the words of whoever proposed it."""
    return replace(
        command,
        key=proposal.key,
        actor=proposal.actor,
        channel=proposal.channel,
        principal=proposal.principal,
        action=_unpack_action(proposal.action),
    )


def approved(proposal: Proposal, action: Approve, effect: Effect) -> Effect:
    """End a proposal by doing it."""
    event = Decided(proposal.key, True, proposal.principal, proposal.actor, action.reason)
    return replace(effect, events=(event, *effect.events))


def with_outcome(events: tuple[Event, ...], done: Done) -> tuple[Event, ...]:
    """Write the outcome of an approved command into the event that ends its proposal."""
    first = events[0]
    if not isinstance(first, Decided):
        raise Broken("INTERNAL", "an approval begins with the end of its proposal")
    return (replace(first, outcome=pack_outcome(done)), *events[1:]) if first.approved else events

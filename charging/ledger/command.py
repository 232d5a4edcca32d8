"""Every mutation of an account, as a keyed command to the one domain server that owns it.

A `Command` is what travels and what the journal keeps under its key. The platform normalises, validates and rates;
`charging.ledger.ledger.decide` checks against the state and says which events follow.
"""

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from charging.base.account import Account, Proposal
from charging.errors import Invalid
from charging.ledger.kinds import Action

_unpack_action = msgspec.msgpack.Decoder(Action).decode


class Command(Struct, frozen=True, array_like=True, gc=False):
    """An action on an account, with the key that makes it happen once."""

    account_id: str
    key: str
    digest: bytes
    """16 bytes over the content of the caller's request (not over what rating made of it)."""
    actor: str
    channel: str
    time_ms: int
    """Event time of the request."""
    action: Action
    principal: str = ""
    """Who sent it, as authenticated: `runtime.principal.Principal.name`; empty = the owner itself."""
    partner: str = ""

    def carrying(self, packed: bytes) -> "Command":
        """Give it with another action, packed. Raises `Invalid` PROPOSAL_MALFORMED."""
        return replace(self, action=_read_action(packed))

    def of_proposal(self, proposal: Proposal) -> "Command":
        """Give the command that a proposal keeps, in the words of whoever proposed it."""
        return replace(
            self.carrying(proposal.action),
            key=proposal.key,
            actor=proposal.actor,
            channel=proposal.channel,
            principal=proposal.principal,
        )


def waiting(account: Account, of_key: str) -> Action | None:
    """Give what waits for approval on an account under a request key; None = nothing does.

    Raises `Invalid` PROPOSAL_MALFORMED.
    """
    found = next((each for each in account.open.proposals if each.key == of_key), None)
    return _read_action(found.action) if found is not None else None


def _read_action(packed: bytes) -> Action:
    try:
        action: Action = _unpack_action(packed)
        return action
    except msgspec.MsgspecError as error:
        raise Invalid("PROPOSAL_MALFORMED", "the proposed command can't be read") from error

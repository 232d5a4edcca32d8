"""The owner's own command when a session's validity has passed: unused quota returns."""

import msgspec
from msgspec.structs import replace

from charging.base.account import Account
from charging.errors import Invalid, NotFound
from charging.ledger import session_state
from charging.ledger.action import OWNER, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.events import SessionStepped
from charging.ledger.outcome import SessionOutcome
from charging.ledger.session_state import EXPIRED, grant_of_none, without_quota
from charging.ledger.standing import require_here

_pack = msgspec.msgpack.Encoder().encode


class ExpireSession(BaseAction, frozen=True, tag="expire"):
    """The owner's own command when a session's validity has passed: unused quota returns."""

    session_id: str
    valid_until_ms: int
    """As it was when the owner saw it pass: a session that was renewed meanwhile goes on."""

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
        """End a session whose validity has passed: what it kept returns, what it charged stays.

        NotFound SESSION_UNKNOWN; Invalid SESSION_NOT_DUE when it was renewed meanwhile. Neither is kept.
        """
        require_here(account)
        session = session_state.find(account, self.session_id)
        if session is None:
            raise NotFound("SESSION_UNKNOWN", f"there is no session {self.session_id!r}")
        if session.valid_until_ms != self.valid_until_ms or now_ms < session.valid_until_ms:
            raise Invalid("SESSION_NOT_DUE", f"session {self.session_id!r} is valid until {session.valid_until_ms}")
        rows = tuple(without_quota(hold) for hold in session.holds)
        outcome = _pack(
            SessionOutcome(session.session_id, session.invocation, tuple(grant_of_none(hold) for hold in rows))
        )
        state = replace(session, holds=rows, outcome=outcome)
        return Effect((SessionStepped(state, EXPIRED, ()),), 0, outcome)

"""Suspend, resume or close an account."""

from typing import Annotated

from charging.base.account import Account
from charging.base.asked import FilledIn
from charging.base.contract import Contract
from charging.base.fields import STATUS, Reason, Status
from charging.errors import Refused
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.events import ContractSet, StatusSet
from charging.ledger.standing import require_open


class SetStatus(BaseAction, frozen=True, tag="status"):
    """Suspend, resume or close the account."""

    status: Status
    reason: Reason
    rests_until_ms: Annotated[int, FilledIn()] = 0
    """Of an account that closes: until when nobody else may have its identities, UTC; 0 = they are free at once."""

    traits = Traits(
        sender=PLATFORM,
        permissions=("set_account_status", "close_account"),
        predictable=True,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Hold no limit against it."""
        return 0

    def permission(self) -> str:
        """Give closing a name of its own: it can't be undone."""
        return "close_account" if self.status == "closed" else "set_account_status"

    def identities_written(self, account: Account | None) -> tuple[str, ...]:
        """Give all members of an account that closes."""
        return account.members if account is not None and self.status == "closed" else ()

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Suspend, resume or close.

        A closed account stays closed: its money stays with it, its identities are let go.
        """
        require_open(account)
        STATUS.read(self.status, "status")
        if self.status == "closed" and account.open.sessions:
            raise Refused(
                "SESSIONS_OPEN", "release the open sessions first", facts={"open": str(len(account.open.sessions))}
            )
        if self.status == "closed" and account.open.outgoing:
            raise Refused(
                "TRANSFERS_PENDING", "transfers are under way", facts={"pending": str(len(account.open.outgoing))}
            )
        if self.status != "closed":
            return Effect((StatusSet(self.status, self.reason, account.terms.status),))
        ended = [
            Contract(
                member,
                account.account_id,
                account.terms.domain,
                valid_to_ms=now_ms,
                status="ended",
                version=account.version + 1,
                rests_until_ms=self.rests_until_ms,
            )
            for member in account.members
        ]
        return Effect((StatusSet(self.status, self.reason, account.terms.status), *map(ContractSet, ended)))

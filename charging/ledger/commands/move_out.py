"""An account leaves for another domain; nothing but MoveOut again is accepted afterwards."""

import msgspec
from msgspec.structs import replace

from charging.base.account import Account, next_mark
from charging.errors import Refused
from charging.ledger.action import DATA_CENTER, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent
from charging.ledger.standing import require_here

_pack_account = msgspec.msgpack.Encoder().encode


class MovedOut(BaseEvent, frozen=True, tag="out"):
    """The account left for another domain."""

    to_domain: str

    rerates = False
    leads = True

    def apply(self, account: Account) -> Account:
        """Keep the status that it had, for telling the move again."""
        return account.with_terms(
            status="moved",
            status_reason=self.to_domain,
            before_move=(account.terms.status, account.terms.status_reason),
        )

    def words(self) -> str:
        """Say where it is."""
        return f"moved to {self.to_domain}"


class MoveOut(BaseAction, frozen=True, tag="out"):
    """The account leaves for another domain; nothing but MoveOut again is accepted afterwards."""

    to_domain: str

    sees_stages = True
    traits = Traits(
        sender=DATA_CENTER,
        permissions=(),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=True,
    )

    def at_stake(self) -> int:
        """Hold no limit against it."""
        return 0

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Let the account go, packed in `detail`; told again when it is asked again for the same domain."""
        if account.terms.status == "moved":
            if account.terms.status_reason != self.to_domain:
                require_here(account)
            status, reason = account.terms.before_move
            parcel = account.with_terms(status=status, status_reason=reason, before_move=())
            return Effect((), 0, _pack_account(parcel), repeated=True)
        if self.to_domain == account.terms.domain or not self.to_domain:
            raise Refused("MOVE_TO_SELF", f"account {account.account_id} is in {account.terms.domain} already")
        parcel = replace(account, version=account.version + 1, mark=next_mark(account.mark, command.key))
        return Effect((MovedOut(self.to_domain),), 0, _pack_account(parcel))

"""Suspend, resume or close an account."""

from typing import Annotated

from charging.base.account import MAIN_BOOK, Account
from charging.base.asked import Asked, FilledIn
from charging.base.bounds import AMOUNT_MAX
from charging.base.contract import Contract
from charging.base.fields import STATUS, Reason, Status
from charging.base.fieldtypes import MICRO_UNITS, Whole, refusal
from charging.errors import Refused
from charging.ledger import dues, funds
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.dues import NOTHING_DUE, Dues
from charging.ledger.effect import Effect, VersionMoved
from charging.ledger.event import BaseEvent
from charging.ledger.events import Booked, ContractSet, StatusSet
from charging.ledger.standing import require_open


class SetStatus(BaseAction, frozen=True, tag="status"):
    """Suspend, resume or close the account."""

    status: Status
    reason: Reason
    pay_out: Annotated[int, Whole(0, AMOUNT_MAX, unit=MICRO_UNITS)] = 0
    """Of an account that closes: all that its main book has, which is paid out; 0 = it stays with the account."""
    rests_until_ms: Annotated[int, FilledIn()] = 0
    """Of an account that closes: until when nobody else may have its identities, UTC; 0 = they are free at once."""
    dues: Annotated[Dues, FilledIn()] = NOTHING_DUE
    """Of an account that closes: what the end of all its members' contracts gives back and costs."""

    traits = Traits(
        sender=PLATFORM,
        permissions=("set_account_status", "close_account"),
        predictable=True,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def checked(self, asked: Asked) -> "SetStatus":
        """Raise `Invalid` FIELD_WITHOUT_EFFECT for a payout of an account that goes on."""
        if self.pay_out and self.status != "closed":
            raise refusal("FIELD_WITHOUT_EFFECT", "set_account_status.pay_out", "0, unless the account closes")
        return self

    def at_stake(self) -> int:
        """Give what is paid out, and the fees that it brings."""
        return self.pay_out + self.dues.at_stake()

    def permission(self) -> str:
        """Give closing a name of its own: it can't be undone."""
        return "close_account" if self.status == "closed" else "set_account_status"

    def identities_written(self, account: Account | None) -> tuple[str, ...]:
        """Give all members of an account that closes."""
        return account.members if account is not None and self.status == "closed" else ()

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Suspend, resume or close.

        A closed account stays closed: its identities are let go, what is left of their fees is given back, fees for
        ending early are taken, and its money stays with it unless it is paid out. Refused SESSIONS_OPEN,
        TRANSFERS_PENDING; PAYOUT_MISMATCH when its main book then has another amount than is to be paid out, BILLS_OPEN
        when some of its bills is not settled; and as `charging.ledger.dues.posted` refuses. Raises `VersionMoved` when
        a contract changed since its end was rated.
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
        if 0 < self.dues.base_version < account.terms_version:
            raise VersionMoved  # Also where nothing is due: another contract may bring something.
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
        fees = dues.posted(account, self.dues, now_ms)
        left = account
        for fee in fees:
            left = fee.apply(left)
        paid = self._paid_out(left)
        status = StatusSet(self.status, self.reason, account.terms.status)
        events: tuple[BaseEvent, ...] = (status, *map(ContractSet, ended), *fees, *paid)
        return Effect(events, dues.net(fees) + self.pay_out)

    def _paid_out(self, account: Account) -> tuple[Booked, ...]:
        if not self.pay_out:
            return ()
        if account.open.bills:
            raise Refused("BILLS_OPEN", "bills of the account are not settled: settle them before anything is paid out")
        book = funds.book_of(account, MAIN_BOOK)
        left = book.amount if book is not None else 0
        if left != self.pay_out:
            text = f"the main book has {left} micro-units, not {self.pay_out}: read the balance and decide anew"
            raise Refused("PAYOUT_MISMATCH", text, facts={"amount": str(left)})
        return (Booked("payout", ((MAIN_BOOK, -left),), self.reason or "closed"),)

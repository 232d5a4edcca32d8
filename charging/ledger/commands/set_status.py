"""Suspend, resume or close an account."""

from typing import Annotated

from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, Account
from charging.base.account_id import asked_for
from charging.base.asked import Asked, FilledIn
from charging.base.bounds import AMOUNT_MAX
from charging.base.contract import Contract
from charging.base.fields import STATUS, Reason, Status
from charging.base.fieldtypes import MICRO_UNITS, Identity, Whole, refusal
from charging.base.identity import normalise
from charging.base.money import show
from charging.errors import Refused
from charging.ledger import dues, funds
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.dues import NOTHING_DUE, Dues
from charging.ledger.effect import Effect, VersionMoved
from charging.ledger.event import BaseEvent
from charging.ledger.events import Booked, ContractSet, StatusSet
from charging.ledger.sending import TransferSent, check_room_for
from charging.ledger.standing import require_open, stopped_by_staff


class SetStatus(BaseAction, frozen=True, tag="status"):
    """Suspend, resume or close the account."""

    status: Status
    reason: Reason
    pay_out: Annotated[int, Whole(0, AMOUNT_MAX, unit=MICRO_UNITS)] = 0
    """Of an account that closes, or closed with it: all that its main book has, which leaves; 0 = it stays."""
    to_identity: Annotated[str, Identity(required=False)] = ""
    """Who gets `pay_out`, of another account in whatever domain; "" = it is paid out."""
    rests_until_ms: Annotated[int, FilledIn()] = 0
    """Of an account that closes: until when nobody else may have its identities, UTC; 0 = they are free at once."""
    dues: Annotated[Dues, FilledIn()] = NOTHING_DUE
    """Of an account that closes: what the end of all its members' contracts gives back and costs."""
    begun: Annotated[tuple[tuple[str, str, int], ...], FilledIn()] = ()
    """Likewise: what they had taken in this period that may be taken so often only; as `Open.begun`."""

    traits = Traits(
        sender=PLATFORM,
        permissions=("set_account_status", "close_account"),
        predictable=True,
        proposable=True,
        of_subscribers=False,
        ports=False,
    )

    def checked(self, asked: Asked) -> "SetStatus":
        """Give it with the other identity normalised.

        Raises `Invalid` FIELD_WITHOUT_EFFECT for a payout of an account that goes on, or for who gets nothing;
        IDENTITY_MALFORMED, TRANSFER_TO_ITSELF.
        """
        if self.pay_out and self.status != "closed":
            raise refusal("FIELD_WITHOUT_EFFECT", "set_account_status.pay_out", "0, unless the account closes")
        if not self.to_identity:
            return self
        if not self.pay_out:
            raise refusal("FIELD_WITHOUT_EFFECT", "set_account_status.to_identity", "empty, unless something leaves")
        other = normalise(self.to_identity, asked.country)
        if other == asked.identity:
            raise refusal("TRANSFER_TO_ITSELF", "set_account_status.to_identity", "one of another account")
        return replace(self, to_identity=other)

    def at_stake(self) -> int:
        """Give what is paid out, and the fees that it brings."""
        return self.pay_out + self.dues.at_stake()

    def grounds(self) -> str:
        """Give the reason."""
        return self.reason

    def ages(self) -> bool:
        """Say whether it brings fees: what a contract's end gives back and costs is another sum each day."""
        return bool(self.dues.fees)

    def completed_by(self, other: BaseAction) -> "SetStatus":
        """Take what the end of the contracts brings by now, and how long identities rest from now on."""
        if not isinstance(other, SetStatus):
            return self
        return replace(self, dues=other.dues, begun=other.begun, rests_until_ms=other.rests_until_ms)

    def permission(self) -> str:
        """Give closing a name of its own: it can't be undone."""
        return "close_account" if self.status == "closed" else "set_account_status"

    def identities_written(self, account: Account | None) -> tuple[str, ...]:
        """Give all members of an account that closes."""
        return account.members if account is not None and self.status == "closed" else ()

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Suspend, resume or close.

        A closed account stays closed: its identities are let go, what is left of their fees is given back, fees for
        ending early are taken, and its money stays with it unless it is paid out, or sent to another account as a
        transfer is. What came back from there, or stayed, may leave later by the same command. Refused SESSIONS_OPEN,
        TRANSFERS_PENDING; PAYOUT_MISMATCH when its main book then has another amount than is to leave, BILLS_OPEN when
        some of its bills is not settled; and as `charging.ledger.dues.posted` refuses. Raises `VersionMoved` when a
        contract changed since its end was rated.
        """
        STATUS.read(self.status, "status")
        if self.status == "closed" and self.pay_out and account.terms.status == "closed" and _left(account):
            return Effect(self._leaving(account, command, now_ms), self.pay_out)
        require_open(account)
        if self.status != "closed":
            return Effect((StatusSet(self.status, self.reason, account.terms.status),))
        _require_quiet(account)
        if 0 < self.dues.base_version < account.terms_version:
            raise VersionMoved  # Also where nothing is due: another contract may bring something.
        ended = [self._over(account, member, now_ms) for member in account.members]
        fees = dues.posted(account, self.dues, now_ms)
        left = account
        for fee in fees:
            left = fee.apply(left)
        leaving = self._leaving(left, command, now_ms) if self.pay_out else ()
        status = StatusSet(self.status, self.reason, account.terms.status, now_ms, stopped_by_staff(account))
        over = [
            ContractSet(each, begun=tuple([row for row in self.begun if row[0] == each.identity])) for each in ended
        ]
        events: tuple[BaseEvent, ...] = (status, *over, *fees, *leaving)
        return Effect(events, dues.net(fees) + self.pay_out)

    def _over(self, account: Account, member: str, now_ms: int) -> Contract:
        return Contract(
            member,
            account.account_id,
            account.terms.domain,
            valid_to_ms=now_ms,
            status="ended",
            version=account.version + 1,
            rests_until_ms=self.rests_until_ms,
        )

    def _leaving(self, account: Account, command: Envelope, now_ms: int) -> tuple[BaseEvent, ...]:
        """Pay out what is left, or send it on its way to another account."""
        if account.open.bills:
            raise Refused("BILLS_OPEN", "bills of the account are not settled: settle them before anything leaves")
        left = _left(account)
        if left != self.pay_out:
            there = f"the main book has {show(left)} {account.terms.currency}"
            text = f"{there}, not {show(self.pay_out)}: read the balance and decide anew"
            raise Refused("PAYOUT_MISMATCH", text, facts={"amount": str(left)})
        reason = self.reason or "closed"
        if not self.to_identity:
            return (Booked("payout", ((MAIN_BOOK, -left),), reason),)
        if self.to_identity in account.members or asked_for(self.to_identity) == account.account_id:
            raise Refused("TRANSFER_TO_ITSELF", "what is left of an account can't go to itself")
        check_room_for(account, command.key)
        return (
            TransferSent(
                command.key, MAIN_BOOK, self.to_identity, MAIN_BOOK, left, reason, now_ms, account.terms.currency
            ),
        )


def _left(account: Account) -> int:
    book = funds.book_of(account, MAIN_BOOK)
    return book.amount if book is not None else 0


def _require_quiet(account: Account) -> None:
    """Refuse SESSIONS_OPEN, TRANSFERS_PENDING what can't be done to an account while something is under way."""
    sessions, outgoing = len(account.open.sessions), len(account.open.outgoing)
    if sessions:
        raise Refused("SESSIONS_OPEN", "release the open sessions first", facts={"open": str(sessions)})
    if outgoing:
        raise Refused("TRANSFERS_PENDING", "transfers are under way", facts={"pending": str(outgoing)})

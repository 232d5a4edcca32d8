"""Last step of a voucher, at the account: take what it gives, say why not, or let it go back to its sheet."""

from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, MONEY, Account
from charging.base.fieldtypes import Amount
from charging.base.outgoing import Outgoing
from charging.errors import NotFound
from charging.ledger.action import OWNER, BaseAction, Envelope, Traits
from charging.ledger.adding import Addition, first_money, prepared
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent
from charging.ledger.events import Booked, Noticed
from charging.ledger.outcome import Failed, pack_outcome
from charging.ledger.standing import require_here
from charging.ledger.vouchers import REDEEMED_KEPT_MAX, WRONG, WRONG_MAX, Worth, returning, without, wrong, wrong_since

_GIVEN = Amount("TOP_UP_NOT_POSITIVE", beside="unit")


class VoucherSettled(BaseEvent, frozen=True, tag="redeemed"):
    """A redemption is over; what the books took are other events of the same entry."""

    key: str
    reason: str
    """Why there is nothing; "" = the voucher gave what it was worth."""
    serial: str
    """Of the voucher; "" = it gave nothing."""
    missed: tuple[int, ...]
    """When wrong codes were given, this one with them."""
    barred_ms: int
    """When they were too many; 0 = they are not."""
    outcome: bytes = b""
    """Packed `wire.Done` or `wire.Failed`: what a repeat of the redemption is answered from here on."""

    rerates = False
    leads = True

    def apply(self, account: Account) -> Account:
        """Let it be under way no more, count a wrong code, and remember the end."""
        row = next((row for row in account.open.outgoing if row.key == self.key), None)
        digest = row.voucher.digest if row is not None and row.voucher is not None else b""
        redeemed = (*account.open.redeemed, (self.key, self.outcome, digest))[-REDEEMED_KEPT_MAX:]
        return without(account, self.key).with_open(redeemed=redeemed, missed=self.missed, barred_ms=self.barred_ms)

    def words(self) -> str:
        """Name the voucher, or say why it gave nothing."""
        return self.reason or f"voucher {self.serial}"


class VoucherReturning(BaseEvent, frozen=True, tag="unredeemed"):
    """The account can't take what a voucher gives: it goes back to its sheet."""

    key: str
    reason: str

    rerates = False
    leads = True

    def apply(self, account: Account) -> Account:
        """Note it with what is under way."""
        return returning(account, self.key, self.reason)

    def words(self) -> str:
        """Say why."""
        return f"goes back: {self.reason}"


class SettleVoucher(BaseAction, frozen=True, tag="settle_voucher"):
    """Last step of a redemption. One of the three is given."""

    asked_key: str
    """Request key of its first step."""
    worth: Worth | None
    """The voucher is used up for this account, and gives this."""
    refusal: Failed | None
    """There is nothing, for good."""
    returns: str
    """The voucher is used up, and what it gives can't be taken: the reason of that."""

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
        """End a redemption.

        NotFound VOUCHER_NOT_ASKED when it is not under way; what `charging.ledger.adding` raises when the books can't
        take it: then it is sent again with `returns`.
        """
        require_here(account)
        row = next((row for row in account.open.outgoing if row.key == self.asked_key), None)
        if row is None or row.voucher is None:
            raise NotFound("VOUCHER_NOT_ASKED", f"no voucher is asked for under {self.asked_key!r}")
        missed = wrong_since(account, now_ms)
        if self.returns:
            return Effect((VoucherReturning(row.key, self.returns),))
        if self.worth is not None:
            return _taken(account, row, self.worth, missed, now_ms)
        refusal = self.refusal or Failed("refused", row.voucher.returns, "the account could not take it")
        return _refused(account, row, refusal, missed, now_ms)


def _taken(account: Account, row: Outgoing, worth: Worth, missed: tuple[int, ...], now_ms: int) -> Effect:
    _GIVEN.read(worth.amount, "amount")
    book_id, unit = worth.book_id or MAIN_BOOK, worth.unit or MONEY
    ends_ms = now_ms + worth.validity_ms if worth.validity_ms else 0
    made = prepared(account, Addition(book_id, unit, worth.amount, ends_ms, allowance=worth.allowance), now_ms)
    settled = VoucherSettled(row.key, "", worth.serial, missed, account.open.barred_ms)
    booked = Booked("voucher", ((book_id, worth.amount),), f"voucher {worth.serial}")
    events = (settled, *made, booked, *first_money(account, unit))
    return Effect(events, worth.amount if unit == MONEY else 0)


def _refused(account: Account, row: Outgoing, refusal: Failed, missed: tuple[int, ...], now_ms: int) -> Effect:
    barred_ms = account.open.barred_ms
    notices: tuple[BaseEvent, ...] = ()
    if refusal.reason == WRONG:
        missed, refusal = wrong(missed, refusal, now_ms)
        if len(missed) >= WRONG_MAX and not barred_ms:
            barred_ms, notices = now_ms, (Noticed(("vouchers-blocked",)),)
    told = pack_outcome(replace(refusal, repeated=False))
    return Effect((VoucherSettled(row.key, refusal.reason, "", missed, barred_ms, told), *notices))

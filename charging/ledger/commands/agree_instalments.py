"""Agree that what is owed is paid later, at once or in parts: until then it is not overdue."""

from typing import Annotated

from msgspec.structs import replace

from charging.base.account import Account
from charging.base.fields import Reason
from charging.base.fieldtypes import Moment, Name, Whole, refusal
from charging.base.openbills import DAY_MS, INSTALMENTS_MAX, OpenBill, counted
from charging.base.receivables import with_bills
from charging.bills.coins import coin_of
from charging.errors import Refused
from charging.ledger.action import PLATFORM, BaseAction, Envelope, Traits
from charging.ledger.effect import Effect
from charging.ledger.event import BaseEvent
from charging.ledger.settling import require_bill
from charging.ledger.standing import require_here

_PARTS = Whole(0, INSTALMENTS_MAX)
_DAYS = Whole(0, 92)
AHEAD_MS_MAX = 5 * 366 * DAY_MS
"""How far ahead an agreement may reach."""


class InstalmentsAgreed(BaseEvent, frozen=True, tag="instalments"):
    """What is owed of bills is paid in these parts; none = as it was due."""

    agreed: tuple[tuple[str, tuple[tuple[int, int], ...]], ...]
    """By the number of the bill: (when it is overdue, micro-units) each."""
    at_ms: int
    """By the owner's clock."""
    reason: str

    rerates = False
    leads = True
    recounts = True

    def apply(self, account: Account) -> Account:
        """Put them in the place of what was agreed before."""
        agreed = dict(self.agreed)
        bills = [
            replace(counted(bill, self.at_ms), instalments=agreed[bill.number]) if bill.number in agreed else bill
            for bill in account.open.bills
        ]
        return with_bills(account, bills)

    def words(self) -> str:
        """Say the reason, or how many parts."""
        parts = max([len(rows) for _, rows in self.agreed], default=0)
        return self.reason or (f"agreed to pay in {parts} parts" if parts else "no agreement to pay later any more")


class AgreeInstalments(BaseAction, frozen=True, tag="instalments"):
    """Agree with a customer who can't pay at once; a part that is not paid in time is overdue as any bill."""

    bill: Annotated[str, Name(required=False)]
    """Empty = all that are open."""
    parts: Annotated[int, _PARTS]
    """Equal ones, the first takes what does not divide; 1 = all of it later, 0 = no agreement any more."""
    first_due_ms: Annotated[int, Moment()]
    """When the first is overdue unless it is paid."""
    every_days: Annotated[int, _DAYS]
    """Between one part and the next; 0 = 30."""
    reason: Reason

    traits = Traits(
        sender=PLATFORM,
        permissions=("agree_instalments",),
        predictable=False,
        proposable=False,
        of_subscribers=False,
        ports=False,
    )

    def at_stake(self) -> int:
        """Hold no limit against it: nothing is given up."""
        return 0

    def decide(self, account: Account, command: Envelope, now_ms: int) -> Effect:
        """Agree. Refused BILL_UNKNOWN, BILL_SETTLED, NOTHING_OWED; Invalid AGREEMENT_MALFORMED, AMOUNT_OUT_OF_RANGE."""
        require_here(account)
        parts, days = _PARTS.read(self.parts, "parts"), _DAYS.read(self.every_days, "every_days") or 30
        last_ms = self.first_due_ms + parts * days * DAY_MS
        if parts and not now_ms < self.first_due_ms <= last_ms <= now_ms + AHEAD_MS_MAX:
            raise refusal("AGREEMENT_MALFORMED", "first_due_ms", "ahead, and the last part within five years")
        if not parts and self.first_due_ms:
            raise refusal("AGREEMENT_MALFORMED", "first_due_ms", "0, where nothing is to be paid later")
        bills = [require_bill(account, self.bill)] if self.bill else [each for each in account.open.bills if each.owed]
        if not any(bill.owed for bill in bills):
            raise Refused("NOTHING_OWED", "nothing is owed there but what is disputed, if anything")
        moments = [self.first_due_ms + number * days * DAY_MS for number in range(parts)]
        coin = coin_of(account.terms.currency)
        agreed = tuple([(bill.number, _split(bill, moments, coin)) for bill in bills if bill.owed])
        return Effect((InstalmentsAgreed(agreed, now_ms, self.reason),), sum([bill.owed for bill in bills]))


def _split(bill: OpenBill, moments: list[int], coin: int) -> tuple[tuple[int, int], ...]:
    """Split what is owed into parts that coins pay, the first takes the rest; exactly where coins are too large."""
    if not moments:
        return ()
    unit = coin if bill.owed >= len(moments) * coin else 1
    part = bill.owed // (len(moments) * unit) * unit
    rest = bill.owed - part * len(moments)
    return tuple([(moment, part + (rest if at == 0 else 0)) for at, moment in enumerate(moments)])

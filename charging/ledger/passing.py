"""A bill that another account pays: it leaves the account that it was made for as a transfer leaves, and becomes a line
of its payer's next bill.

1. The owner of the account closes the period and passes the bill on in the same entry (`BillPassed`): nothing of it is
   owed here any more, it is under way (`Open.outgoing`).
2. The payer's owner takes it over, once (`commands.receive_bill`): a line of the bill of its open period.
3. At home it is forgotten, or owed here after all when the payer refused it (`BillReturned`).

    receivable here = opened - passed on;  under way = passed on - taken over - come back;  line there = taken over
"""

from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, Account
from charging.base.account_id import identity_of
from charging.base.buckets import Billed
from charging.base.openbills import OpenBill
from charging.base.outgoing import Outgoing
from charging.base.receivables import RECEIVABLE, bill_of, with_bills
from charging.bills.bill import PAYEE, PAYEE_ITEM
from charging.ledger import funds
from charging.ledger.event import BaseEvent, Leg

TRANSIT = "transit"


def payer_of(account: Account, month: int) -> str:
    """Give the account that pays the bill of a period, months since the year 0; "" = it pays for itself."""
    return next((payer for since, payer in reversed(account.open.payers) if since <= month), "")


def with_payer(account: Account, month: int, payer: str) -> Account:
    """Give the account with another payer from a period on; "" = itself.

    In each period that is not closed yet, and before that one, it stays whoever it was.
    """
    oldest = account.terms.closed + 1
    since = [row for row in account.open.payers if oldest < row[0] < month]
    rows = ((0, payer_of(account, oldest)), *since, (month, payer))
    return account.with_open(payers=rows if any(each for _, each in rows) else ())


def is_paid_for(account: Account) -> bool:
    """Say whether another account pays the bill of a period that is not closed yet, or of one to come."""
    oldest = account.terms.closed + 1
    return bool(payer_of(account, oldest)) or any(payer for since, payer in account.open.payers if since > oldest)


class BillPassed(BaseEvent, frozen=True, tag="bill_passed"):
    """A bill was passed on to its payer: it is owed here no more."""

    key: str
    """Of what is under way."""
    bill: OpenBill
    to_account: str
    of_ms: int
    """A moment of the period that it is for, UTC."""
    sent_ms: int
    currency: str

    rerates = False
    moves_money = False

    def apply(self, account: Account) -> Account:
        """Owe nothing of it, and remember it as under way."""
        row = Outgoing(
            self.key,
            MAIN_BOOK,
            identity_of(self.to_account),
            MAIN_BOOK,
            self.bill.open,
            self.sent_ms,
            self.currency,
            bill=self.bill,
            of_ms=self.of_ms,
        )
        others = [each for each in account.open.bills if each.number != self.bill.number]
        state = with_bills(account, (*others, replace(self.bill, items=())))
        return state.with_open(outgoing=(*state.open.outgoing, row))

    def legs(self) -> tuple[Leg, ...]:
        """Post from what is owed into transit."""
        return Leg(RECEIVABLE, self.bill.open), Leg(TRANSIT, -self.bill.open)

    def words(self) -> str:
        """Name the payer."""
        return f"bill {self.bill.number} goes to {self.to_account}, which pays it"


class BillAssumed(BaseEvent, frozen=True, tag="bill_assumed"):
    """The bill of another account was taken over: a line of the next bill here."""

    from_account: str
    number: str
    amount: int
    of_ms: int

    rerates = False

    def apply(self, account: Account) -> Account:
        """Take it from the main book, as far below zero as it needs: a bill is owed whatever the credit."""
        return replace(account, books=funds.shift(account.books, ((MAIN_BOOK, self.amount),), -1))

    def legs(self) -> tuple[Leg, ...]:
        """Post out of transit: it is no revenue here, for it was where it was made."""
        return Leg(f"book:{MAIN_BOOK}", -self.amount), Leg(TRANSIT, self.amount)

    def billed(self) -> tuple[Billed, ...]:
        """Bill it in the period that it is of, or the oldest open one, by the account that it was made for."""
        member = identity_of(self.from_account)
        return (Billed(self.of_ms, PAYEE_ITEM, member, self.amount, kind=PAYEE, rule=self.number),)

    def words(self) -> str:
        """Name the bill."""
        return f"bill {self.number} of {self.from_account} taken over"


class BillReturned(BaseEvent, frozen=True, tag="bill_returned"):
    """A bill that was passed on has arrived, or its payer refused it: then it is owed here."""

    key: str
    bill: OpenBill
    reason: str
    """Of the refusal; "" = it arrived."""

    rerates = False
    moves_money = False

    def apply(self, account: Account) -> Account:
        """Forget that it is under way, and owe what came back."""
        state = account.with_open(outgoing=tuple(row for row in account.open.outgoing if row.key != self.key))
        if not self.reason:
            return state
        known = bill_of(state, self.bill.number)  # It may have been credited while it was under way.
        bill = replace(self.bill, credited=known.credited, notes=known.notes) if known is not None else self.bill
        return with_bills(state, (*state.open.bills, bill))

    def legs(self) -> tuple[Leg, ...]:
        """Post what came back out of transit to what is owed."""
        return (Leg(RECEIVABLE, -self.bill.open), Leg(TRANSIT, self.bill.open)) if self.reason else ()

    def words(self) -> str:
        """Say what became of it."""
        if self.reason:
            return f"bill {self.bill.number} came back: {self.reason}"
        return f"bill {self.bill.number} was taken over by its payer"

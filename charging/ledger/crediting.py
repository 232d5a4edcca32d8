"""Credit notes: a closed bill never changes, what was wrong about it is credited beside it."""

from collections.abc import Sequence

from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, Account
from charging.base.money import show
from charging.base.openbills import OpenBill, Share, pack_settled, settled_bills
from charging.base.receivables import RECEIVABLE, bill_of, with_bills, with_shares
from charging.errors import Refused
from charging.ledger import funds
from charging.ledger.event import BaseEvent, Leg, Settlement
from charging.ledger.events import Noticed
from charging.ledger.settling import settled_by, total

CREDIT_NOTES = "credit_note"
"""Place that credits come from."""


class BillCredited(BaseEvent, frozen=True, tag="credited"):
    """A part of a bill, or all of it, was credited."""

    number: str
    """Of the bill."""
    note: str
    """Number of the credit note, of the owner's series."""
    amount: int
    """Micro-units, tax included."""
    before: int
    """What was credited of the bill before: the tax of this note is that of both together, less that of those."""
    shares: tuple[Share, ...]
    """What of it made the bill smaller; the rest of the amount went to the main book, for it was paid before."""
    at_ms: int
    """By the owner's clock."""
    reason: str

    rerates = False
    leads = True
    recounts = True

    @property
    def rest(self) -> int:
        """What went to the balance, micro-units."""
        return self.amount - total(self.shares)

    def apply(self, account: Account) -> Account:
        """Let the bill become smaller, give the rest back, and count the note."""
        books = funds.shift(account.books, ((MAIN_BOOK, self.rest),), 1) if self.rest else account.books
        state = _noted(replace(account, books=books), self.number, self.amount)
        return with_shares(state, self.shares, self.at_ms, -1, 0)

    def legs(self) -> tuple[Leg, ...]:
        """Post from credit notes to what is owed, and to the main book."""
        return (
            Leg(f"book:{MAIN_BOOK}", self.rest),
            Leg(CREDIT_NOTES, -self.amount),
            Leg(RECEIVABLE, self.amount - self.rest),
        )

    def settles(self) -> tuple[Settlement, ...]:
        """Tell by what the bill became smaller."""
        return settled_by(self.shares, CREDIT_NOTES)

    def words(self) -> str:
        """Say the reason, or the note."""
        return self.reason or f"credit note {self.note}"

    def numbers(self) -> tuple[str, ...]:
        """Give the one of its note."""
        return (self.note,)


def crediting(
    account: Account, number: str, amount: int, note: str, now_ms: int, reason: str, first: Sequence[Share] = ()
) -> BillCredited:
    """Say what a credit of a bill does: it takes `first` what these shares name, then the rest of the bill.

    `note` is the number of the credit note.
    Refused BILL_UNKNOWN, CREDIT_EXCEEDS_BILL.
    """
    bill = bill_of(account, number)
    if bill is None:
        text = f"the account has no bill {number!r}, or it was settled longer ago than is remembered"
        raise Refused("BILL_UNKNOWN", text, facts={"bill": number})
    left = bill.billed - bill.credited - bill.written_off
    if amount > left:
        facts = {"billed": str(bill.billed), "credited": str(bill.credited), "left": str(left)}
        text = f"{show(left)} {account.terms.currency} of bill {number!r} are left to credit"
        raise Refused("CREDIT_EXCEEDS_BILL", text, facts=facts)
    return BillCredited(number, note, amount, bill.credited, _shares(bill, amount, first), now_ms, reason)


def telling(note: str) -> Noticed:
    """Tell whoever asked for a credit the number of its note, which the owner gave."""
    return Noticed((f"credited:{note}",))


def _shares(bill: OpenBill, amount: int, first: Sequence[Share]) -> tuple[Share, ...]:
    """Take what is named first, then all items from the last to the first, disputes left alone."""
    left = amount
    parts: dict[tuple[str, str], int] = {}
    wanted = [((share.item, share.service), share.amount) for share in first]
    wanted += [((row.item, row.service), row.open) for row in reversed(bill.items)]
    room = {(row.item, row.service): row.open - row.disputed for row in bill.items}
    for name, most in wanted:
        part = min(left, most, room.get(name, 0))
        if part > 0:
            parts[name] = parts.get(name, 0) + part
            room[name] -= part
            left -= part
    return tuple([Share(bill.number, item, service, part) for (item, service), part in parts.items()])


def _noted(account: Account, number: str, amount: int) -> Account:
    def one(bill: OpenBill) -> OpenBill:
        if bill.number != number:
            return bill
        return replace(bill, credited=bill.credited + amount, notes=bill.notes + 1)

    settled = account.open.settled
    if any(bill.number == number for bill in settled_bills(settled)):
        settled = pack_settled([one(bill) for bill in settled_bills(settled)])
    return with_bills(account.with_open(settled=settled), [one(bill) for bill in account.open.bills])

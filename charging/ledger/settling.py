"""What money does with open bills: which of them may be settled, and that the balance settles them by itself.

Settlement (销账) takes money that is there and makes a bill smaller by it; write-off (核销) gives a debt up. What is
disputed is not settled until somebody decides.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, Account, Book
from charging.base.fieldtypes import refusal
from charging.base.money import show
from charging.base.openbills import OpenBill, Share, allocate, find, settled_bills
from charging.base.receivables import RECEIVABLE, kept_for_bills, with_shares
from charging.errors import Refused
from charging.ledger import funds
from charging.ledger.event import BaseEvent, Leg, Pair, Settlement, book_legs

BY_HAND = "settle_by_hand"
"""Attribute of an account whose balance settles nothing by itself when it is "yes"."""


class Settled(BaseEvent, frozen=True, tag="bs"):
    """Money of the account's own books settled bills."""

    postings: tuple[Pair, ...]
    """Taken from money books, positive."""
    shares: tuple[Share, ...]
    """What it settled; they add up to the postings."""
    at_ms: int
    """By the owner's clock."""

    rerates = False

    def apply(self, account: Account) -> Account:
        """Take from the books, and let the bills become smaller."""
        paid = replace(account, books=funds.shift(account.books, self.postings, -1))
        return with_shares(paid, self.shares, self.at_ms, -1, 0)

    def legs(self) -> tuple[Leg, ...]:
        """Post from the books to what is owed."""
        return (*book_legs(self.postings, -1), Leg(RECEIVABLE, total(self.shares)))

    def settles(self) -> tuple[Settlement, ...]:
        """Tell what the balance settled."""
        return settled_by(self.shares, "balance")

    def words(self) -> str:
        """Name the bills."""
        return f"settled {numbers(self.shares)}"


OF_THE_HOUSE = frozenset(
    {RECEIVABLE, "adjust", "credit_note", "lapse", "move", "revenue", "taken_over", "transit", "use", "written_off"}
)
"""Places that what comes in can't be called by: they stand for something else in every account's books."""


def check_kind(kind: str, path: str) -> str:
    """Give how money came in as it is. Raises `Invalid` PAYMENT_KIND_TAKEN for what names a place of the house."""
    if kind in OF_THE_HOUSE or kind.startswith("book:"):
        raise refusal("PAYMENT_KIND_TAKEN", path, "payment, cash, transfer, or how else it came in")
    return kind


def total(shares: Iterable[Share]) -> int:
    """Add up shares, micro-units."""
    return sum([share.amount for share in shares])


def settled_by(shares: Iterable[Share], how: str, sign: int = 1) -> tuple[Settlement, ...]:
    """Add shares up by bill; `sign` -1 = they are owed again."""
    found: dict[str, int] = {}
    for share in shares:
        found[share.number] = found.get(share.number, 0) + sign * share.amount
    return tuple([(number, how, amount) for number, amount in found.items()])


def numbers(shares: Iterable[Share]) -> str:
    """Name the bills of shares, each once."""
    return ", ".join(dict.fromkeys(share.number for share in shares))


def require_bill(account: Account, number: str) -> OpenBill:
    """Find a bill of which something is open. Refused BILL_SETTLED, BILL_UNKNOWN."""
    bill = find(account.open.bills, number)
    if bill is not None and bill.open:
        return bill
    if bill is not None or find(settled_bills(account.open.settled), number) is not None:
        raise Refused("BILL_SETTLED", f"nothing of bill {number!r} is open any more", facts={"bill": number})
    text = f"the account has no bill {number!r}, or it was settled longer ago than is remembered"
    raise Refused("BILL_UNKNOWN", text, facts={"bill": number})


def settling(account: Account, amount: int, number: str, service: str, item: str = "") -> tuple[Share, ...]:
    """Say what of a bill, a service or an item exactly an amount settles; 0 = all that is owed of it.

    Refused BILL_UNKNOWN, BILL_SETTLED, NOTHING_OWED, PAYMENT_EXCEEDS_BILL.
    """
    if number:
        require_bill(account, number)
    mine = allocate(account.open.bills, owed_of(account, number, service, item), number, service, item)
    owed = total(mine)
    if not owed:
        raise Refused("NOTHING_OWED", "nothing is owed there but what is disputed, if anything")
    if amount > owed:
        facts = {"owed": str(owed), "bill": number}
        currency = account.terms.currency
        text = f"{show(amount)} {currency} are more than the {show(owed)} that are owed there and not disputed"
        raise Refused("PAYMENT_EXCEEDS_BILL", text, facts=facts)
    return allocate(account.open.bills, amount or owed, number, service, item)


def owed_of(account: Account, number: str, service: str, item: str) -> int:
    """Give what is to be paid of a bill, a service, an item, or of all of the account, micro-units."""
    rows = [row for bill in account.open.bills if number in ("", bill.number) for row in bill.items]
    mine = [row for row in rows if service in ("", row.service) and item in ("", row.item)]
    return sum([row.open - row.disputed for row in mine])


def free_of(account: Account, book: Book) -> int:
    """Give what of a book may settle bills: what sessions leave of it, never credit, micro-units."""
    kept = kept_for_bills(account) if book.book_id == MAIN_BOOK else 0
    return max(0, book.amount - book.reserved + kept)


def entailed(account: Account, now_ms: int) -> tuple[Settled, ...]:
    """Say what the balance settles by itself as an account is now: the oldest due first, from unbound valid money."""
    if not account.open.bills or account.terms.attributes.get(BY_HAND) == "yes" or account.terms.status == "moved":
        return ()
    money = [(book.book_id, free_of(account, book)) for book in account.books if funds.spendable(book, now_ms)]
    free_in_all = sum([free for _, free in money])
    if not free_in_all:
        return ()
    shares = allocate(account.open.bills, free_in_all)
    missing = total(shares)
    if not missing:
        return ()
    postings: list[Pair] = []
    for book_id, free in money:
        part = min(free, missing)
        if part:
            postings.append((book_id, part))
            missing -= part
    return (Settled(tuple(postings), shares, now_ms),)

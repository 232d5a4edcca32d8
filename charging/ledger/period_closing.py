"""What closing a period asks of an account, holds its bill against, and makes of it: `commands.close_period` decides.

Here is what has to be done for each bill of a run, as plain functions that compile.
"""

from collections.abc import Sequence
from hashlib import blake2b

import msgspec
from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, Account, shared_terms
from charging.base.bounds import BOOK_MAX, TIME_MS_MAX
from charging.base.buckets import MONEY_IN, SumKey
from charging.base.discounted import REMEMBERED_MAX, SEEN_BYTES_MAX, DiscountedPeriod, newest, taken_of
from charging.base.localtime import month_text
from charging.base.openbills import ITEMS_MAX, OpenBill, OpenItem
from charging.base.receivables import bill_opened, late_fees, late_fees_billed
from charging.bills.bill import BILL, DISCOUNT, Bill
from charging.errors import Invalid
from charging.ledger import buckets, funds
from charging.ledger.accruals import accrue
from charging.ledger.event import Pair

ACCRUALS_MAX = 1_000
"""Counters of limits that the discounts of one bill move."""
STEPS_BYTES_MAX = 1 << 20
"""Of the explanation of a bill's discounts."""

_pack = msgspec.msgpack.Encoder().encode


def bucket_mark(account: Account, month: int) -> bytes:
    """Give the fingerprint of what a bill is made of: the bucket, its terms, and what earlier bills left to it.

    Equal marks, equal bills: it is not the account's version, so traffic of other periods never makes a bill stale.
    """
    owed = [(bill.number, bill.late_billed) for bill in account.open.bills]
    content = (account.buckets.of(month), account.open.carried, owed, account.terms_version)
    return blake2b(_pack(content), digest_size=16).digest()


class PeriodSums:
    """What the bucket of a period adds up to, micro-units, looked at once."""

    __slots__ = ("billed", "charged", "moved", "off", "opening")

    def __init__(self, account: Account, month: int) -> None:
        charged = off = moved = since = 0
        billed = False
        sums = account.buckets
        amounts = sums.amounts
        for place, key in enumerate(sums.keys):
            of = key.month
            if of < month:
                continue
            amount = amounts[place]
            if key.item[:1] == MONEY_IN:
                since += amount
                if of == month:
                    moved += amount
            else:
                since -= amount
                if of == month:
                    billed = billed or amount != 0
                    if key.kind == DISCOUNT:
                        off += amount
                    else:
                        charged += amount
        self.charged = charged
        """What was charged, discounts apart."""
        self.off = off
        """Of discounts: below zero, as they are posted."""
        self.moved = moved
        """Money that came in, less what went out."""
        self.billed = billed
        """Some sum of charges is not zero."""
        self.opening = buckets.bill_money(account.books) - since
        """What the money books held when the period began."""


def opening_of(account: Account, month: int) -> int:
    """Give what the money books held when the oldest open period began, micro-units; below zero it was owed.

    It is what they hold now without all that is in the buckets: so nothing of it is kept, and nothing can be lost.
    """
    return PeriodSums(account, month).opening


def is_money(key: SumKey) -> bool:
    """Say whether a sum is of money that came in or went out, not of charges."""
    return key.item[:1] == MONEY_IN


def closed(
    account: Account,
    month: int,
    bill: Bill | None,
    extra: int,
    opened: OpenBill | None,
    late: Sequence[Pair],
    accruals: Sequence[Pair],
    cover: Sequence[Pair],
    discounted: tuple[DiscountedPeriod, ...],
) -> Account:
    """Give the account with what was not posted taken, what is left to pay owed, and the bucket of a period forgotten.

    The arguments are those of `commands.close_period.PeriodClosed`, `opened` the bill as it is owed.
    """
    books, opens = account.books, account.open
    if discounted or opens.discounted:
        opens = replace(opens, discounted=newest(opens.discounted, discounted, month))
    if bill is not None:
        opens = replace(opens, carried=bill.carried_out)
        if extra:
            books = funds.shift(books, ((MAIN_BOOK, extra),), -1)
    state = Account(
        account.account_id,
        account.version,
        account.mark,
        account.terms_version,
        account.customer_id,
        account.members,
        books,
        accrue(account.accumulators, accruals) if accruals else account.accumulators,
        shared_terms(replace(account.terms, closed=month)),
        opens,
        buckets.without(account.buckets, month),
    )
    if opened is None:
        return state
    state = bill_opened(late_fees_billed(state, late), opened)
    if not cover:
        return state
    moves = (*cover, (MAIN_BOOK, -sum([amount for _, amount in cover])))
    return replace(state, books=funds.shift(state.books, moves, -1))


def cover_of(account: Account, now_ms: int) -> tuple[Pair, ...]:
    """Say what other money pays the debt of the main book with: a bill is settled by all money that an account has.

    So whoever had enough in another book is not left owing what nobody asks for.
    """
    main = funds.book_of(account, MAIN_BOOK)
    missing = -main.amount if main is not None else 0
    if missing <= 0:
        return ()
    found: list[Pair] = []
    for book in account.books:
        if missing > 0 and book.book_id != MAIN_BOOK and funds.spendable(book, now_ms):
            part = min(missing, max(0, book.amount - book.reserved))
            if part:
                found.append((book.book_id, part))
                missing -= part
    return tuple(found)


def differs(account: Account, month: int, bill: Bill, sums: PeriodSums) -> str:
    """Name the first thing, but for lines, in which a bill differs from its account; "" = it agrees."""
    terms, balance = account.terms, bill.balance
    if bill.account != account.account_id or bill.kind != BILL or bill.number:
        return "account"
    if bill.currency != terms.currency:
        return "currency"
    if bill.period != f"{month_text(month)}/{terms.cycle_day}":
        return "period"
    if bill.carried_in != account.open.carried:
        return "carried rest"
    if balance is None or balance.opening != sums.opening:
        return "balance"
    if sum([each.amount for each in balance.moved]) != sums.moved:
        return "money that moved"
    if bill.settled > max(0, sums.opening + sums.moved + bill.carried_in):
        return "settled part"
    return ""


def owed_differs(
    account: Account, bill: Bill, items: Sequence[OpenItem], due_ms: int, late: Sequence[Pair], now_ms: int
) -> str:
    """Name what is wrong of what is left to pay of a bill, and of the late fees that it asks for; "" = nothing is."""
    if not _items_agree(items, max(0, bill.total - bill.settled)):
        return "items"
    if len(items) > ITEMS_MAX or not 0 <= due_ms <= TIME_MS_MAX:
        return "number of items"
    if late:
        known = dict(late_fees(account, now_ms))
        for number, amount in late:
            if not 0 < amount <= known.get(number, 0):
                return "late fees"
    return ""


def _items_agree(items: Sequence[OpenItem], payable: int) -> bool:
    for row in items:
        opened = row.open
        payable -= opened
        if not 0 < opened <= row.billed <= BOOK_MAX:
            return False
    return payable == 0


def lines_differ(
    account: Account,
    month: int,
    bill: Bill,
    sums: PeriodSums,
    late: Sequence[Pair],
    accruals: Sequence[Pair],
    steps: bytes,
    discounted: Sequence[DiscountedPeriod],
) -> str:
    """Name what is wrong where lines are not the account's sums, but for late fees and explained discounts of the bill,
    or of what those count and remember; "" = nothing is.

    Of discounts of earlier bills no more is taken back than was given.
    """
    include = bill.prices == "include"
    charged = given = 0
    for line in bill.lines:
        amount = line.net + line.tax if include else line.net
        if line.kind == DISCOUNT:
            given += amount
        else:
            charged += amount
    off = sums.off - given
    posted = charged == sums.charged + sum([amount for _, amount in late])
    least = 0
    if off < 0:
        again = frozenset([row.month for row in discounted if row.month != month])
        least = -taken_of(account.open.discounted, again) if again else 0
    if not posted or off < least or (off and not steps):
        return "lines that were posted"
    if not _limits_hold(account, accruals, steps):
        return "discounts of the bill"
    return "" if memory_holds(month, discounted) else "memory of discounts"


def _limits_hold(account: Account, accruals: Sequence[Pair], steps: bytes) -> bool:
    if len(accruals) > ACCRUALS_MAX or len(steps) > STEPS_BYTES_MAX:
        return False
    counted = account.accumulators
    return all(amount and -counted.get(key, 0) <= amount <= BOOK_MAX for key, amount in accruals)


def memory_holds(month: int, rows: Sequence[DiscountedPeriod]) -> bool:
    """Say whether what is to be remembered of discounts is of periods that are, each once and not too large."""
    if not rows:
        return True
    oldest = month - REMEMBERED_MAX
    months = {row.month for row in rows}
    known = len(months) == len(rows) and all(oldest <= each <= month for each in months)
    return known and all(len(row.seen) <= SEEN_BYTES_MAX for row in rows)


def wrong(month: int, what: str) -> Invalid:
    """Make the refusal of a bill that does not agree with its account."""
    text = f"the bill of {month_text(month)} does not agree with the account: {what}"
    return Invalid("BILL_WRONG", text, facts={"sum": what})

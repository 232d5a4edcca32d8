"""Fees posted one after the other: each finds what those before it left, and the account is made once of them all.

The same, to the micro-unit and in the same order, as if each were applied by itself and counted by
`charging.ledger.buckets.after`. Deciding and replay both go through here, as the platform does when it foresees a bill.
"""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, MONEY, Account, Book, Terms
from charging.base.bounds import FEE_MARKS_MAX
from charging.base.buckets import Billed, Buckets, SumKey, shared_keys
from charging.base.due import Due
from charging.base.feemark import FeeMark
from charging.base.usage import SealedCharge, unpack_steps
from charging.errors import Invalid, Refused
from charging.ledger import buckets, feemarks, funds
from charging.ledger.accruals import accrue_into

_DISCOUNT = b"discount"
"""Of the packed explanation of a charge that no step of this kind is in, nothing has to be unpacked."""


class FeeRun:
    """The state of an account while fees are posted to it."""

    def __init__(self, account: Account, time_ms: int) -> None:
        """`time_ms` is the entry's, UTC: the period of what says no time of its own."""
        self._account = account
        self._time_ms = time_ms
        self.books = account.books
        self.marks = account.open.fees
        self._counters: dict[str, int] | None = None
        self._keys: list[SumKey] = list(account.buckets.keys)
        self._amounts: list[int] = list(account.buckets.amounts)

    def post(self, due: Due, postings: funds.Pairs) -> None:
        """Take a fee from books, or give it back to them, count it and remember its time."""
        charge = due.charge
        if charge.accruals:
            if self._counters is None:
                self._counters = dict(self._account.accumulators)
            accrue_into(self._counters, charge.accruals, -1 if due.credit else 1)
        paid = _free_of_allowances(self.books, postings)
        self.books = funds.shift(self.books, postings, -1)
        self.marks = with_mark(self.marks, due)
        billed = parts_of(due)
        taken = 0
        for part in billed:
            taken += part.amount
            if part.amount:
                self._add(part)
        if taken != paid:
            # What a book paid that is bound to an allowance has come in by that, as of a charge.
            moved = buckets.money_line(self._buckets(), buckets.GRANTED, taken - paid, self._time_ms)
            self._add(moved)

    def _add(self, part: Billed) -> None:
        key = buckets.key_of(self._account, part, part.time_ms or self._time_ms)
        for index, known in enumerate(self._keys):
            if known == key:
                self._amounts[index] += part.amount
                return
        self._keys.append(key)
        self._amounts.append(part.amount)

    def _buckets(self) -> Buckets:
        return Buckets(tuple(self._keys), tuple(self._amounts))

    def account(self) -> Account:
        """Give the account as the fees left it, in the version that it had."""
        before = self._account
        keys = before.buckets.keys
        known = len(keys) == len(self._keys)
        return replace(
            before,
            books=self.books,
            accumulators=before.accumulators if self._counters is None else self._counters,
            open=replace(before.open, fees=self.marks),
            buckets=Buckets(keys if known else shared_keys(tuple(self._keys)), tuple(self._amounts)),
        )


def _free_of_allowances(books: tuple[Book, ...], postings: funds.Pairs) -> int:
    """Give what postings take from money that pays for anything."""
    paid = 0
    for book_id, amount in postings:
        for book in books:
            if book.book_id == book_id:
                if book.unit == MONEY and not book.allowance:
                    paid += amount
                break
    return paid


def parts_of(due: Due) -> tuple[Billed, ...]:
    """Give what a fee, or what is given back of one, adds to the bill: discounts in lines of their own."""
    charge = due.charge
    if due.credit:
        return (Billed(due.from_ms, due.item, due.identity, -charge.amount, charge.taxed_since, "fee", due.fee),)
    return fee_parts(due.from_ms, due.item, due.identity, due.fee, charge)


def fee_parts(time_ms: int, item: str, member: str, fee: str, charge: SealedCharge) -> tuple[Billed, ...]:
    """Split a fee into its price and its discounts, each with its level; what rounding added belongs to the price.

    They add up to the charge. An explanation that can't be read is one line: its amount is right all the same.
    """
    price = charge.amount
    off: list[Billed] = []
    if _DISCOUNT in bytes(charge.steps):
        try:
            steps = unpack_steps(charge.steps)
        except (msgspec.MsgspecError, ValueError):
            steps = ()
        for step in steps:
            if step.kind == "discount":
                amount = step.numerator // step.denominator
                price -= amount
                level = step.level
                off.append(Billed(time_ms, item, member, amount, charge.taxed_since, "discount", step.rule, level))
    return (Billed(time_ms, item, member, price, charge.taxed_since, "fee", fee), *off)


def with_mark(marks: tuple[FeeMark, ...], due: Due) -> tuple[FeeMark, ...]:
    """Remember what a fee has paid for, or that it was given back; of more than are kept those go that end first."""
    others: list[FeeMark] = []
    known: FeeMark | None = None
    for mark in marks:
        if mark.fee == due.fee and mark.offering == due.offering and mark.identity == due.identity:
            known = mark
        else:
            others.append(mark)
    if not due.credit:
        new = FeeMark(due.identity, due.offering, due.fee, due.from_ms, due.to_ms, due.charge.amount)
        if known is not None:
            new = feemarks.following(known, new)
    elif known is not None:
        newest = feemarks.newest(known)
        new = replace(newest, to_ms=due.from_ms, amount=newest.amount - due.charge.amount)
    else:
        return marks
    others.append(new)
    if len(others) > FEE_MARKS_MAX:
        others.remove(min(others, key=_ends))
    return tuple(others)


def _ends(mark: FeeMark) -> int:
    return mark.to_ms


def against(account: Account, marks: Sequence[FeeMark], due: Due) -> Refused | None:
    """Say why a fee can't be posted now."""
    if due.charge.amount < 0 or due.charge.takes or due.to_ms <= due.from_ms:
        raise Invalid("FEES_MALFORMED", "a fee is not negative, takes no units, and has a time that it is for")
    if due.charge.currency != account.terms.currency:
        return funds.other_currency("fee", due.charge.currency, account)
    known = feemarks.mark_among(marks, due.identity, due.offering, due.fee)
    if not due.credit:
        if known is None or due.from_ms >= known.to_ms:
            return None
        text = f"fee {due.fee} of {due.offering} is posted for this time already"
        return Refused("FEE_POSTED", text, facts={"fee": due.fee, "until_ms": str(known.to_ms)})
    newest = feemarks.newest(known) if known is not None else None
    if (
        newest is not None
        and newest.from_ms <= due.from_ms
        and due.to_ms == newest.to_ms
        and due.charge.amount <= newest.amount
    ):
        return None
    text = f"of fee {due.fee} of {due.offering} less was taken for this time than is to be given back"
    return Refused("FEE_CREDIT_EXCEEDS", text, facts={"fee": due.fee})


def drawn(books: tuple[Book, ...], terms: Terms, due: Due, time_ms: int) -> tuple[tuple[str, int], ...]:
    """Say what a fee takes from which books that are valid at a moment. Refused INSUFFICIENT_FUNDS."""
    amount, limit = due.charge.amount, terms.credit_limit
    if due.credit:
        return ((MAIN_BOOK, -amount),) if amount else ()
    found = funds.draw(books, amount, limit, time_ms)
    if found is None:
        raise funds.no_funds(amount, funds.affordable(books, limit, time_ms), terms.currency)
    return found

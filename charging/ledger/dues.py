"""Fees that come with a change: the platform rates them, the owner posts them in the entry of what they are for.

An action that brings charges has a field `dues`; `posted` makes the events of them. Each fee that pays for a stretch of
time leaves its mark on the account (`charging.base.feemark.FeeMark`), so no time is paid for twice, whoever posts it: a
change of a contract, or the run that posts what falls due. A credit gives back what the mark says was taken, and no
more.
"""

from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from charging.base.account import MAIN_BOOK, Account
from charging.base.bounds import DUES_MAX, FEE_MARKS_MAX
from charging.base.buckets import Billed
from charging.base.feemark import FeeMark
from charging.base.usage import SealedCharge, Usage, unpack_steps
from charging.errors import Invalid, Refused
from charging.ledger import buckets, feemarks, funds
from charging.ledger.accruals import accrue
from charging.ledger.effect import VersionMoved
from charging.ledger.event import BaseEvent, Leg, Pair, book_legs
from charging.ledger.feemarks import mark_of
from charging.ledger.standing import moved_on


class Due(Struct, frozen=True, array_like=True, gc=False):
    """One fee, or what is given back of one."""

    identity: str
    """Member whose contract brings it."""
    offering: str
    fee: str
    item: str
    """Account item of the bill."""
    from_ms: int
    """First moment that it pays for, UTC; of a credit, that is given back for."""
    to_ms: int
    """First moment after; what pays for no time at all, as an activation fee, names one millisecond."""
    charge: SealedCharge
    """What it is and why; `amount` is never negative, that of a credit is given."""
    credit: bool = False


class Dues(Struct, frozen=True, array_like=True, gc=False):
    """What an action brings, credits first, and the state of the account that it was rated on."""

    fees: tuple[Due, ...] = ()
    base_version: int = 0
    base_mark: int = 0

    def at_stake(self) -> int:
        """Give all that is taken or given, micro-units."""
        return sum(due.charge.amount for due in self.fees)


NOTHING_DUE = Dues()


class FeePosted(BaseEvent, frozen=True, tag="fee"):
    """A fee was taken, or given back, and its time is marked as paid for."""

    due: Due
    postings: tuple[Pair, ...]
    """Taken from money books; below zero what was given."""

    rerates = False

    def apply(self, account: Account) -> Account:
        """Take or give, count, and mark."""
        due = self.due
        accumulators = accrue(account.accumulators, due.charge.accruals, -1 if due.credit else 1)
        moved = replace(account, books=funds.shift(account.books, self.postings, -1), accumulators=accumulators)
        return marked(moved, due)

    def legs(self) -> tuple[Leg, ...]:
        """Post against revenue."""
        return (*book_legs(self.postings, -1), Leg("revenue", sum(amount for _, amount in self.postings)))

    def billed(self) -> tuple[Billed, ...]:
        """Bill it in the period in which its time begins: what discounts took off in lines of their own."""
        due, charge = self.due, self.due.charge
        if due.credit:
            since, amount = charge.taxed_since, -charge.amount
            return (Billed(due.from_ms, due.item, due.identity, amount, since, "fee", due.fee),)
        return fee_parts(due.from_ms, due.item, due.identity, due.fee, charge)

    def words(self) -> str:
        """Name the fee, and that of which it is."""
        what = "credit of fee" if self.due.credit else "fee"
        return f"{what} {self.due.fee} of {self.due.offering} for {self.due.identity}"

    def charges(self) -> tuple[tuple[Usage, SealedCharge], ...]:
        """Give its rating, as usage of nothing."""
        return ((Usage(self.due.identity, "", self.due.from_ms, 0), self.due.charge),)


def fee_parts(time_ms: int, item: str, member: str, fee: str, charge: SealedCharge) -> tuple[Billed, ...]:
    """Split a fee into its price and its discounts, each with its level; what rounding added belongs to the price.

    They add up to the charge. An explanation that can't be read is one line: its amount is right all the same.
    """
    try:
        steps = unpack_steps(charge.steps)
    except (msgspec.MsgspecError, ValueError):
        steps = ()
    off = [
        Billed(
            time_ms, item, member, step.numerator // step.denominator, charge.taxed_since, "discount",
            step.rule, step.level,
        )
        for step in steps
        if step.kind == "discount"
    ]  # fmt: skip
    price = charge.amount - sum(each.amount for each in off)
    return (Billed(time_ms, item, member, price, charge.taxed_since, "fee", fee), *off)


def posted(account: Account, dues: Dues, time_ms: int) -> tuple[FeePosted, ...]:
    """Say what fees take from which books that are valid at a moment, one after the other: all of them, or none.

    Raises `VersionMoved` when they were rated on another state and that matters; `Refused` FEE_POSTED,
    FEE_CREDIT_EXCEEDS, CURRENCY_MISMATCH, INSUFFICIENT_FUNDS; `Invalid` FEES_MALFORMED.
    """
    return _post(account, dues, time_ms, _bare)[0]


def posted_from(account: Account, dues: Dues, book_id: str) -> tuple[FeePosted, ...]:
    """Say what fees take from one book, which has the money: all of them, or none. Raises as `posted`."""

    def drawn(_: Account, due: Due, time_ms: int) -> tuple[Pair, ...]:
        return ((book_id, due.charge.amount),) if due.charge.amount else ()

    return _post(account, dues, 0, _bare, drawn)[0]


def taken(account: Account, dues: Dues, time_ms: int) -> tuple[tuple[FeePosted, ...], Account]:
    """Do as `posted` does, and give the state that they leave inside of an entry, with their place on the bill."""
    return _post(account, dues, time_ms, _counted)


def _post(
    account: Account,
    dues: Dues,
    time_ms: int,
    follow: Callable[[Account, FeePosted, int], Account],
    draw: Callable[[Account, Due, int], tuple[Pair, ...]] | None = None,
) -> tuple[tuple[FeePosted, ...], Account]:
    if not dues.fees:
        return (), account
    if len(dues.fees) > DUES_MAX:
        raise Invalid("FEES_MALFORMED", f"a command brings at most {DUES_MAX} fees")
    moved = moved_on(account, dues.base_version, dues.base_mark)
    if moved and (dues.base_version < account.terms_version or any(due.charge.depends for due in dues.fees)):
        raise VersionMoved
    events: list[FeePosted] = []
    for due in dues.fees:
        against = _against(account, due)
        if against is not None and moved:
            raise VersionMoved
        if against is not None:
            raise against
        event = FeePosted(due, (draw or _postings)(account, due, time_ms))
        account = follow(account, event, time_ms)
        events.append(event)
    return tuple(events), account


def _bare(account: Account, event: FeePosted, time_ms: int) -> Account:
    return event.apply(account)


def _counted(account: Account, event: FeePosted, time_ms: int) -> Account:
    return buckets.after(account, event.apply(account), event, time_ms)


def net(events: Sequence[FeePosted]) -> int:
    """Give what all took together, micro-units; below zero when more was given."""
    return sum(amount for event in events for _, amount in event.postings)


def _against(account: Account, due: Due) -> Refused | None:
    """Say why a fee can't be posted now."""
    if due.charge.amount < 0 or due.charge.takes or due.to_ms <= due.from_ms:
        raise Invalid("FEES_MALFORMED", "a fee is not negative, takes no units, and has a time that it is for")
    if due.charge.currency != account.terms.currency:
        return funds.other_currency("fee", due.charge.currency, account)
    known = mark_of(account, due.identity, due.offering, due.fee)
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


def _postings(account: Account, due: Due, time_ms: int) -> tuple[Pair, ...]:
    amount, limit = due.charge.amount, account.terms.credit_limit
    if due.credit:
        return ((MAIN_BOOK, -amount),) if amount else ()
    found = funds.draw(account.books, amount, limit, time_ms)
    if found is None:
        available = funds.affordable(account.books, limit, time_ms)
        raise funds.no_funds(amount, available, account.terms.currency)
    return found


def marked(account: Account, due: Due) -> Account:
    """Remember what a fee has paid for, or that it was given back."""
    return account.with_open(fees=_marked(account.open.fees, due))


def _marked(marks: tuple[FeeMark, ...], due: Due) -> tuple[FeeMark, ...]:
    """Do so; of more marks than are kept those go that end first."""
    others: list[FeeMark] = []
    known: FeeMark | None = None
    for mark in marks:
        if mark.fee == due.fee and mark.offering == due.offering and mark.identity == due.identity:
            known = mark
        else:
            others.append(mark)
    if not due.credit:
        new = FeeMark(due.identity, due.offering, due.fee, due.from_ms, due.to_ms, due.charge.amount)
        new = feemarks.following(known, new) if known is not None else new
    elif known is not None:
        newest = feemarks.newest(known)
        new = replace(newest, to_ms=due.from_ms, amount=newest.amount - due.charge.amount)
    else:
        return marks
    kept = [*others, new]
    if len(kept) > FEE_MARKS_MAX:
        kept.remove(min(kept, key=lambda mark: mark.to_ms))
    return tuple(kept)

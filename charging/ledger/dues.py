"""Fees that come with a change: the platform rates them, the owner posts them in the entry of what they are for.

An action that brings charges has a field `dues`; `posted` makes the events of them. Each fee that pays for a stretch of
time leaves its mark on the account (`charging.base.feemark.FeeMark`), so no time is paid for twice, whoever posts it: a
change of a contract, or the run that posts what falls due. A credit gives back what the mark says was taken, and no
more.
"""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from charging.base.account import Account
from charging.base.bounds import DUES_MAX
from charging.base.buckets import Billed
from charging.base.due import Due
from charging.base.usage import SealedCharge, Usage
from charging.errors import Invalid
from charging.ledger import feerun, funds
from charging.ledger.accruals import accrue
from charging.ledger.effect import VersionMoved
from charging.ledger.event import BaseEvent, Leg, Pair, book_legs
from charging.ledger.feerun import FeeRun, parts_of, with_mark
from charging.ledger.standing import moved_on


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
        return parts_of(self.due)

    def words(self) -> str:
        """Name the fee, and that of which it is."""
        what = "credit of fee" if self.due.credit else "fee"
        return f"{what} {self.due.fee} of {self.due.offering} for {self.due.identity}"

    def charges(self) -> tuple[tuple[Usage, SealedCharge], ...]:
        """Give its rating, as usage of nothing."""
        return ((Usage(self.due.identity, "", self.due.from_ms, 0), self.due.charge),)


def posted(account: Account, dues: Dues, time_ms: int) -> tuple[FeePosted, ...]:
    """Say what fees take from which books that are valid at a moment, one after the other: all of them, or none.

    Raises `VersionMoved` when they were rated on another state and that matters; `Refused` FEE_POSTED,
    FEE_CREDIT_EXCEEDS, CURRENCY_MISMATCH, INSUFFICIENT_FUNDS; `Invalid` FEES_MALFORMED.
    """
    return _post(account, dues, time_ms)[0]


def posted_from(account: Account, dues: Dues, book_id: str) -> tuple[FeePosted, ...]:
    """Say what fees take from one book, which has the money: all of them, or none. Raises as `posted`."""

    return _post(account, dues, 0, book_id)[0]


def taken(account: Account, dues: Dues, time_ms: int) -> tuple[tuple[FeePosted, ...], Account]:
    """Do as `posted` does, and give the state that they leave inside of an entry, with their place on the bill."""
    events, run = _post(account, dues, time_ms)
    return events, run.account() if run is not None else account


def _post(account: Account, dues: Dues, time_ms: int, book_id: str = "") -> tuple[tuple[FeePosted, ...], FeeRun | None]:
    """Post fees from one book, "" = from all that are valid; without fees there is no run of them."""
    if not dues.fees:
        return (), None
    if len(dues.fees) > DUES_MAX:
        raise Invalid("FEES_MALFORMED", f"a command brings at most {DUES_MAX} fees")
    moved = moved_on(account, dues.base_version, dues.base_mark)
    if moved and (dues.base_version < account.terms_version or any(due.charge.depends for due in dues.fees)):
        raise VersionMoved
    events: list[FeePosted] = []
    run = FeeRun(account, time_ms)
    terms = account.terms
    for due in dues.fees:
        against = feerun.against(account, run.marks, due)
        if against is not None and moved:
            raise VersionMoved
        if against is not None:
            raise against
        if book_id:
            postings: tuple[Pair, ...] = ((book_id, due.charge.amount),) if due.charge.amount else ()
        else:
            postings = feerun.drawn(run.books, terms, due, time_ms)
        run.post(due, postings)
        events.append(FeePosted(due, postings))
    return tuple(events), run


def net(events: Sequence[FeePosted]) -> int:
    """Give what all took together, micro-units; below zero when more was given."""
    return sum(amount for event in events for _, amount in event.postings)


def marked(account: Account, due: Due) -> Account:
    """Remember what a fee has paid for, or that it was given back."""
    return account.with_open(fees=with_mark(account.open.fees, due))

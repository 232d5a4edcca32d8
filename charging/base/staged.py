"""Money that came in while its account is in its billing period, as a run in mode `staged` keeps it: in its stage.

A stage changes no sum of the books: what is staged comes in at the replay, after the run. Until then its book keeps
less of what it has, by just as much: so charges find what there is to spend without looking at stages, and find no
more than if the money had come in at once.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from charging.base.openbills import Share

DEPOSIT, SETTLEMENT = "deposit", "settlement"
"""The two stages: of money for the balance, and of instructions to settle bills."""
STAGED_MAX = 64
"""Rows of one account; what comes beyond them comes in at once, which is as right."""
_MAIN = "main"

Pair = tuple[str, int]


class StagedMoney(Struct, frozen=True, array_like=True, gc=False):
    """One deposit, payment, or settlement from the balance that waits for its replay.

    What books gain and what bills are settled by add up to the amount.
    """

    key: str
    """Request key of the command that brought it."""
    stage: str
    kind: str
    """Place that it comes from: "deposit", "payment", …; empty = the account's own books."""
    amount: int
    """Micro-units that come from outside; 0 = the balance settles bills with what it will have."""
    postings: tuple[Pair, ...]
    """What books gain, micro-units; below zero they pay."""
    shares: tuple[Share, ...]
    """What of bills it settles."""
    at_ms: int
    """When it was taken, by the owner's clock: it counts from then on."""
    month: int
    """Billing period of the run: months since the year 0."""
    reason: str

    @property
    def kept_less(self) -> tuple[Pair, ...]:
        """What books keep less until the replay: what they gain, and what bills don't need any more."""
        settled = sum([share.amount for share in self.shares])
        return (*self.postings, (_MAIN, settled)) if settled else self.postings


def kept_less(rows: Iterable[StagedMoney]) -> dict[str, int]:
    """Add up what books keep less for all that is staged."""
    found: dict[str, int] = {}
    for row in rows:
        for book_id, amount in row.kept_less:
            found[book_id] = found.get(book_id, 0) + amount
    return found


def in_order(rows: Sequence[StagedMoney]) -> tuple[StagedMoney, ...]:
    """Give rows in the order of the replay: settlements first, then deposits, each as they came."""
    settlements = [row for row in rows if row.stage == SETTLEMENT]
    return (*settlements, *[row for row in rows if row.stage != SETTLEMENT])


def staged_in(rows: Iterable[StagedMoney]) -> int:
    """Add up what came from outside, micro-units."""
    return sum([row.amount for row in rows])

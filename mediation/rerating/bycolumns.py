"""Accounts rated anew by columns, many at once; those of which columns can't say it, by the row engine, one by one.

Both come to the same restatement. How many uses took which way, and why, is counted for whoever runs a job.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
import polars as pl
from msgspec import Struct

from charging.base.account import Account
from charging.base.contract import Contract
from charging.rating.restating import (
    PastUse,
    PlanOf,
    RatedAnew,
    Restatement,
    in_order,
    opened,
    restated,
    restatement,
)
from mediation.columns.chunk import BOOKS, ROWS_MAX, USES, AccountState
from mediation.columns.rater import ColumnRater, RatedColumns

KEPT = "uses that stay as they were"
MANY = "more uses than columns take at once"


class Anew(Struct, frozen=True):
    """What of one account is to be rated anew; as of `charging.rating.restating.restated`."""

    account: Account
    contracts: Mapping[str, Contract]
    uses: Sequence[PastUse]
    before: Sequence[PastUse]


class Ways(Struct):
    """Which way the uses of a job took."""

    by_columns: int = 0
    by_rows: dict[str, int] = {}
    """Uses that the row engine rated, by the reason."""

    @property
    def share(self) -> float:
        """Give the share of uses that the row engine rated; of none, nothing."""
        rows = sum(self.by_rows.values())
        return rows / (rows + self.by_columns) if rows else 0.0

    def add(self, other: "Ways") -> None:
        """Add what another part of the job counted."""
        self.by_columns += other.by_columns
        for reason, count in other.by_rows.items():
            self.left(reason, count)

    def left(self, reason: str, count: int) -> None:
        """Count uses that the row engine rated."""
        self.by_rows[reason] = self.by_rows.get(reason, 0) + count


class Restater:
    """Rates accounts anew, chunk by chunk, by the catalogues of one region."""

    def __init__(self, plan_of: PlanOf, rater: ColumnRater) -> None:
        """`rater` rates by the same catalogues as `plan_of` gives."""
        self._plan_of = plan_of
        self._rater = rater
        self.ways = Ways()

    def restate(self, several: Sequence[Anew]) -> Iterator[Restatement]:
        """Give the restatement of each account, in order; as many at once as columns take."""
        for some in _chunks(several):
            yield from self._restate(some)

    def _restate(self, several: Sequence[Anew]) -> Iterator[Restatement]:
        whys = [_why(each) for each in several]
        ordered = [() if why else in_order(each.uses) for each, why in zip(several, whys, strict=True)]
        states = {
            each.account.account_id: AccountState(opened(each.account, each.uses, each.before), each.contracts)
            for each, why in zip(several, whys, strict=True)
            if not why
        }
        rated = self._rater.rate(_frame(several, ordered), states)
        for each, why, uses in zip(several, whys, ordered, strict=True):
            reason = why or rated.left.get(each.account.account_id, "")
            if reason:
                count = sum(use.usage is not None for use in each.uses)
                self.ways.left(reason, count)
                yield restated(each.account, each.contracts, each.uses, each.before, self._plan_of)
            else:
                self.ways.by_columns += len(uses)
                yield _restatement(each, uses, rated)


def _chunks(several: Sequence[Anew]) -> Iterator[Sequence[Anew]]:
    """Cut accounts into as many as columns take at once."""
    begin, rows = 0, 0
    for place, each in enumerate(several):
        rows += len(each.uses)
        if rows > ROWS_MAX and place > begin:
            yield several[begin:place]
            begin, rows = place, len(each.uses)
    if begin < len(several):
        yield several[begin:]


def _why(each: Anew) -> str:
    if len(each.uses) > ROWS_MAX:
        return MANY
    if any(use.fixed for use in each.uses):
        return KEPT
    if any(use.takes for use in each.uses):
        return BOOKS
    return ""


def _frame(several: Sequence[Anew], ordered: Sequence[Sequence[PastUse]]) -> pl.DataFrame:
    usages = [use.usage for uses in ordered for use in uses if use.usage is not None]
    columns = {
        "account": [each.account.account_id for each, uses in zip(several, ordered, strict=True) for _ in uses],
        "identity": [usage.identity for usage in usages],
        "service": [usage.service for usage in usages],
        "start_ms": [usage.start_ms for usage in usages],
        "quantity": [usage.quantity for usage in usages],
        "other_party": [usage.other_party for usage in usages],
        "visited": [usage.visited for usage in usages],
        "attributes": [msgspec.json.encode(usage.attributes).decode() if usage.attributes else "" for usage in usages],
    }
    return pl.DataFrame(columns, schema=USES)


def _restatement(each: Anew, uses: Sequence[PastUse], rated: RatedColumns) -> Restatement:
    """Put together what columns found: one sum for each period, item, member and time of taxes, and the counters."""
    if not uses:
        return restatement(each.account, each.uses, (), ())
    rows = rated.rows_of(each.account.account_id)
    amounts = rated.amount[rows].tolist()
    sums: dict[tuple[int, str, str, int], int] = {}
    moments: dict[int, int] = {}
    heads = zip(uses, rated.month[rows].tolist(), rated.items(rows), rated.taxed_since(rows), amounts, strict=True)
    for use, month, item, since, amount in heads:
        moments.setdefault(month, use.start_ms)
        assert use.usage is not None
        head = (month, item, use.usage.identity, since)
        sums[head] = sums.get(head, 0) + amount
    after = [
        PastUse(None, moments[month], amount, item, member, since, (), ())
        for (month, item, member, since), amount in sums.items()
    ]
    counted = rated.counted(each.account.account_id)
    after += [
        PastUse(None, moments[month], 0, "", "", 0, tuple(counters.items()), ()) for month, counters in counted.items()
    ]
    return restatement(each.account, each.uses, after, map(RatedAnew, uses, amounts))

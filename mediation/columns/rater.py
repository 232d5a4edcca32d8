"""Rates uses of many accounts by columns, and says which accounts the row engine is to take, and why.

Results are those of `charging.rating.rating.rate_sum` use by use on an account that runs on, to the micro-unit. The
steps of a use are the row engine's own, made when they are asked for on the state that the columns say stood before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from msgspec.structs import replace

from charging.base.localtime import cycle_month
from charging.base.usage import Charge
from charging.rating.rating import rate_sum
from mediation.columns.chunk import AccountState, Chunk, chunk_of
from mediation.columns.classes import Classes, Placed, PlanOf, usage_at
from mediation.columns.counting import finished
from mediation.columns.free import cover
from mediation.columns.passing import Pass, pass_of
from mediation.columns.ruler import Ints
from mediation.columns.worth import worth


@dataclass(slots=True, eq=False)
class RatedColumns:
    """Uses as they were rated; arrays have an entry for each row of the frame that was given."""

    chunk: Chunk
    placed: Placed
    classes: Classes
    month: Ints
    """Billing period of the account, months since the year 0."""
    amount: Ints
    """Micro-units; nothing is meant by it where the account is among `left`."""
    left: dict[str, str]
    """Accounts that the row engine is to take, all of their uses, and why."""
    added: dict[int, dict[int, dict[str, int]]] = field(default_factory=dict)
    """By account and billing period: what went to counters."""
    passes: list[tuple[Pass, dict[int, dict[str, int]]]] = field(default_factory=list)
    """Only of uses that are traced: each pass with the counters that it began with, by account."""

    def rows_of(self, account: str) -> slice:
        """Give the rows of an account."""
        return self.chunk.rows_of(self.chunk.places[account])

    def counted(self, account: str) -> dict[int, dict[str, int]]:
        """Give what the uses of an account added to its counters, by billing period; it is none of `left`."""
        return self.added.get(self.chunk.places.get(account, -1), {})

    def items(self, rows: slice) -> list[str]:
        """Give the account items of uses."""
        shapes = self.classes.shapes
        return [shapes[at].price.item for at in self.placed.shape[rows].tolist()]

    def taxed_since(self, rows: slice) -> list[int]:
        """Give the days since which taxes are as they were when uses began."""
        shapes = self.classes.shapes
        places = zip(self.placed.shape[rows].tolist(), self.placed.day[rows].tolist(), strict=True)
        return [taxes.since(day) if (taxes := shapes[at].plan.taxes).changes else 0 for at, day in places]

    def charge(self, row: int) -> Charge:
        """Explain a use: the charge with all of its steps. Only where uses were traced; raises `KeyError` else.

        Raises `ArithmeticError` when the row engine comes to another amount, which would be a fault of this house.
        """
        chunk = self.chunk
        usage, number = usage_at(chunk, row), int(chunk.account[row])
        for run, opened in self.passes:
            place = int(np.searchsorted(run.rows, row))
            if place == len(run.rows) or run.rows[place] != row:
                continue
            account = replace(chunk.accounts[number], accumulators=_before(run, row, opened[number]))
            plan = self.classes.shapes[int(self.placed.shape[row])].plan
            charge = rate_sum(plan, usage, chunk.contracts[chunk.holder[row]], account)
            if charge.amount != self.amount[row]:
                raise ArithmeticError(f"{charge.amount} record by record, {self.amount[row]} by columns: {usage}")
            return charge
        raise KeyError(row)


def _before(run: Pass, row: int, opened: Mapping[str, int]) -> dict[str, int]:
    counters = dict(opened)
    for trace in run.traces:
        place = int(np.searchsorted(trace.rows, row))
        if place < len(trace.rows) and trace.rows[place] == row:
            _, key = run.keys.names[int(trace.groups[place])]
            counters[key] = int(trace.values[place])
    return counters


class ColumnRater:
    """Rates chunk after chunk by the same catalogues."""

    def __init__(self, plan_of: PlanOf) -> None:
        """`plan_of` gives the plan in force at a moment, UTC, milliseconds, as of `charging.plans.timeline`."""
        self._classes = Classes(plan_of)

    def rate(self, uses: pl.DataFrame, states: Mapping[str, AccountState], *, traced: bool = False) -> RatedColumns:
        """Rate uses (see `USES`), those of an account in the order in which it is charged.

        Raises `ValueError` for too many rows at once, `KeyError` for an account without a state.
        """
        chunk = chunk_of(uses, states)
        placed = self._classes.place(chunk)
        month = _months(chunk, placed)
        amount = np.zeros(len(uses), dtype=np.int64)
        found = RatedColumns(chunk, placed, self._classes, month, amount, {})
        here = ~chunk.escapes.out[chunk.account] if len(uses) else np.zeros(0, dtype=np.bool_)
        for each in np.unique(month[here]).tolist():
            rows = np.flatnonzero(here & (month == each))
            rows = rows[~chunk.escapes.out[chunk.account[rows]]]
            if len(rows):
                self._pass(found, int(each), rows, traced)
        found.left = {chunk.names[number]: why for number, why in chunk.escapes.reasons.items()}
        return found

    def _pass(self, found: RatedColumns, month: int, rows: Ints, traced: bool) -> None:
        chunk = found.chunk
        run = pass_of(self._classes, chunk, found.placed, rows, traced=traced)
        if traced:
            opened = {number: dict(chunk.accounts[number].accumulators) for number in set(run.account.tolist())}
            found.passes.append((run, opened))
        free = cover(run)
        found.amount[rows] = finished(run, worth(run, free), free.left)
        for number, counted in run.finish().items():
            found.added.setdefault(number, {})[month] = counted


def _months(chunk: Chunk, placed: Placed) -> Ints:
    """Give the billing period of each row; the clock is that of the catalogue, others are escapes."""
    if not len(placed.day):
        return placed.day
    here = placed.shape >= 0
    first = int(placed.day[here].min()) if here.any() else 0
    return chunk.of_days(chunk.account, np.where(here, placed.day, first), cycle_month)

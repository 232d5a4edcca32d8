"""One pass: the uses of one billing period of all accounts, whose counters stand as the passes before left them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from charging.base.localtime import span
from charging.plans.compiled import Counter
from mediation.columns.chunk import Chunk
from mediation.columns.classes import Classes, Placed
from mediation.columns.planner import UseShape
from mediation.columns.ruler import Ints
from mediation.columns.running import TWICE, Keys, combined


@dataclass(slots=True, eq=False)
class Trace:
    """What stood in counters before each of some rows: to explain a use, the row engine is asked on that."""

    rows: Ints
    """Of the chunk, ascending."""
    groups: Ints
    values: Ints


@dataclass(slots=True, eq=False)
class Periods:
    """The periods of holders: for each row the number of its own."""

    numbers: Ints
    count: int

    def firsts(self, mine: Ints) -> tuple[Ints, Ints]:
        """Find which periods some rows have, and the first of those rows in each; `mine` are the rows' numbers."""
        first = np.full(self.count, -1, dtype=np.int64)
        # The last that is written stays: so from behind.
        first[mine[::-1]] = np.arange(len(mine) - 1, -1, -1)
        present = np.flatnonzero(first >= 0)
        return present, first[present]


@dataclass(slots=True, eq=False)
class Pass:
    """The rows of one pass; arrays have an entry for each, in the order of the chunk."""

    chunk: Chunk
    placed: Placed
    shapes: list[UseShape]
    plan_numbers: list[int]
    rows: Ints
    keys: Keys
    traced: bool
    traces: list[Trace] = field(default_factory=list)
    shape: Ints = field(init=False)
    account: Ints = field(init=False)
    holder: Ints = field(init=False)
    unit: Ints = field(init=False)
    day: Ints = field(init=False)
    quantity: Ints = field(init=False)
    used: tuple[int, ...] = field(init=False)
    """The shapes that occur."""
    _by_shape: Ints = field(init=False)
    _sorted_shapes: Ints = field(init=False)
    _periods: dict[tuple[str, int], Periods] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take the rows out of the chunk's columns."""
        rows, chunk, placed = self.rows, self.chunk, self.placed
        columns = [placed.shape, placed.unit, placed.day, chunk.account, chunk.holder, chunk.quantity]
        if len(rows) < len(chunk.account):
            columns = [column[rows] for column in columns]
        self.shape, self.unit, self.day, self.account, self.holder, self.quantity = columns
        # Shapes are few: sorting short numbers is counting them. Stable, so rows of a shape stay in their order.
        short = self.shape.astype(np.int16) if len(self.shapes) < 1 << 15 else self.shape
        self._by_shape = np.argsort(short, kind="stable")
        self._sorted_shapes = self.shape[self._by_shape]
        present = np.zeros(len(self.shapes), dtype=np.bool_)
        present[self.shape] = True
        self.used = tuple(np.flatnonzero(present).tolist())

    def of_shapes(self, numbers: list[int]) -> Ints:
        """Give the places of rows that have one of some shapes."""
        if len(numbers) == 1:
            first, last = np.searchsorted(self._sorted_shapes, [numbers[0], numbers[0] + 1])
            return self._by_shape[first:last]
        wanted = np.zeros(len(self.shapes), dtype=np.bool_)
        wanted[numbers] = True
        return np.flatnonzero(wanted[self.shape])

    def spread(self, of_shapes: Ints, numbers: Sequence[int], at: Ints) -> Ints:
        """Give what some shapes have to their rows; one value alone where all have the same, which divides faster."""
        some = of_shapes[list(numbers)]
        if (some == some[0]).all():
            return np.asarray(some[0], dtype=np.int64)
        return np.asarray(of_shapes[self.shape[at]], dtype=np.int64)

    def periods(self, holders: str, period: int) -> Periods:
        """Number the periods of holders: of accounts, of contracts (`holder`), or of their pieces (`unit`)."""
        known = self._periods.get((holders, period))
        if known is None:
            starts = self.chunk.of_days(
                self.account, self.day, lambda day, cycle_day: span(period, day, cycle_day).start
            )
            of_holder: Ints = getattr(self, holders)
            first, numbers = combined(of_holder, starts - int(starts.min()))
            known = self._periods[holders, period] = Periods(numbers, len(first))
        return known

    def counted(self, counter: Counter, at: Ints, way: object, lefts: Ints | None = None) -> Ints:
        """Give the groups of rows at some places by the key of a counter; `lefts` are the rows' limits of it."""
        periods = self.periods("account" if counter.shared else "holder", counter.period)
        mine = periods.numbers[at]
        present, firsts = periods.firsts(mine)
        groups = np.zeros(periods.count, dtype=np.int64)
        limits = np.zeros(periods.count, dtype=np.int64)
        rows = at[firsts]
        accounts, contracts = self.chunk.accounts, self.chunk.contracts
        owners, holders, days = self.account[rows].tolist(), self.holder[rows].tolist(), self.day[rows].tolist()
        if lefts is not None:
            limits[present] = lefts[firsts]
            self.chunk.escapes.add(self.account[at][limits[mine] != lefts], TWICE)
        for pair, number, holder, day in zip(present.tolist(), owners, holders, days, strict=True):
            key = counter.key(contracts[holder].identity, accounts[number].terms.cycle_day, day)
            groups[pair] = self.keys.group(number, key, way, int(limits[pair]))
        return np.asarray(groups[mine], dtype=np.int64)

    def opening(self, groups: Ints) -> Ints:
        """Give what counters held before the pass."""
        accounts = self.chunk.accounts
        values = [accounts[number].accumulators.get(key, 0) for number, key in self.keys.names]
        return np.array(values or [0], dtype=np.int64)[groups]

    def trace(self, at: Ints, groups: Ints, before: Ints) -> None:
        """Remember what stood in counters, besides what they held before the pass, before the rows at some places."""
        if self.traced:
            self.traces.append(Trace(self.rows[at], groups, self.opening(groups) + before))

    def finish(self) -> dict[int, dict[str, int]]:
        """Let counters run on, and give what was added to them by account.

        Who had a key read that was counted meanwhile is left to the row engine.
        """
        accounts, keys = self.chunk.accounts, self.keys
        found: dict[int, dict[str, int]] = {}
        for number, key in keys.read:
            if (number, key) in keys.numbers:
                self.chunk.escapes.add([number], "rolls over inside of one period")
        for (number, key), total in zip(keys.names, keys.sums, strict=True):
            if total:
                found.setdefault(number, {})[key] = total
                counters = accounts[number].accumulators
                counters[key] = counters.get(key, 0) + total
        return found


def pass_of(classes: Classes, chunk: Chunk, placed: Placed, rows: Ints, *, traced: bool) -> Pass:
    """Begin a pass over some rows of a chunk."""
    return Pass(chunk, placed, classes.shapes, classes.plan_numbers, rows, Keys(chunk.escapes), traced)

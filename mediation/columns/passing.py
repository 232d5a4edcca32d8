"""One pass: the uses of one billing period of all accounts, whose counters stand as the passes before left them."""

from dataclasses import dataclass, field

import numpy as np

from charging.base.localtime import span
from charging.plans.compiled import Counter
from mediation.columns.chunk import Chunk
from mediation.columns.classes import Classes, Placed
from mediation.columns.planner import UseShape
from mediation.columns.ruler import Ints
from mediation.columns.running import Keys, combined


@dataclass(slots=True, eq=False)
class Trace:
    """What stood in counters before each of some rows: to explain a use, the row engine is asked on that."""

    rows: Ints
    """Of the chunk, ascending."""
    groups: Ints
    values: Ints


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

    def __post_init__(self) -> None:
        """Take the rows out of the chunk's columns."""
        rows, chunk, placed = self.rows, self.chunk, self.placed
        self.shape, self.unit, self.day = placed.shape[rows], placed.unit[rows], placed.day[rows]
        self.account, self.holder, self.quantity = chunk.account[rows], chunk.holder[rows], chunk.quantity[rows]
        present = np.zeros(len(self.shapes), dtype=np.bool_)
        present[self.shape] = True
        self.used = tuple(np.flatnonzero(present).tolist())

    def of_shapes(self, numbers: list[int]) -> Ints:
        """Give the places of rows that have one of some shapes."""
        wanted = np.zeros(len(self.shapes), dtype=np.bool_)
        wanted[numbers] = True
        return np.flatnonzero(wanted[self.shape])

    def period_starts(self, period: int, at: Ints) -> Ints:
        """Give the first day of the period of each row at some places."""
        days, accounts = self.day[at], self.account[at]
        first = int(days.min())
        cycle_days = np.array([account.terms.cycle_day for account in self.chunk.accounts], dtype=np.int64)[accounts]
        known = np.zeros((32, int(days.max()) - first + 1), dtype=np.int64)
        for cycle_day in np.unique(cycle_days).tolist():
            known[cycle_day] = [span(period, first + place, cycle_day).start for place in range(known.shape[1])]
        return np.asarray(known[cycle_days, days - first], dtype=np.int64)

    def counted(self, counter: Counter, at: Ints, way: object, lefts: Ints | None = None) -> Ints:
        """Give the groups of rows at some places by the key of a counter; `lefts` are the rows' limits of it."""
        holders = self.account[at] if counter.shared else self.holder[at]
        starts = self.period_starts(counter.period, at)
        first, pairs = combined(holders, starts - int(starts.min()))

        def name(place: int) -> tuple[int, str, object, int]:
            row = at[place]
            number = int(self.account[row])
            identity = self.chunk.contracts[self.holder[row]].identity
            key = counter.key(identity, self.chunk.accounts[number].terms.cycle_day, int(self.day[row]))
            return number, key, way, 0 if lefts is None else int(lefts[place])

        return self.keys.groups(pairs, first, name)

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

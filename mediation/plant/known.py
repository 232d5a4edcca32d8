"""The keys that a plant knows: runs by the day of the event, joined when there are many of a day."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from secrets import token_hex

import numpy as np
from numpy.typing import NDArray

from mediation.duplicates import runs
from mediation.duplicates.keys import Columns
from mediation.plant.home import PlantFolder
from mediation.plant.work import WorkBook
from runtime.durable import sync_folder

RUNS_OF_DAY_MAX = 8
"""More are joined to one, so that a look at a day's keys stays a look at a few files."""
MadeRun = tuple[str, str, int]
"""Its name, its day, and how many keys it has."""


class KnownKeys:
    """Of one plant."""

    def __init__(self, folder: PlantFolder, work: WorkBook) -> None:
        self._folder = folder
        self._work = work

    def seek(self, rows: Columns, days: NDArray[np.int64], of_day: bool, made: Sequence[MadeRun] = ()) -> runs.Found:
        """Say of each row what is known of its key: by runs that are named, and by those that were just `made`.

        Rows stand in the order of `runs.in_order`. `of_day`: equal keys are of one day, so others need no look.
        """
        found = runs.within(rows)
        if not of_day:
            for name in (*self._work.runs(), *(run[0] for run in made)):
                found = np.maximum(found, runs.seek(runs.read_run(self._folder.run(name)), rows))
            return found
        for each, mine in _by_day(days):
            day, sought = _day(each), rows if len(mine) == len(days) else rows[:, mine]
            for name in (*self._work.runs(day), *(run[0] for run in made if run[1] == day)):
                there = runs.seek(runs.read_run(self._folder.run(name)), sought)
                # A conflict with what is known outweighs that the file itself has the record twice.
                found[mine] = np.maximum(found[mine], there)
        return found

    def write(self, rows: Columns, days: NDArray[np.int64]) -> list[MadeRun]:
        """Write runs of new keys, in order, durable when this returns; they count once they are named."""
        return [self._write(_day(each), rows[:, mine]) for each, mine in _by_day(days)]

    def name(self, made: Sequence[MadeRun]) -> None:
        """Name runs; whoever writes does it inside `PlantBase.commit`."""
        for run in made:
            self._work.add_run(*run)

    def joined(self, day: str) -> tuple[list[str], MadeRun] | None:
        """Join the runs of a day when there are many: which they were, and what they are now; None = few."""
        names = self._work.runs(day)
        if len(names) <= RUNS_OF_DAY_MAX:
            return None
        rows = runs.merged(runs.read_run(self._folder.run(name)) for name in names)
        return names, self._write(day, rows[:, runs.in_order(rows)])

    def replace(self, names: Sequence[str], made: MadeRun) -> None:
        """Name the run that stands for others; whoever writes does it inside `PlantBase.commit`."""
        self._work.drop_runs(names)
        self._work.add_run(*made)

    def remove(self, names: Sequence[str]) -> None:
        """Remove runs that nobody names any more."""
        for name in names:
            self._folder.run(name).unlink(missing_ok=True)

    def _write(self, day: str, rows: Columns) -> MadeRun:
        name = f"{day}/{token_hex(8)}"
        path = self._folder.run(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        runs.write_run(path, rows)
        sync_folder(path.parent)
        return name, day, rows.shape[1]


def _by_day(days: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Give each day, and where its rows stand."""
    for each in np.unique(days):
        yield int(each), np.flatnonzero(days == each)


def _day(number: int) -> str:
    return datetime.fromtimestamp(number * 86_400, UTC).strftime("%Y%m%d")

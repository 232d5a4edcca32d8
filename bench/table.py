"""The table of `make bench`: rows with the limit beside them, the aims of the design, on the screen and as Markdown."""

import os
import time
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.table import Table

from charging.rating import rating

HEADERS = ("row", "measured", "limit beside it", "ratio", "aim", "met", "how")
out = Console(highlight=False, width=None if Console().is_terminal else 200)


class Scale(Struct, frozen=True):
    """How much is measured."""

    items: int = 100_000
    """Of each row."""
    warm: int = 20_000
    warm_cassandra: int = 200_000
    """Before Cassandra is measured: in service its code was compiled long ago, which costs as much as the charges."""
    warm_max: int = 200_000
    """A large country is warmed by as many charges as it has subscribers, up to this: caches are as in service."""
    hot: int = 50_000
    limit_s: float = 3.0
    unary_s: float = 8.0
    rating_s: float = 1.0
    people: int = 10_000
    subscribers: tuple[int, ...] = (100_000,)
    """Beside a country of `people`."""
    servers: tuple[int, ...] = (2, 4)
    """Beside one."""
    batches: tuple[int, ...] = (1, 10, 100, 1_000)
    journals: tuple[int, ...] = (0, 50_000, 200_000)
    """Entries that a domain server finds after its checkpoint."""
    watchers: tuple[int, ...] = (1, 10, 100)
    billed: int = 10_000
    """Accounts of a billing run."""
    small_files: int = 2_000
    """Of a switch, to be collected."""
    known_keys: int = 300_000_000
    """Of a month of a large carrier, against which a batch is held."""
    rerated: int = 300_000
    """Uses of a cycle that is rated anew."""
    in_memory: int = 10_000
    """Accounts and routes whose memory is measured."""


NORMAL = Scale()
FULL = Scale(
    rerated=10_000_000, warm_max=1_000_000, subscribers=(100_000, 1_000_000), journals=(0, 50_000, 200_000, 1_000_000)
)
QUICK = Scale(
    items=3_000,
    warm=1_000,
    warm_cassandra=2_000,
    warm_max=2_000,
    hot=1_000,
    limit_s=0.5,
    unary_s=1.5,
    rating_s=0.05,
    people=500,
    subscribers=(1_000,),
    batches=(1, 1_000),
    journals=(0, 3_000),
    watchers=(1, 10),
    billed=500,
    small_files=100,
    known_keys=120_000,
    rerated=15_000,
    in_memory=1_000,
)


class Aim(Struct, frozen=True):
    """What the design wants of a figure."""

    text: str
    bound: float
    at_least: bool = True

    def met(self, figure: float) -> bool:
        """Say whether a figure is good enough."""
        return figure >= self.bound if self.at_least else figure <= self.bound


class Row(Struct):
    """One line of the table."""

    what: str
    figure: str
    limit: str = ""
    ratio: str = ""
    how: str = ""
    aim: str = ""
    met: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """In the order of `HEADERS`."""
        return self.what, self.figure, self.limit, self.ratio, self.aim, self.met, self.how


class Bench:
    """Collects rows; each is printed when it is known."""

    def __init__(self, folder: Path, scale: Scale) -> None:
        self.folder = folder
        self.scale = scale
        self.quick = scale == QUICK
        self.rows: list[Row] = []
        self._runs = 0

    def add(self, row: Row, aim: Aim | None = None, figure: float = 0.0) -> None:
        """Keep and print a row; `figure` is what the aim is about."""
        if aim is not None:
            row.aim, row.met = aim.text, "yes" if aim.met(figure) else "no"
        self.rows.append(row)
        out.print("   ".join(cell for cell in row.cells if cell), soft_wrap=True)

    def base(self) -> str:
        """Give a fresh folder of SQLite units."""
        self._runs += 1
        units = self.folder / f"units-{self._runs}"
        units.mkdir()
        return f"sqlite://{units}"

    def table(self) -> Table:
        """Give everything for the screen."""
        table = Table(*HEADERS, title=self.title())
        for row in self.rows:
            table.add_row(*row.cells)
        return table

    def title(self) -> str:
        """Say what was measured where."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
        modules = "hot modules compiled" if is_compiled() else "pure Python"
        where = f"{os.cpu_count()} cores, {memory:.0f} GiB, all tiers, store and load generator on them; {modules}"
        return f"{where}; QUICK: too little was measured for the figures to mean anything" if self.quick else where

    def write(self, path: Path) -> None:
        """Write everything as Markdown."""
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{self.title()}; {time.strftime('%Y-%m-%d')}.", "", *_markdown([HEADERS])]
        lines += ["|" + "---|" * len(HEADERS), *_markdown([row.cells for row in self.rows]), ""]
        path.write_text("\n".join(lines), "utf-8")


def _markdown(rows: list[tuple[str, ...]]) -> list[str]:
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]


def is_compiled() -> bool:
    """Say whether this process, and those it starts, run the compiled modules."""
    return str(rating.__file__).endswith(".so")

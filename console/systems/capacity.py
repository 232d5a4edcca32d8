"""`onetier capacity plan` and its like: what a country takes, from what this machine was measured to need."""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from msgspec.structs import asdict, replace
from rich.table import Column, Table

from capacity.figures import KINDS, TIERS, CostFigures, FiguresUnreadable, read_figures, write_figures
from capacity.measuring import measure
from capacity.model import GIB, Breaking, CapacityLine, plan
from capacity.proving import Compared, prove
from capacity.traffic import CountryTraffic, TrafficUnreadable, read_traffic
from console.views import Json, View, print_view

app = typer.Typer(help="Say what a country takes, from what this machine needs.", no_args_is_help=True)
ResultT = TypeVar("ResultT")
FIGURES = Path("capacity.json")
SIZES = (1_000_000, 1_000_000_000)
"""What is planned when nobody says how many."""

FiguresFile = Annotated[Path, typer.Option("--figures", help="File of `onetier capacity measure`.")]
Subscribers = Annotated[int, typer.Option(min=300, max=1_000_000, help="Of the small country.")]
Items = Annotated[int, typer.Option(min=300, max=10_000_000, help="Requests of each kind.")]
Units = Annotated[str, typer.Option(help="cassandra://hosts/prefix; default: SQLite files in a folder of its own.")]
Traffic = Annotated[Path | None, typer.Argument(help="File of the country's traffic; default: the sample country's.")]


@app.command("measure")
def measure_command(
    out: Annotated[Path, typer.Option("--out", help="Where the figures go.")] = FIGURES,
    subscribers: Subscribers = 5_000,
    items: Items = 30_000,
    units: Units = "",
    as_json: Json = False,
) -> None:
    """Measure what requests, accounts and journals cost on this machine: a small system runs for about a minute."""
    found = _alone(lambda folder: measure(folder, subscribers, items, units))
    write_figures(out, found)
    table = Table("tier", *(Column(f"{kind}, µs", justify="right") for kind in KINDS), Column("idle", justify="right"))
    for tier in TIERS:
        table.add_row(
            tier, *(f"{found.cpu_us[tier][kind]:.0f}" for kind in KINDS), f"{found.idle_cores[tier]:.1%} of a core"
        )
    print_view(View([found], [table, *_told(found), f"written to {out}"]), as_json)


@app.command("plan")
def plan_command(
    traffic: Traffic = None,
    subscribers: Annotated[
        list[int] | None,
        typer.Option(
            min=1, max=10_000_000_000, help="In place of the file's; repeat it. Default: a million, a billion."
        ),
    ] = None,
    figures: FiguresFile = FIGURES,
    as_json: Json = False,
) -> None:
    """Say how many processes, nodes and disks a country takes, what breaks first, and why."""
    known, asked = _figures(figures), _traffic(traffic)
    sizes = subscribers or ([asked.subscribers] if traffic is not None else SIZES)
    plans = [plan(known, replace(asked, subscribers=size)) for size in sizes]
    rows: list[object] = []
    text: list[Table | str] = []
    for each in plans:
        rows += [{"subscribers": each.subscribers, **asdict(line)} for line in each.lines]
        text.append(_needs(f"{each.subscribers:,} subscribers", each.lines))
    breaks = plans[-1].breaks
    rows += [{"breaks": rank, **asdict(each)} for rank, each in enumerate(breaks, 1)]
    text += [_breaks(breaks), f"figures of {known.measured_at}, {known.machine}; store {known.store.origin}"]
    print_view(View(rows, text), as_json)


@app.command("prove")
def prove_command(
    traffic: Traffic = None,
    figures: FiguresFile = FIGURES,
    subscribers: Subscribers = 8_000,
    items: Items = 40_000,
    units: Units = "",
    within: Annotated[float, typer.Option(min=1, help="Leave with status 1 when a CPU figure is off by more.")] = 2.0,
    as_json: Json = False,
) -> None:
    """Run a small country with the traffic's mix on this machine, and compare it with what the model says of it."""
    known, asked = _figures(figures), _traffic(traffic)
    found = _alone(lambda folder: prove(known, asked, folder, subscribers, items, units))
    table = Table("what", *(Column(name, justify="right") for name in ("predicted", "measured", "ratio")))
    for each in found:
        told = f"{_number(each.predicted)} {each.unit}", f"{_number(each.measured)} {each.unit}", f"{each.ratio:.2f}"
        table.add_row(each.what, *told)
    print_view(View([{**asdict(each), "ratio": each.ratio} for each in found], [table]), as_json)
    raise typer.Exit(0 if all(_fits(each, within) for each in found if each.unit == "µs") else 1)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"


def _fits(each: Compared, within: float) -> bool:
    return 1 / within <= each.ratio <= within or abs(each.measured - each.predicted) < 3


def _alone(work: Callable[[Path], Coroutine[None, None, ResultT]]) -> ResultT:
    if not Path("/proc/self/stat").exists():
        raise typer.BadParameter("what a process costs is read from /proc, which this system has not")
    with tempfile.TemporaryDirectory(prefix="onetier-capacity-") as name:
        return asyncio.run(work(Path(name)))


def _figures(path: Path) -> CostFigures:
    try:
        return read_figures(path)
    except FiguresUnreadable as wrong:
        raise typer.BadParameter(f"{wrong}; `onetier capacity measure` makes it") from wrong


def _traffic(path: Path | None) -> CountryTraffic:
    try:
        return read_traffic(path) if path is not None else CountryTraffic()
    except TrafficUnreadable as wrong:
        raise typer.BadParameter(str(wrong)) from wrong


def _told(found: CostFigures) -> list[str]:
    journal = ", ".join(f"{kind} {each:.0f}" for kind, each in found.journal_bytes.items() if each)
    return [
        f"journal, bytes: {journal}",
        f"account: {found.account_memory:,.0f} bytes in memory, {found.account_store:,.0f} in the store; "
        f"a key {found.key_memory:.0f}, an entry of the directory {found.entry_memory:.0f} bytes in memory",
        f"store: {found.store.groups_per_core_s:,.0f} groups a second and core, {found.store.origin}",
        "" if found.compiled else "measured in plain Python: compiled modules take two thirds of it",
    ]


def _needs(title: str, lines: Sequence[CapacityLine]) -> Table:
    table = Table("what", Column("needed", justify="right"), Column("because", overflow="fold"), title=title)
    for line in lines:
        table.add_row(line.what, _amount(line), line.because)
    return table


def _amount(line: CapacityLine) -> str:
    if line.unit != "bytes":
        return f"{line.needed:,} {line.unit}"
    for size, name in ((2**40, "TiB"), (GIB, "GiB")):
        if line.needed >= size:
            return f"{line.needed / size:,.1f} {name}"
    return f"{line.needed / 2**20:,.1f} MiB"


def _breaks(breaks: Sequence[Breaking]) -> Table:
    fold = Column("why", overflow="fold"), Column("what helps", overflow="fold")
    table = Table(
        "what is met", Column("at subscribers", justify="right"), *fold, title="What breaks, first things first"
    )
    for each in breaks:
        table.add_row(each.what, f"{each.at_subscribers:,}", each.why, each.helps)
    return table

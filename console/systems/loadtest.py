"""`onetier loadtest`: the whole system under locust, one scenario after another, with a table and an HTML report.

A scenario fails when an answer was wrong or missing, or when it moved nothing. In the end the system is drained, and
every key that was told is looked for in the journals: what was lost or doubled by a killed server or a moving number is
found there, and the audit goes over all accounts.
"""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from audit import proof
from cluster.folder import FolderInUse, Options, sole_use
from cluster.layout import Layout, journals_of
from cluster.loadresult import SCENARIOS, LoadResult
from cluster.loadrun import LoadRun
from cluster.system import Shape
from console.report import verdict_table
from console.systems.narrator import Narrator
from console.systems.proving import audited

AUDIT_WORKERS = 2
WIDTH = 140
"""Columns of the table when it goes to a file."""

app = typer.Typer()


@app.command()
def loadtest(
    scenario: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(SCENARIOS)}.")] = None,
    seconds: Annotated[int, typer.Option(min=3, max=3_600, help="Length of each scenario.")] = 15,
    users: Annotated[int, typer.Option(min=1, max=1_000, help="Front ends, each with a stream.")] = 8,
    batch: Annotated[int, typer.Option(min=1, max=1_000, help="Requests a batch.")] = 200,
    subscribers: Annotated[int, typer.Option(min=300, max=5_000_000)] = 20_000,
    units: Annotated[str, typer.Option(help="sqlite:///folder or cassandra://hosts/prefix")] = "",
    folder: Annotated[Path, typer.Option("--data", help="Data folder.")] = Path(".onetier/loadtest"),
    reports: Annotated[Path, typer.Option(help="Where the HTML reports go.")] = Path("reports"),
) -> None:
    """Run locust against a system of its own, headless and for a bounded time; every answer is checked."""
    chosen = scenario or list(SCENARIOS)
    unknown = [name for name in chosen if name not in SCENARIOS]
    if unknown:
        raise typer.BadParameter(f"no scenario {', '.join(unknown)}: choose of {', '.join(SCENARIOS)}")
    options = Options(folder, units, subscribers, 0, shape=Shape(1, 2, 2))
    reports.mkdir(parents=True, exist_ok=True)
    out = Console(width=None if sys.stdout.isatty() else WIDTH)
    try:
        with sole_use(folder):
            run = LoadRun(Narrator(out), options, reports, seconds, ("-u", str(users), "--batch", str(batch)))
            layout = asyncio.run(run.all_of(chosen))
            sound = asyncio.run(prove(out, layout, options.slots, run.results))
            sound = audited(out, layout, folder, AUDIT_WORKERS) and sound
    except FolderInUse as busy:
        raise typer.BadParameter(str(busy)) from busy
    out.print(table(run.results))
    faults = [f"{name}: {fault}" for name, result in run.results for fault in result.faults]
    for text in faults:
        out.print(text, style="red", highlight=False, markup=False, soft_wrap=True)
    if faults or not sound:
        raise typer.Exit(1)


async def prove(out: Console, layout: Layout, slots: int, results: list[tuple[str, LoadResult]]) -> bool:
    """Compare all that was told with the journals; prints the comparison and says whether it holds."""
    told: dict[str, int] = {}
    for _, result in results:
        told.update(result.told)
    verdict = proof.compare(told, await proof.count(journals_of(layout, slots)))
    out.print(verdict_table(verdict))
    for text in verdict.complaints:
        out.print(f"  {text}", style="red", highlight=False, markup=False)
    return verdict.holds


def table(results: list[tuple[str, LoadResult]]) -> Table:
    """Give locust's figures of all scenarios, with what was told and repeated."""
    shown = Table("scenario", "request", "batches", "failed", "items/s", "p50 ms", "p99 ms", "charges told", "repeated")
    for name, result in results:
        for number, row in enumerate(result.rows):
            shown.add_row(
                name if number == 0 else "",
                row.name,
                f"{row.batches:,}",
                f"{row.failures:,}",
                f"{row.items_per_s:,.0f}",
                f"{row.p50_ms:,.0f}",
                f"{row.p99_ms:,.0f}",
                f"{len(result.told):,}" if number == 0 else "",
                f"{result.repeated:,}" if number == 0 else "",
            )
    return shown

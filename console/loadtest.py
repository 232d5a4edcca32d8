"""`onetier loadtest`: the whole system under locust, one scenario after another, with a table and an HTML report."""

import asyncio
import csv
import sys
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from console.sample.population import YUAN, Population
from console.stage import (
    FolderInUse,
    Mark,
    Options,
    Stage,
    clear,
    fresh_base,
    load_country,
    open_accounts,
    settle,
    sole_use,
    yesterday_ms,
)
from console.stage import write_mark as remember
from console.supervisor import Supervisor
from console.system import Shape, System, lay_out
from onetier_client import AsyncClient

SCENARIOS = ("ChargeMix", "QueryMix", "PrepaidSessions", "BusyHour", "HotAccount", "UnaryCharge", "PortStorm")
OWNER_KILLED = "OwnerKilled"
"""BusyHour again, with one domain server killed half-way."""
LOCUSTFILE = Path(__file__).resolve().parents[1] / "loadtest" / "locustfile.py"
OPENING = 100_000 * YUAN
"""So that the load is charged, not refused."""
GRACE_S = 60.0

app = typer.Typer()


class Row(Struct, frozen=True):
    """One line of locust's statistics."""

    scenario: str
    name: str
    batches: int
    failures: int
    items_per_s: float
    p50_ms: float
    p99_ms: float


@app.command()
def loadtest(
    scenario: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join((*SCENARIOS, OWNER_KILLED))}.")] = None,
    seconds: Annotated[int, typer.Option(min=3, max=3_600, help="Length of each scenario.")] = 15,
    users: Annotated[int, typer.Option(min=1, max=1_000, help="Front ends, each with a stream.")] = 8,
    batch: Annotated[int, typer.Option(min=1, max=1_000, help="Requests a batch.")] = 200,
    subscribers: Annotated[int, typer.Option(min=100, max=5_000_000)] = 20_000,
    units: Annotated[str, typer.Option(help="sqlite:///folder or cassandra://hosts/prefix")] = "",
    folder: Annotated[Path, typer.Option("--data", help="Data folder.")] = Path(".onetier/loadtest"),
    reports: Annotated[Path, typer.Option(help="Where the HTML reports go.")] = Path("reports"),
) -> None:
    """Run locust against a system of its own, headless and for a bounded time."""
    chosen = scenario or [*SCENARIOS, OWNER_KILLED]
    unknown = [name for name in chosen if name not in (*SCENARIOS, OWNER_KILLED)]
    if unknown:
        raise typer.BadParameter(f"no scenario {', '.join(unknown)}: choose of {', '.join((*SCENARIOS, OWNER_KILLED))}")
    options = Options(folder, units, subscribers, 0, shape=Shape(1, 2, 2))
    reports.mkdir(parents=True, exist_ok=True)
    try:
        with sole_use(folder):
            rows = asyncio.run(_run(chosen, options, reports, seconds, ["-u", str(users), "--batch", str(batch)]))
    except FolderInUse as busy:
        raise typer.BadParameter(str(busy)) from busy
    out = Console()
    out.print(_table(rows))
    if not rows or any(row.failures for row in rows if row.scenario != OWNER_KILLED):
        out.print("some batches failed: see the reports")
        raise typer.Exit(1)


async def _run(chosen: list[str], options: Options, reports: Path, seconds: int, how: list[str]) -> list[Row]:
    stage = Stage(Console())
    clear(options.folder)
    country = settle(options.subscribers, options.seed, yesterday_ms())
    rich = replace(country, people=_with_money(country.people))
    async with Supervisor(options.folder / "logs") as supervisor:
        system = System(supervisor, lay_out(fresh_base(options)), {})
        await system.start(options.shape)
        await load_country(stage, system, system.layout, rich, options)
        async with AsyncClient(system.endpoints) as client:
            await open_accounts(stage, client, rich.people)
        mark = Mark(system.layout.base, options.subscribers, options.seed, options.slots, country.day_ms)
        remember(options.folder, mark, rich.people)
        rows: list[Row] = []
        for name in chosen:
            stage.say(f"scenario {name}, {seconds} s")
            rows += await _scenario(name, system, options, reports, seconds, how)
        await supervisor.drain()
    return rows


def _with_money(people: Population) -> Population:
    accounts = (replace(one, opening=OPENING, payment_mode="prepaid", suspended=False) for one in people.accounts)
    return Population(tuple(accounts))


async def _scenario(
    name: str, system: System, options: Options, reports: Path, seconds: int, how: list[str]
) -> list[Row]:
    stem = reports / f"loadtest-{name}"
    arguments = [
        *("-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--only-summary", "--loglevel", "WARNING"),
        *("-r", "100", "-t", f"{seconds}s", "--stop-timeout", "10", "--reset-stats"),
        *("--host", ",".join(system.endpoints), "--directory", system.datacenters[0].address),
        *("--subscribers", str(options.folder / "subscribers.csv")),
        *("--html", f"{stem}.html", "--csv", str(stem), *how),
        "BusyHour" if name == OWNER_KILLED else name,
    ]
    with _log_of(stem) as log:
        locust = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=log, stderr=log)
        try:
            if name == OWNER_KILLED:
                await asyncio.sleep(seconds / 2)
                system.domain_servers.pop().kill()
            await asyncio.wait_for(locust.wait(), seconds + GRACE_S)
        finally:
            if locust.returncode is None:
                locust.kill()
                await locust.wait()
    return _rows(name, Path(f"{stem}_stats.csv"))


def _log_of(stem: Path) -> BinaryIO:
    return Path(f"{stem}.log").open("wb")


def _rows(scenario: str, stats: Path) -> list[Row]:
    with stats.open(newline="", encoding="utf-8") as lines:
        return [
            Row(
                scenario,
                line["Name"],
                int(line["Request Count"]),
                int(line["Failure Count"]),
                float(line["Requests/s"]) * _items(line["Name"]),
                float(line["50%"]),
                float(line["99%"]),
            )
            for line in csv.DictReader(lines)
            if line["Name"] != "Aggregated"
        ]


def _items(name: str) -> int:
    _, times, count = name.rpartition("×")
    return int(count) if times else 1


def _table(rows: list[Row]) -> Table:
    table = Table("scenario", "request", "batches", "failed", "items/s", "p50 ms", "p99 ms")
    for row in rows:
        table.add_row(
            row.scenario,
            row.name,
            f"{row.batches:,}",
            f"{row.failures:,}",
            f"{row.items_per_s:,.0f}",
            f"{row.p50_ms:,.0f}",
            f"{row.p99_ms:,.0f}",
        )
    return table

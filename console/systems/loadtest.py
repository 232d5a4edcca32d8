"""`onetier loadtest`: the whole system under locust, one scenario after another, with a table and an HTML report.

A scenario fails when an answer was wrong or missing, or when it moved nothing. In the end the system is drained, and
every key that was told is looked for in the journals: what was lost or doubled by a killed server or a moving number is
found there, and the audit goes over all accounts.
"""

import asyncio
import csv
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from audit import proof
from cluster.filling import load_country, open_accounts, settle, yesterday_ms
from cluster.folder import FolderInUse, FolderMark, Options, clear, fresh_base, sole_use
from cluster.folder import write_mark as remember
from cluster.layout import Layout, journals_of, lay_out
from cluster.supervisor import Supervisor
from cluster.system import Shape, System
from console.report import verdict_table
from console.systems.narrator import Narrator
from console.systems.proving import audited
from country.population import Population
from onetier_client import AsyncClient

OWNER_KILLED = "OwnerKilled"
"""BusyHour again, with one domain server killed half-way."""
SCENARIOS = (
    "ChargeMix",
    "QueryMix",
    "PrepaidSessions",
    "BusyHour",
    "HotAccount",
    "UnaryCharge",
    "PortStorm",
    OWNER_KILLED,
)
MOVES_NO_MONEY = "QueryMix"
NATIONAL = ("BusyHour", OWNER_KILLED)
"""Scenarios in which every domain must have been charged."""
LOCUSTFILE = Path(__file__).resolve().parents[2] / "loadtest" / "locustfile.py"
OPENING = 10**14
"""Micro-units in each account: so that the load is charged, never refused."""
FINISH_S = 40
"""For users to learn the outcome of what they sent: longer than they repeat a key."""
GRACE_S = FINISH_S + 30.0
LOAD_BEGINS_S = 60.0
AUDIT_WORKERS = 2
WIDTH = 140
"""Columns of the table when it goes to a file."""

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


class Outcome(Struct, frozen=True):
    """How one scenario went."""

    rows: list[Row]
    told: dict[str, int]
    """Request key → amount, as callers were told."""
    by_domain: Counter[str]
    """Charges told, by the domain that made them."""
    repeated: int
    """Charges whose key was sent more than once before the outcome was known."""
    faults: list[str]
    """Why the scenario has failed; nothing when it went well."""


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
            run = _Run(Narrator(out), options, reports, seconds, ("-u", str(users), "--batch", str(batch)))
            layout = asyncio.run(run.all_of(chosen))
            sound = asyncio.run(prove(out, layout, options.slots, run.outcomes))
            sound = audited(out, layout, folder, AUDIT_WORKERS) and sound
    except FolderInUse as busy:
        raise typer.BadParameter(str(busy)) from busy
    out.print(table(run.outcomes))
    faults = [f"{name}: {fault}" for name, outcome in run.outcomes for fault in outcome.faults]
    for text in faults:
        out.print(text, style="red", highlight=False, markup=False, soft_wrap=True)
    if faults or not sound:
        raise typer.Exit(1)


class _Run:
    """One system, and the scenarios that run against it one after another."""

    def __init__(self, narrator: Narrator, options: Options, reports: Path, seconds: int, how: tuple[str, ...]) -> None:
        self.outcomes: list[tuple[str, Outcome]] = []
        self._narrator = narrator
        self._options = options
        self._reports = reports
        self._seconds = seconds
        self._how = how

    async def all_of(self, chosen: list[str]) -> Layout:
        """Start, load, run, drain."""
        options, narrator = self._options, self._narrator
        clear(options.folder)
        country = settle(options.subscribers, options.seed, yesterday_ms())
        rich = replace(country, people=_with_money(country.people))
        async with Supervisor(options.folder / "logs") as supervisor:
            system = System(supervisor, lay_out(fresh_base(options)), {})
            await system.start(options.shape)
            await load_country(narrator, system, system.layout, rich, options)
            async with AsyncClient(system.endpoints) as client:
                await open_accounts(narrator, client, rich.people)
            mark = FolderMark(system.layout.base, options.subscribers, options.seed, options.slots, country.day_ms)
            remember(options.folder, mark, rich.people)
            domains = {account.domain for account in rich.people.accounts}
            for number, name in enumerate(chosen):
                narrator.say(f"scenario {name}, {self._seconds} s")
                self.outcomes.append((name, await self._scenario(name, number, system, domains)))
            await supervisor.drain()
        return system.layout

    async def _scenario(self, name: str, number: int, system: System, domains: set[str]) -> Outcome:
        stem = self._reports / f"loadtest-{name}"
        told = _cleared(stem)
        with _log_of(stem) as log:
            locust = await asyncio.create_subprocess_exec(
                sys.executable, *self._arguments(name, stem, system), stdout=log, stderr=log
            )
            try:
                killed_at = await self._kill(number, told, system) if name == OWNER_KILLED else None
                await asyncio.wait_for(locust.wait(), self._seconds + GRACE_S)
            finally:
                if locust.returncode is None:
                    locust.kill()
                    await locust.wait()
        return outcome_of(name, stem, domains, killed_at)

    def _arguments(self, name: str, stem: Path, system: System) -> list[str]:
        return [
            *("-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--only-summary", "--loglevel", "WARNING"),
            *("-r", "100", "-t", f"{self._seconds}s", "--stop-timeout", str(FINISH_S)),
            *("--host", ",".join(system.endpoints), "--directory", system.datacenters[0].address),
            *("--subscribers", str(self._options.folder / "subscribers.csv"), "--told", f"{stem}_told.csv"),
            "--refusals-fail",
            *("--html", f"{stem}.html", "--csv", str(stem), *self._how),
            "BusyHour" if name == OWNER_KILLED else name,
        ]

    async def _kill(self, number: int, told: Path, system: System) -> int:
        """Kill a domain server in the middle of the load, start another; gives how much had been told by then."""
        began = time.monotonic()
        while not lines_of(told) and time.monotonic() < began + LOAD_BEGINS_S:  # noqa: ASYNC110 - locust tells nobody
            await asyncio.sleep(0.1)
        await asyncio.sleep(self._seconds / 2)
        system.domain_servers.pop(0).kill()
        lines = len(lines_of(told))
        await system.start_process("domainserver", len(SCENARIOS) + number)
        return lines


def _with_money(people: Population) -> Population:
    accounts = (replace(one, opening=OPENING, payment_mode="prepaid", suspended=False) for one in people.accounts)
    return Population(tuple(accounts))


def _cleared(stem: Path) -> Path:
    """Forget an earlier run; gives the path of what will be told."""
    for end in ("_stats.csv", "_exceptions.csv", "_told.csv"):
        Path(f"{stem}{end}").unlink(missing_ok=True)
    return Path(f"{stem}_told.csv")


def lines_of(told: Path) -> list[str]:
    """Give what was told so far, a line a charge."""
    return told.read_text("utf-8").splitlines() if told.exists() else []


def _log_of(stem: Path) -> BinaryIO:
    return Path(f"{stem}.log").open("wb")


def outcome_of(scenario: str, stem: Path, domains: set[str], killed_at: int | None) -> Outcome:
    """Read what locust left and judge it. `killed_at` = charges told when a server was killed."""
    rows = _rows(scenario, Path(f"{stem}_stats.csv"))
    told: dict[str, int] = {}
    by_domain: Counter[str] = Counter()
    repeated = lines = 0
    faults = [f"{row.failures:,} of {row.batches:,} {row.name} failed: see {stem}.html" for row in rows if row.failures]
    for line in lines_of(Path(f"{stem}_told.csv")):
        key, amount, domain, again = line.split("\t")
        if key in told:
            faults.append(f"{key} was told twice")
        told[key] = int(amount)
        by_domain[domain] += 1
        repeated += int(again)
        lines += 1
    faults += _thrown(Path(f"{stem}_exceptions.csv"))
    if not sum(row.batches for row in rows) or (scenario != MOVES_NO_MONEY and not told):
        faults.append(f"it moved nothing: see {stem}.log")
    if scenario in NATIONAL and domains - set(by_domain):
        faults.append(f"nothing was charged in {', '.join(sorted(domains - set(by_domain)))}")
    if killed_at is not None and not 0 < killed_at < lines:
        faults.append(
            f"{killed_at:,} charges were told before the kill, {lines - killed_at:,} after it: give more time"
        )
    return Outcome(rows, told, by_domain, repeated, faults)


def _rows(scenario: str, stats: Path) -> list[Row]:
    if not stats.exists():
        return []
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


def _thrown(exceptions: Path) -> list[str]:
    """Defects of the users themselves: locust counts them apart from its requests."""
    if not exceptions.exists():
        return []
    with exceptions.open(newline="", encoding="utf-8") as lines:
        return [f"{line['Count']} times {line['Message']}" for line in csv.DictReader(lines)]


async def prove(out: Console, layout: Layout, slots: int, outcomes: list[tuple[str, Outcome]]) -> bool:
    """Compare all that was told with the journals; prints the comparison and says whether it holds."""
    told: dict[str, int] = {}
    for _, outcome in outcomes:
        told.update(outcome.told)
    verdict = proof.compare(told, await proof.count(journals_of(layout, slots)))
    out.print(verdict_table(verdict))
    for text in verdict.complaints:
        out.print(f"  {text}", style="red", highlight=False, markup=False)
    return verdict.holds


def table(outcomes: list[tuple[str, Outcome]]) -> Table:
    """Give locust's figures of all scenarios, with what was told and repeated."""
    shown = Table("scenario", "request", "batches", "failed", "items/s", "p50 ms", "p99 ms", "charges told", "repeated")
    for name, outcome in outcomes:
        for number, row in enumerate(outcome.rows):
            shown.add_row(
                name if number == 0 else "",
                row.name,
                f"{row.batches:,}",
                f"{row.failures:,}",
                f"{row.items_per_s:,.0f}",
                f"{row.p50_ms:,.0f}",
                f"{row.p99_ms:,.0f}",
                f"{len(outcome.told):,}" if number == 0 else "",
                f"{outcome.repeated:,}" if number == 0 else "",
            )
    return shown

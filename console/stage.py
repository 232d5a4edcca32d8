"""The stage that `demo` and `up` share: a data folder, a system started on it, a country loaded into it."""

import fcntl
import secrets
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from csv import writer
from pathlib import Path

import msgspec
from msgspec import Struct
from onetier.v1 import data_center_pb2 as dc
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from console import loading, openings, report
from console.catalog import publication
from console.catalogue_files import read_folder
from console.sample import number_plan, population, reference
from console.sample.number_plan import NumberPlan
from console.sample.population import DAY_MS, Population
from console.sending import Advance, Sent, send_commands
from console.system import Layout, Shape, System, default_base
from evidence.keyfile import FOLDER
from onetier_client import AsyncClient
from storage.open import migrate
from storage.url import masked

BEIJING_OFFSET_MS = 8 * 3_600_000
MARK = "system.json"
"""Written when a country is loaded: which units hold it, and how it was made."""
LOCK = "lock"
"""Locked while a system runs on the folder."""


class CatalogueFaulty(Exception):
    """The sample catalogue has faults; the message lists them with file and line."""


class FolderInUse(ValueError):
    """The data folder can't be used now, or not for what was asked; the message says what to do."""


class Options(Struct, frozen=True):
    """What the commands `demo` and `up` may be told."""

    folder: Path
    units: str = ""
    """Base URL of the units; empty = SQLite files in the folder."""
    subscribers: int = 20_000
    events: int = 200_000
    seed: int = 1
    slots: int = 1
    """Slots of each domain."""
    shape: Shape = Shape()
    catalogues: Path = Path(__file__).resolve().parents[1] / "catalogues"
    tls: Path | None = None
    """Folder of certificates as `docs/tls.md` makes it; None = no TLS."""
    ported: int = 24
    """Numbers that move to another domain before the traffic."""


class Mark(Struct, frozen=True):
    """What a data folder holds."""

    base: str
    subscribers: int
    seed: int
    slots: int
    day_ms: int
    kept: bool = False
    """`onetier up` has served it: nothing but `--fresh` removes it."""


class Country(Struct, frozen=True):
    """The number plan and the people of a run."""

    plan: NumberPlan
    people: Population
    day_ms: int


def access_settings(folder: Path) -> dict[str, str]:
    """Give the settings by which platforms keep the log of who read what in a data folder."""
    return {"ONETIER_ACCESS_LOG": str((folder / "access").resolve())}


def yesterday_ms() -> int:
    """Give the beginning of yesterday, by the clock of the country, in UTC milliseconds."""
    now_ms = time.time_ns() // 1_000_000 + BEIJING_OFFSET_MS
    return now_ms - now_ms % DAY_MS - DAY_MS - BEIJING_OFFSET_MS


@contextmanager
def sole_use(folder: Path) -> Iterator[None]:
    """Use a data folder for the length of the block; another run would delete what this one serves.

    Raises `FolderInUse`.
    """
    if folder.exists() and not folder.is_dir():
        raise FolderInUse(f"{folder} is a file: give a folder as --data")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            # The kernel lets go of it when the process ends, however it ends.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderInUse(f"a system runs on {folder} already: stop it, or give another --data") from error
        yield


def clear(folder: Path) -> None:
    """Remove what earlier runs left in a data folder, and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("units", "logs", "access", FOLDER):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (MARK, "usage.csv", "subscribers.csv"):
        (folder / name).unlink(missing_ok=True)
    (folder / "units").mkdir()


def fresh_base(options: Options) -> str:
    """Give the base URL of a run that must find nothing: keyspaces, or a folder, with a name of their own."""
    if not options.units:
        return default_base(options.folder)
    _, question, query = options.units.partition("?")
    return f"{_stem(options.units)}{secrets.token_hex(3)}{question}{query}"


def check_units(mark: Mark, options: Options) -> None:
    """Refuse units other than those that hold the country of the data folder. Raises `FolderInUse`."""
    if options.units and not mark.base.startswith(_stem(options.units)):
        held = f"{options.folder} holds a country whose units are at {masked(mark.base)}"
        raise FolderInUse(f"{held}: leave --units out, give another --data, or forget it with --fresh")


def check_forgettable(folder: Path) -> None:
    """Refuse to make another country in place of one that is kept. Raises `FolderInUse`."""
    mark = read_mark(folder)
    if mark is not None and mark.kept:
        raise FolderInUse(
            f"{folder} holds a country that `onetier up` keeps: give another --data, or forget it with --fresh"
        )


def keep(folder: Path, mark: Mark) -> None:
    """Note that a country is served and kept from now on."""
    (folder / MARK).write_bytes(msgspec.json.encode(msgspec.structs.replace(mark, kept=True)))


def _stem(units: str) -> str:
    address = units.partition("?")[0].rstrip("/")
    return address + ("_" if address.startswith("cassandra:") else "/")


def read_mark(folder: Path) -> Mark | None:
    """Say what a data folder holds; None when no country was loaded into it. Raises `FolderInUse`."""
    path = folder / MARK
    try:
        return msgspec.json.decode(path.read_bytes(), type=Mark) if path.exists() else None
    except msgspec.MsgspecError as error:
        raise FolderInUse(f"{path} does not say what the folder holds ({error}): give another --data") from error


def write_mark(folder: Path, mark: Mark, people: Population, homes: Mapping[str, str] | None = None) -> None:
    """Remember what the folder holds, and list its subscribers for load tests; `homes` are domains after moves."""
    homes = homes or {}
    with (folder / "subscribers.csv").open("w", newline="", encoding="utf-8") as file:
        lines = writer(file)
        lines.writerow(("identity", "domain", "account"))
        lines.writerows(
            (member.identity, homes.get(member.identity, member.domain), member.account_id)
            for member in people.subscribers()
        )
    (folder / MARK).write_bytes(msgspec.json.encode(mark))


def settle(subscribers: int, seed: int, day_ms: int) -> Country:
    """Read the number plan and make the people."""
    plan = number_plan.read()
    return Country(plan, population.populate(plan, subscribers, seed, day_ms), day_ms)


class Stage:
    """Prints steps as they are done, with their time."""

    def __init__(self, out: Console) -> None:
        self.out = out
        self._began = time.perf_counter()

    def say(self, text: str) -> None:
        """Print a line with the time since the start."""
        self.out.print(f"[dim]{time.perf_counter() - self._began:6.1f} s[/]  {text}", highlight=False, soft_wrap=True)

    async def with_bar(self, title: str, total: int, work: Callable[[Advance], Awaitable[Sent]]) -> Sent:
        """Do a sending with a progress bar, and say how fast it was."""
        columns = (TextColumn("         {task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(
            *columns,
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.out,
            transient=True,
            disable=not self.out.is_terminal,
        ) as bar:
            task = bar.add_task(title, total=total)
            sent = await work(lambda count: bar.advance(task, count))
        self.say(f"{title}: {sent.requests:,} in {sent.seconds:.1f} s, {sent.per_second:,.0f}/s")
        return sent


async def make_units(stage: Stage, layout: Layout) -> None:
    """Make the units on Cassandra, one after another, before anybody waits for them: a table may take it seconds.

    SQLite needs milliseconds, so its files are made by the domain server that opens them first.
    """
    urls = [layout.directory, *layout.units.values()]
    if not layout.base.startswith("cassandra:"):
        return
    for number, url in enumerate(urls, 1):
        await migrate(url)
        stage.say(f"unit {number} of {len(urls)} made: {masked(url)}")


async def load_country(stage: Stage, system: System, layout: Layout, country: Country, options: Options) -> None:
    """Load plan, domains, units, channels, partners, catalogues and entries through a data center.

    Raises `CatalogueFaulty`.
    """
    for line in report.plan_lines(country.plan):
        stage.say(line)
    catalogues = read_folder(options.catalogues)
    if catalogues.faults:
        raise CatalogueFaulty("\n".join(str(fault) for fault in catalogues.faults))
    changes = loading.country(layout, country.plan, options.slots) + publication(catalogues.catalogues)
    if options.tls is not None:
        changes += [dc.DirectoryChange(grant=grant) for grant in reference.GRANTS]
    entries = loading.explicit_entries(country.people, country.plan, options.slots)
    async with system.directory_of(0) as stub:
        revision = await loading.amend(stub, changes, f"country-{options.seed}")
        for number, pack in enumerate(loading.packs_of(entries)):
            revision = await loading.amend(stub, pack, f"entries-{options.seed}-{number}")
    for number in range(len(system.datacenters)):
        async with system.directory_of(number) as stub:
            await loading.until_known(stub, revision)
    regional = sum(1 for one in catalogues.catalogues if one.domain)
    stage.say(
        f"directory at revision {revision}: 31 domains, {len(layout.units)} units, {len(entries):,} explicit entries, "
        f"{len(catalogues.catalogues) - regional} national and {regional} regional catalogues"
    )


async def open_accounts(stage: Stage, client: AsyncClient, people: Population) -> None:
    """Open all accounts through the front end's stream, then let the other members join. Raises `SendingFailed`."""
    await stage.with_bar(
        "accounts opened",
        len(people.accounts),
        lambda advance: send_commands(client, openings.openings(people), advance),
    )
    joins = list(openings.joins(people))
    await stage.with_bar("members joined", len(joins), lambda advance: send_commands(client, iter(joins), advance))

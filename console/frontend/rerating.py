"""`onetier mediation rerate`, `rollback` and `what-if`: usage rated anew by jobs, taken back, and tried on a draft."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from authoring.files import read_folder
from business.billing.periods import read_period
from charging.base.identity import mask
from charging.catalogue.document import Catalogue
from charging.errors import Fault
from cluster.roles import read_role
from console.frontend import plants, working
from console.frontend.asking import ENDPOINTS, Certificates, Endpoint, explained
from console.operations.keys import ChainKeys, ring_for
from console.operations.operate import FOLDER, DirectoryUrl, Folder, directory_url
from console.report import major, moment
from console.views import Json, View, print_view
from details.late import LateBook, LateUsage
from details.store import DetailStore
from evidence.keys import KeyRing
from mediation.gathering import Gatherer, JournalPlace, journals_of
from mediation.rerating.bycolumns import Ways
from mediation.rerating.freezing import Freezer
from mediation.rerating.job import AccountOutcome, RerateJob, check_job
from mediation.rerating.latecomers import late_job, note
from mediation.rerating.places import Done, Elsewhere, Here, Workplace
from mediation.rerating.rollback import Rollback
from mediation.rerating.rows import GatheredRows
from mediation.rerating.tariffs import Tariffs, drafted, tariffs
from mediation.rerating.units import Doer, UnitMaker, joined
from mediation.rerating.whatif import BY, WhatIf, WhatIfSum, chart
from onetier_client import AsyncClient
from runtime.durable import only_writer

BARS_CHARS = 40
SHOWN_MAX = 40
"""Accounts that are listed for people."""
WAYS_SHOWN = 5

DetailsHome = Annotated[Path, typer.Argument(metavar="DETAILS", help="Folder of `onetier details gather`.")]
Cycle = Annotated[str, typer.Option("--cycle", help="First cycle that is rated anew, 2026-10; all up to now follows.")]
OrCycle = Annotated[str, typer.Option("--cycle", help="As 2026-10; or --late.")]
Late = Annotated[bool, typer.Option("--late", help="Cycles that late usage came to, of each account its own.")]
Reason = Annotated[str, typer.Option("--reason", help="Kept with each restatement; of late usage it says so itself.")]
Why = Annotated[str, typer.Option("--reason", help="Kept with each restatement, shown in histories.")]
Accounts = Annotated[
    list[str] | None, typer.Option("--account", help="Only this account; repeat it. Default: all that used something.")
]
Domain = Annotated[str, typer.Option("--domain", help="Only this region; default: the country.")]
Workers = Annotated[
    str,
    typer.Option("--workers", help="HOST:PORT of a scheduler whose workers do it; default: this machine, alone."),
]


class JobDesk(Struct, frozen=True):
    """What a job has at hand."""

    store: DetailStore
    gatherer: Gatherer
    journals: list[JournalPlace]
    client: AsyncClient

    @property
    def freezer(self) -> Freezer:
        """Freezes accounts in this process."""
        return Freezer(GatheredRows(self.store, self.gatherer), self.client)


Work = Callable[[JobDesk], Awaitable[bool]]


def rerate(
    home: DetailsHome,
    cycle: OrCycle = "",
    late: Late = False,
    reason: Reason = "",
    accounts: Accounts = None,
    domain: Domain = "",
    workers: Workers = "",
    folder: Folder = FOLDER,
    directory: DirectoryUrl = "",
    keys: ChainKeys = None,
    endpoint: Endpoint = ENDPOINTS,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """Rate usage anew by the catalogues as published, and post one difference an account; twice has no effect.

    All usage since a cycle (--cycle), or of each account that late usage came to, since the cycle of that (--late).
    """
    if bool(cycle) == late or (late and accounts):
        raise typer.BadParameter("say --cycle, with accounts if you like, or --late", param_hint="--cycle")
    where = directory_url(folder, directory)
    ring, now_ms = ring_for(where, keys), plants.now_ms()
    job = RerateJob(now_ms, _month(cycle) if cycle else 0, reason, tuple(accounts or ()))

    async def work(desk: JobDesk) -> bool:
        rated_by = await tariffs(where, ring)
        outcomes, ways = list[AccountOutcome](), Ways()
        async with _workplace(desk, rated_by, workers, tls) as place:
            if not late:
                check_job(job, rated_by.timelines, now_ms)
                maker = UnitMaker(desk.store, job, rated_by.digest)
                async for _, outcome in _watched(place, [(journal, maker) for journal in desk.journals]):
                    outcomes += outcome.accounts
                    ways.add(outcome.ways)
            else:
                outcomes += await rate_late(desk, rated_by, place, job, ways)
        return _tell(job.number, outcomes, as_json, ways_text(ways))

    _run(home, where, ring, domain, endpoint, tls, work)


async def rate_late(
    desk: JobDesk, rated_by: Tariffs, place: Workplace, job: RerateJob, ways: Ways
) -> list[AccountOutcome]:
    """Rate what is late, of each account from its oldest month on; where that can't be, from the next that waits."""
    book, outcomes = LateBook(desk.store), list[AccountOutcome]()
    tried: dict[str, LateUsage] | None = None
    while tried is None or tried:
        makers: list[tuple[JournalPlace, UnitMaker]] = []
        for journal in desk.journals:
            mine = late_job(book, journal, job.number, job.reason, job.number, tried)
            if mine is not None:
                check_job(mine, rated_by.timelines, job.number)
                makers.append((journal, UnitMaker(desk.store, mine, rated_by.digest)))
        tried = {}
        async for unit, outcome in _watched(place, makers):
            outcomes += outcome.accounts
            ways.add(outcome.ways)
            for each in outcome.accounts:
                row = unit.job.late[each.account_id]
                note(book, row, each)
                if each.reason:
                    tried[each.account_id] = row
    return outcomes


def late(
    home: DetailsHome,
    as_json: Json = False,
) -> None:
    """List the accounts that late usage came to and whose cycles wait for `rerate --late`, and why some still do.

    What was gathered since the last `rerate --late` is looked through first; nothing is asked of the platform.
    """
    store = DetailStore(home)
    with closing(store), explained(), only_writer(home):
        book = LateBook(store)
        for slot in store.manifest.gathered():
            book.find(slot)
        rows = book.waiting()
    lines = [_late_line(each) for each in rows[:SHOWN_MAX]]
    if len(rows) > SHOWN_MAX:
        lines.append(f"… and {len(rows) - SHOWN_MAX} more (--json has all)")
    waiting = len({each.account_id for each in rows})
    print_view(View(rows, [*lines, f"{waiting:,} accounts wait"]), as_json)


def _late_line(each: LateUsage) -> str:
    what = "at no price" if each.set_aside else "charged as it came"
    tried = f": {each.reason}: {each.why}" if each.reason else ""
    return f"{mask(each.account_id)}: usage since {moment(each.from_ms)} is {what}{tried}"


def rollback(
    home: DetailsHome,
    job: Annotated[int, typer.Argument(help="Number of the job, as `rerate` told it.")],
    reason: Why,
    domain: Domain = "",
    folder: Folder = FOLDER,
    directory: DirectoryUrl = "",
    keys: ChainKeys = None,
    endpoint: Endpoint = ENDPOINTS,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """Take a job back: each account is restated to its former sums; twice has no effect."""
    where = directory_url(folder, directory)
    ring, number = ring_for(where, keys), plants.now_ms()

    async def work(desk: JobDesk) -> bool:
        back = Rollback(desk.store, desk.freezer, job, number)
        outcomes: list[AccountOutcome] = []
        with _progress() as tell:
            for journal in desk.journals:
                async for outcome in back.post(journal, desk.client, reason):
                    outcomes.append(outcome)
                    tell(journal.slot, len(outcomes))
        return _tell(number, outcomes, as_json)

    _run(home, where, ring, domain, endpoint, tls, work)


def what_if(
    home: DetailsHome,
    catalogues: Annotated[Path, typer.Argument(help="Folder of the draft's YAML files.", exists=True)],
    cycle: Cycle,
    by: Annotated[str, typer.Option("--by", help=f"Shown: {', '.join(BY)}.")] = "offering",
    most: Annotated[int, typer.Option("--most", min=1, help="Rows that are shown: who pays most more first.")] = 20,
    svg: Annotated[Path | None, typer.Option("--svg", help="Write the chart as a file, too.")] = None,
    accounts: Accounts = None,
    domain: Domain = "",
    workers: Workers = "",
    folder: Folder = FOLDER,
    directory: DirectoryUrl = "",
    keys: ChainKeys = None,
    endpoint: Endpoint = ENDPOINTS,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """Say what a draft would have earned since a cycle, and who would pay more; nothing is posted."""
    if by not in BY:
        raise typer.BadParameter(f"{by!r} is none of {', '.join(BY)}", param_hint="--by")
    draft = tuple(drafted(_draft(catalogues)))
    where = directory_url(folder, directory)
    ring, now_ms = ring_for(where, keys), plants.now_ms()
    job = RerateJob(now_ms, _month(cycle), "what if", tuple(accounts or ()))

    async def work(desk: JobDesk) -> bool:
        rated_by = await tariffs(where, ring, draft)
        check_job(job, rated_by.timelines, now_ms)
        maker = UnitMaker(desk.store, job, rated_by.digest, draft)
        makers = [(journal, maker) for journal in desk.journals]
        async with _workplace(desk, rated_by, workers, tls) as place:
            found, left, ways = joined([outcome async for _, outcome in _watched(place, makers)])
        _tell_what_if(found, by, most, left, as_json, ways_text(ways))
        if svg is not None:
            svg.write_text(chart(f"before and after, by {by}", found.sums(by)[:most]), encoding="utf-8")
        return True

    _run(home, where, ring, domain, endpoint, tls, work)


@asynccontextmanager
async def _workplace(desk: JobDesk, rated_by: Tariffs, workers: str, tls: Path | None) -> AsyncIterator[Workplace]:
    """Give where units are done. Raises `Unavailable` WORKERS_UNREACHABLE, `BadSettings`."""
    if not workers:
        yield Here(Doer(desk.freezer, desk.client, rated_by))
        return
    async with working.engine_at(workers, tls) as engine:
        yield Elsewhere(engine)


async def _watched(place: Workplace, makers: list[tuple[JournalPlace, UnitMaker]]) -> AsyncIterator[Done]:
    """Have all journals done, telling on standard error how far it is."""
    count = 0
    with _progress() as tell:
        units = chain.from_iterable(maker.units(journal) for journal, maker in makers)
        async for unit, outcome in place.done(units):
            count += len(unit.accounts)
            tell(unit.journal.slot, count)
            yield unit, outcome


@contextmanager
def _progress() -> Iterator[Callable[[str, int], None]]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("beginning", total=None)
        yield lambda slot, count: progress.update(task, description=f"{slot}: {count:,} accounts")


def _run(
    home: Path, where: str, ring: KeyRing, domain: str, endpoints: list[str], tls: Path | None, work: Work
) -> None:
    async def connected() -> bool:
        store = DetailStore(home)
        try:
            # A job gathers, too: rows that two gather stand twice, and would be restated.
            with only_writer(home):
                store.remove_unnamed()
                gatherer = Gatherer(store, ring)
                journals = await journals_of(where, ring, domain)
                for journal in journals:
                    await gatherer.gather(journal)
                async with AsyncClient(endpoints, tls=read_role(tls, "operator")) as client:
                    return await work(JobDesk(store, gatherer, journals, client))
        finally:
            store.close()

    with explained():
        well = asyncio.run(connected())
    if not well:
        raise typer.Exit(1)


def _draft(folder: Path) -> list[Catalogue]:
    found = read_folder(folder)
    for fault in found.faults:
        typer.echo(str(fault), err=True)
    if found.faults:
        raise typer.Exit(1)
    return list(found.catalogues)


def _month(cycle: str) -> int:
    try:
        return read_period(cycle if "/" in cycle else f"{cycle}/1").month
    except Fault as fault:
        raise typer.BadParameter(fault.message, param_hint="--cycle") from fault


def _tell(job: int, outcomes: list[AccountOutcome], as_json: bool, ways: str = "") -> bool:
    """Tell a job; say whether no account was left out, and no usage at no price."""
    counts = Counter(each.status for each in outcomes)
    table = Table(title=f"Job {job}", title_justify="left")
    for name in ("account", "what", "uses", "before", "after", "difference"):
        table.add_column(name, justify="left" if name in ("account", "what") else "right")
    changed = [each for each in outcomes if each.before != each.after or each.reason]
    for each in changed[:SHOWN_MAX]:
        what = f"{each.status}: {each.reason}" if each.reason else each.status
        sums = (f"{each.uses:,}", major(each.before), major(each.after), major(each.after - each.before))
        table.add_row(mask(each.account_id), what, *sums)
    difference = sum(each.after - each.before for each in outcomes if not each.reason)
    texts = [f"{count:,} {status}" for status, count in sorted(counts.items())] or ["no account used anything"]
    texts.append(f"difference {major(difference)}, job {job}")
    texts += [ways] if ways else []
    unrated = Counter(each.unrated for each in outcomes if each.unrated)
    texts += [f"{count:,} accounts have usage that stays at no price: {why}" for why, count in unrated.items()]
    print_view(View([{"job": job, "outcome": each} for each in outcomes], [table, *texts]), as_json)
    return not counts["left out"] and not unrated


def _tell_what_if(found: WhatIf, by: str, most: int, left: int, as_json: bool, ways: str) -> None:
    rows, total = found.sums(by), found.total
    table = Table(title=f"By {by}", title_justify="left")
    for name in (by, "uses", "before", "after", "difference", "unpriced"):
        table.add_column(name, justify="left" if name == by else "right")
    for each in rows[:most]:
        name = mask(each.name) if by == "subscriber" else each.name
        sums = (major(each.before), major(each.after), major(each.difference))
        table.add_row(name, f"{each.uses:,}", *sums, f"{each.unpriced:,}")
    payers = ", ".join(f"{count:,} would pay {what}" for what, count in found.payers().items())
    texts = [
        *_bars(rows[:most], by),
        f"in all {major(total.before)} before, {major(total.after)} after: {major(total.difference)}",
        f"{payers}; {left:,} accounts left out; nothing was posted",
        ways,
    ]
    data = [
        {"by": by, **{name: getattr(each, name) for name in (*each.__struct_fields__, "difference")}} for each in rows
    ]
    print_view(
        View([*data, {"by": "all", "payers": found.payers(), "total": total, "left_out": left}], [table, *texts]),
        as_json,
    )


def ways_text(ways: Ways) -> str:
    """Say how uses were rated: by columns, or one by one and why."""
    texts = [f"{ways.by_columns:,} uses rated by columns, {ways.share:.1%} of all one by one"]
    texts += [
        f"{count:,} for {reason}"
        for reason, count in sorted(ways.by_rows.items(), key=lambda way: -way[1])[:WAYS_SHOWN]
    ]
    return ", ".join(texts)


def _bars(rows: list[WhatIfSum], by: str) -> list[str]:
    most = max([1, *(max(each.before, each.after) for each in rows)])
    lines: list[str] = []
    for each in rows:
        name = mask(each.name) if by == "subscriber" else each.name
        lines.append(f"{name[:24]:24} before {'░' * (BARS_CHARS * each.before // most)}")
        lines.append(f"{'':24} after  {'█' * (BARS_CHARS * each.after // most)}")
    return lines

"""`onetier details`: rated usage gathered from the journals, kept as Parquet, looked at, given out, thinned out."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from business.billing.periods import Period, read_period
from charging.base.identity import mask
from charging.base.localtime import LocalTime, day_of
from console.operations.keys import ChainKeys, ring_for
from console.operations.operate import FOLDER, DirectoryUrl, Folder, directory_url
from console.report import major, moment
from console.views import Json, Row, View, print_view
from details import keeping
from details.checking import check_parts
from details.rows import StoredUsage
from details.store import DetailAsk, DetailStore
from details.sums import BY, FORMATS, export, sums
from mediation.agreeing import disagreements
from mediation.gathering import Gathered, Gatherer, JournalPlace, journals_of
from runtime.durable import FolderTaken, only_writer
from runtime.server import calm_collector

app = typer.Typer(no_args_is_help=True)
PAGE = 1_000

Home = Annotated[Path, typer.Argument(help="Folder of the details.")]
AccountId = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Id of the account: GD/3:….")]
FromDay = Annotated[str, typer.Option("--from", help="First day of use, 2026-10-01; default: the first there is.")]
ToDay = Annotated[str, typer.Option("--to", help="Last day of use; default: the last there is.")]
Days = Annotated[int, typer.Option(min=0, help="So many days before today.")]


@app.command()
def gather(
    home: Home,
    domain: Annotated[str, typer.Option(help="Only this domain; default: the country.")] = "",
    folder: Folder = FOLDER,
    directory: DirectoryUrl = "",
    keys: ChainKeys = None,
    as_json: Json = False,
) -> None:
    """Gather what came to the journals since the last time; whatever is killed goes on where it stood."""
    where = directory_url(folder, directory)
    ring = ring_for(where, keys)

    async def work(store: DetailStore) -> list[Gathered]:
        gatherer = Gatherer(store, ring)
        return [await gatherer.gather(journal) for journal in await journals_of(where, ring, domain)]

    calm_collector()
    with _writing(home) as store:
        store.remove_unnamed()
        done = asyncio.run(work(store))
        keeping.compact(store)
    rows, groups = sum(each.rows for each in done), sum(each.groups for each in done)
    told = f"{rows:,} rows of {groups:,} groups gathered, from {len(done)} journals"
    print_view(View(done, [told]), as_json)


@app.command()
def account(
    home: Home,
    account_id: AccountId,
    first: FromDay = "",
    last: ToDay = "",
    most: Annotated[int, typer.Option("--most", min=1, max=100_000, help="At most so many rows.")] = 50,
    as_json: Json = False,
) -> None:
    """Tell the rated usage of an account, newest use first."""
    ask = DetailAsk(account_id, from_ms=_ms(first), to_ms=_ms(last, after=1))
    with _opened(home) as store:
        rows = store.page(ask, most).rows
    print_view(View([_row(row) for row in rows], [_line(row) for row in rows] or ["no rows"]), as_json)


@app.command()
def line(
    home: Home,
    account_id: AccountId,
    period: Annotated[str, typer.Argument(help="2026-10, or 2026-10/15 as its bill has it.")],
    item: Annotated[str, typer.Option("--item", help="Only rows of this account item.")] = "",
    zone: Annotated[str, typer.Option("--zone", help="Of the account's region.")] = "Asia/Shanghai",
    as_json: Json = False,
) -> None:
    """Go from the lines of a bill to the rows behind them: all use of the period, item by item, with its sum.

    What came after the bill was closed is among them, and stands on the next bill: its time of charging tells it.
    """
    asked = read_period(period if "/" in period else f"{period}/1")
    local = LocalTime(zone)
    ask = DetailAsk(
        account_id, items=(item,) if item else (), from_ms=_begins(asked, local), to_ms=_begins(asked.next, local)
    )
    rows: list[StoredUsage] = []
    with _opened(home) as store:
        page = store.page(ask, PAGE)
        rows += page.rows
        while page.following is not None:
            page = store.page(ask, PAGE, page.following)
            rows += page.rows
    print_view(View([_row(row) for row in rows], _by_item(rows)), as_json)


@app.command(name="sums")
def add_up(
    home: Home,
    by: Annotated[str, typer.Option("--by", help=f"Columns of {', '.join(BY)}.")] = "region,service",
    first: FromDay = "",
    last: ToDay = "",
    as_json: Json = False,
) -> None:
    """Add up rows, quantities and amounts."""
    apart = [name.strip() for name in by.split(",") if name.strip()]
    unknown = [name for name in apart if name not in BY]
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: there is {', '.join(BY)}", param_hint="--by")
    with _opened(home) as store:
        found = sums(store, apart, _day(first), _day(last) or "99999999")
    table = Table()
    for name in found.columns:
        table.add_column(name, justify="right" if name in ("rows", "quantity", "amount") else "left")
    for values in found.rows():
        table.add_row(*(_cell(name, value) for name, value in zip(found.columns, values, strict=True)))
    print_view(View(found.to_dicts(), [table]), as_json)


@app.command(name="export")
def give_out(
    home: Home,
    out: Annotated[Path, typer.Option("--out", help=f"File to write, ending in {' or '.join(FORMATS)}.")],
    account_id: Annotated[str, typer.Option("--account", help="Only this account.")] = "",
    first: FromDay = "",
    last: ToDay = "",
    masked: Annotated[bool, typer.Option("--masked", help="Hide the middle of identities, as for partners.")] = False,
    as_json: Json = False,
) -> None:
    """Write details as a file for other tools."""
    if out.suffix not in FORMATS:
        raise typer.BadParameter(f"must end in {' or '.join(FORMATS)}", param_hint="--out")
    with _opened(home) as store:
        rows = export(store, out, account_id, _day(first), _day(last) or "99999999", masked=masked)
    print_view(View([{"file": str(out), "rows": rows}], [f"{rows:,} rows in {out}"]), as_json)


@app.command()
def keep(
    home: Home,
    days: Days = 0,
    parties_days: Annotated[
        int, typer.Option(min=0, help="Forget parties, places and attributes of use before so many days; 0 = never.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """Keep rules: drop details older than --days, forget with whom was spoken after --parties-days; 0 = never."""
    done: dict[str, keeping.KeptResult] = {}
    with _writing(home) as store:
        if days:
            done["dropped"] = keeping.drop_before(store, _ago(days))
        if parties_days:
            done["parties forgotten"] = keeping.hide_parties_before(store, _ago(parties_days))
        store.remove_unnamed()
    text = [f"{what}: {each.rows:,} rows of {each.parts:,} files" for what, each in done.items()]
    print_view(View([{"rule": what, "rows": each.rows} for what, each in done.items()], text or ["no rule"]), as_json)


@app.command()
def erase(home: Home, account_id: AccountId, as_json: Json = False) -> None:
    """Remove all details of an account for ever; its journal still has what it has, and bills stay."""
    with _writing(home) as store:
        done = keeping.erase(store, account_id)
        store.remove_unnamed()
    text = f"{done.rows:,} rows of {mask(account_id)} erased from {done.parts:,} files"
    print_view(View([{"account": mask(account_id), "rows": done.rows}], [text]), as_json)


@app.command()
def check(
    home: Home,
    journals: Annotated[bool, typer.Option("--journals", help="Read the journals anew, too.")] = False,
    folder: Folder = FOLDER,
    directory: DirectoryUrl = "",
    keys: ChainKeys = None,
    as_json: Json = False,
) -> None:
    """Check that files are those of the manifest and, with --journals, what was journaled; exit status 1 if not."""
    with _opened(home) as store:
        if journals:
            where = directory_url(folder, directory)
            ring = ring_for(where, keys)
            gatherer, refs = Gatherer(store, ring), asyncio.run(journals_of(where, ring))
            wrong = asyncio.run(_disagreements(store, gatherer, refs))
        else:
            wrong = list(check_parts(store))
    verdict = "the details hold" if not wrong else f"the details do not hold: {len(wrong)} differences"
    print_view(View([{"difference": text} for text in wrong], [*wrong, verdict]), as_json)
    if wrong:
        raise typer.Exit(1)


async def _disagreements(store: DetailStore, gatherer: Gatherer, journals: list[JournalPlace]) -> list[str]:
    return [wrong async for wrong in disagreements(store, gatherer, journals)]


@contextmanager
def _opened(home: Path) -> Iterator[DetailStore]:
    store = DetailStore(home)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _writing(home: Path) -> Iterator[DetailStore]:
    with _opened(home) as store:
        try:
            with only_writer(home):
                yield store
        except FolderTaken as taken:
            typer.echo(str(taken), err=True)
            raise typer.Exit(1) from taken


def _row(row: StoredUsage) -> Row:
    told, usage = row.usage, row.usage.usage
    return {
        "account": row.account_id,
        "request_key": told.key,
        "kind": told.kind,
        "event_time_ms": usage.start_ms,
        "time_ms": told.time_ms,
        "identity": usage.identity,
        "service": usage.service,
        "quantity": told.quantity,
        "amount": told.amount,
        "currency": row.effect.currency,
        "item": row.effect.item,
        "other_party": usage.other_party,
    }


def _line(row: StoredUsage) -> str:
    told, usage = row.usage, row.usage.usage
    party = f" to {mask(usage.other_party)}" if usage.other_party else ""
    what = f"{usage.service or told.kind} {told.quantity}{party}"
    return f"{moment(usage.start_ms)}  {major(told.amount):>12} {row.effect.currency}  {what}  {told.key}"


def _by_item(rows: list[StoredUsage]) -> Iterator[str]:
    for item in dict.fromkeys(row.effect.item for row in rows):
        mine = [row for row in rows if row.effect.item == item]
        yield f"{item or 'refunds'}: {major(sum(row.usage.amount for row in mine))} of {len(mine):,} rows"
        yield from (f"  {_line(row)}" for row in mine)
    if not rows:
        yield "no rows"


def _cell(name: str, value: object) -> str:
    if isinstance(value, int):
        return major(value) if name == "amount" else f"{value:,}"
    return str(value)


def _begins(period: Period, local: LocalTime) -> int:
    return local.day_begins(day_of(period.first.isoformat())) * 1_000


def _ago(days: int) -> str:
    return (date.today() - timedelta(days=days)).strftime("%Y%m%d")


def _read_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no day such as 2026-10-01") from error


def _day(text: str) -> str:
    return _read_day(text).strftime("%Y%m%d") if text else ""


def _ms(text: str, after: int = 0) -> int:
    """Give when a day begins by UTC, or one so many days after it; 0 for none."""
    if not text:
        return 0
    return (_read_day(text) + timedelta(days=after) - date(1970, 1, 1)).days * 86_400_000

"""`onetier numbers`: numbers that nobody has just now."""

import time
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

import grpc
import typer
from onetier.v1 import numbers_pb2 as pb
from onetier.v1.numbers_pb2_grpc import NumberServiceStub
from rich.table import Column, Table

from console import report
from console.operations.billing_calls import BillsCaller, Domain
from console.operations.directory_call import call_as_operator, patiently
from console.operations.directory_unit import with_directory
from console.operations.keys import ChainKeys, ring_for
from console.operations.operate import Folder, directory_url
from console.operations.units import DEFAULT_FOLDER, DirectoryUrl
from console.sharing import shares
from console.views import Json, View, plain, print_view
from directory.directory import Directory
from domainservers.contracts import relisting
from evidence.seals import open_sealed
from house.stores import STORES
from storage.address import masked

app = typer.Typer(help="Numbers that nobody has just now.", no_args_is_help=True)
PAGE = 500


@app.command()
def relist(
    folder: Folder = DEFAULT_FOLDER, directory: DirectoryUrl = "", keys: ChainKeys = None, as_json: Json = False
) -> None:
    """Make the lists of resting numbers anew from the contracts, where `onetier audit` found one missing."""
    where = directory_url(folder, directory)
    ring = ring_for(where, keys)

    async def work(found: Directory) -> dict[str, int]:
        written: dict[str, int] = {}
        for url in sorted({info.shared_unit for info in found.domains.values()}):
            unit = await open_sealed(STORES, url, ring)
            try:
                written[masked(url)] = await relisting.relist(unit, time.time_ns() // 1_000_000)
            finally:
                await unit.close()
        return written

    written = with_directory(where, ring, work)
    rows = [{"unit": url, "written": count} for url, count in written.items()]
    print_view(View(rows, [f"{url}: {count} were missing" for url, count in written.items()]), as_json)


@app.command()
@shares(BillsCaller)
def resting(
    domain: Domain,
    most: Annotated[int, typer.Option("--most", min=0, help="How many to list at most; 0 = all.")] = 0,
    page: Annotated[str, typer.Option("--page", help="The cursor with which the list before ended.")] = "",
    *,
    caller: BillsCaller,
) -> None:
    """List the numbers of a region that were let go and rest (quarantine), until when, and for whom."""

    async def work(channel: grpc.aio.Channel) -> tuple[list[pb.RestingNumber], str]:
        found: list[pb.RestingNumber] = []
        cursor = page
        async for told in _pages(channel, domain, page, most, caller):
            found += told.numbers
            cursor = told.next_cursor
        return found, cursor

    found, cursor = call_as_operator(caller.endpoint, caller.tls, "appserver", work)
    lines: list[str | Table] = [_table(found)] if found else ["no number rests"]
    if cursor:
        lines.append(f"there may be more: --page {cursor}")
    print_view(View([plain(each) for each in found], lines), caller.as_json)


async def _pages(
    channel: grpc.aio.Channel, domain: str, cursor: str, most: int, caller: BillsCaller
) -> AsyncIterator[pb.ListRestingNumbersResponse]:
    """Give pages from a cursor on until the list ends, or `most` numbers were told."""
    stub = NumberServiceStub(channel)
    told = 0
    while True:
        request = pb.ListRestingNumbersRequest(
            domain=domain,
            page_cursor=cursor,
            rows_max=min(PAGE, most - told) if most else PAGE,
            channel=caller.channel,
            actor=caller.actor,
        )
        page: pb.ListRestingNumbersResponse = await patiently(
            lambda left_s, asked=request: stub.ListRestingNumbers(asked, timeout=left_s)  # type: ignore[misc]
        )
        yield page
        told, cursor = told + len(page.numbers), page.next_cursor
        if not cursor or 0 < most <= told:
            return


def _table(numbers: Sequence[pb.RestingNumber]) -> Table:
    table = Table(Column("number", no_wrap=True), "of account", "let go", "rests until", "kept for")
    for each in numbers:
        since = report.moment(each.since_ms) if each.since_ms else ""
        until = report.moment(each.rests_until_ms)
        table.add_row(each.number, each.account_id, since, until, each.kept_for)
    return table

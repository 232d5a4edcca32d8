"""What may be known of a subscriber besides balance and history: usage in detail, page by page."""

from typing import Annotated

import typer
from onetier.v1 import service_desk_pb2 as desk
from rich.console import RenderableType
from rich.table import Table

from console import units
from console.frontend.asking import ENDPOINTS, Certificates, Endpoint, Identity, When, ask_and_print
from console.report import major
from console.values import time_ms
from console.views import Json, View, plain
from onetier_client import AsyncClient

app = typer.Typer()
Rows = Annotated[int, typer.Option("--rows", min=1, max=500, help="How many at most.")]
Page = Annotated[str, typer.Option("--page", help="`next_cursor` of the page before.")]
Services = Annotated[list[str] | None, typer.Option("--service", help="Only of this service; repeat it.")]
Kinds = Annotated[list[str] | None, typer.Option("--kind", help="Only of this kind; repeat it.")]
Since = Annotated[str, typer.Option("--from", help="From when on, as 2026-01-05T10:00:00+08:00 or milliseconds.")]


@app.command()
def detail(
    identity: Identity,
    rows: Rows = 50,
    page: Page = "",
    service: Services = None,
    kind: Kinds = None,
    since: Since = "",
    until: When = "",
    endpoint: Endpoint = ENDPOINTS,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """List rated usage, newest first, a page at a time: a member's own, or by account:ID that of all."""

    async def tell(client: AsyncClient) -> View:
        found = await client.detail(
            identity,
            rows,
            page_cursor=page,
            services=service or (),
            kinds=kind or (),
            from_ms=time_ms(since),
            to_ms=time_ms(until),
        )
        records = [{**plain(record), "currency": found.currency} for record in found.records]
        end = {"next_cursor": found.next_cursor, "kept_no_further": found.kept_no_further}
        return View([*records, end], [detail_table(found), *more(found.next_cursor)])

    ask_and_print(endpoint, tls, "frontend", as_json, tell)


def detail_table(view: desk.DetailView) -> RenderableType:
    """Write a page of rated usage."""
    title = "Usage, the oldest that is kept" if view.kept_no_further else "Usage"
    table = Table(title=title, title_justify="left")
    for name in ("began (UTC)", "what", "with", "at"):
        table.add_column(name)
    for name in ("quantity", "free", view.currency):
        table.add_column(name, justify="right")
    for record in view.records:
        what = record.service_code or record.kind
        table.add_row(
            units.moment(record.event_time_ms),
            f"{what} ({record.session_id})" if record.session_id else what,
            record.other_party,
            record.visited_place,
            units.quantity(record.quantity, record.unit),
            units.quantity(record.free_quantity, record.unit) if record.free_quantity else "",
            major(record.amount),
        )
    return table


def more(cursor: str) -> list[str]:
    """Say how to see the next page, when there is one."""
    return [f"more: --page {cursor}"] if cursor else []

"""What may be known of a subscriber besides balance and history, page by page: usage, account, what is sold."""

from typing import Annotated

import typer
from google.rpc.error_details_pb2 import LocalizedMessage
from google.rpc.status_pb2 import Status
from onetier.v1 import service_desk_pb2 as desk
from rich.console import RenderableType
from rich.table import Table

from console import units
from console.frontend.asking import ENDPOINTS, LANGUAGE_VARIABLES, Certificates, Endpoint, Identity, When, ask_and_print
from console.report import major
from console.values import time_ms
from console.views import Json, View, plain
from onetier_client import AsyncClient

app = typer.Typer()
Rows = Annotated[int, typer.Option("--rows", min=1, max=500, help="How many at most.")]
Page = Annotated[str, typer.Option("--page", help="`next_cursor` of the page before.")]
Services = Annotated[list[str] | None, typer.Option("--service", help="Only of this service; repeat it.")]
Kinds = Annotated[list[str] | None, typer.Option("--kind", help="Only of this kind; repeat it.")]
Language = Annotated[
    str, typer.Option("--lang", envvar=LANGUAGE_VARIABLES, help="Of texts: zh, en, or several as browsers write them.")
]
Only = Annotated[list[str] | None, typer.Option("--offering", help="Only this; repeat it.")]
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


@app.command()
def account(
    identity: Identity,
    rows: Rows = 50,
    page: Page = "",
    endpoint: Endpoint = ENDPOINTS,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """Show the account of an identity, or of account:ID, with a page of its members and their limits."""

    async def tell(client: AsyncClient) -> View:
        found = await client.account(identity, rows, page_cursor=page)
        return View([found], [*account_lines(found), members_table(found), *more(found.next_cursor)])

    ask_and_print(endpoint, tls, "frontend", as_json, tell)


def account_lines(view: desk.AccountView) -> list[str]:
    """Tell the terms of an account."""
    why = f" ({view.status_reason})" if view.status_reason else ""
    lines = [
        f"account {view.account_id} of customer {view.customer_id or '(none)'} in {view.domain}: {view.status}{why}, "
        f"{view.payment_mode}, credit {major(view.credit_limit)} {view.currency}, cycles from day {view.cycle_day}; "
        f"version {view.version}"
    ]
    for name, held in (("account", view.account_attributes), ("customer", view.customer_attributes)):
        if held:
            lines.append(f"  {name}: {', '.join(f'{key} {value}' for key, value in sorted(held.items()))}")
    if view.agreements:
        lines.append(f"  agreements: {', '.join(view.agreements)}")
    if view.payer_account_id:
        lines.append(
            f"  bills are paid by {view.payer_account_id}, from the period after the one in which that was set"
        )
    if view.payee_account_ids:
        lines.append(f"  pays the bills of {', '.join(view.payee_account_ids)}")
    lines += [f"  mark {mark.threshold_id} on {mark.watches}: {mark.mark:,}" for mark in view.thresholds]
    return lines


def members_table(view: desk.AccountView) -> RenderableType:
    """Write a page of members."""
    table = Table(title=f"Members, {len(view.members):,} of {view.members_count:,}", title_justify="left")
    for name in ("member", "limit", "period"):
        table.add_column(name)
    for name in ("at most", "used", "left"):
        table.add_column(name, justify="right")
    for member in view.members:
        table.add_row(member.identity, *("" for _ in range(5)))
        for limit in member.limits:
            figures = (limit.cap, limit.used, limit.remaining)
            told = [major(each) if limit.unit == "money" else units.quantity(each, limit.unit) for each in figures]
            table.add_row("", f"{limit.kind} {limit.of}", units.day(limit.period), *told)
    return table


@app.command()
def accounts(
    identity: Identity,
    rows: Rows = 50,
    page: Page = "",
    endpoint: Endpoint = ENDPOINTS,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """List the accounts of the customer whose account the identity is of, as far as their regions may be seen."""

    async def tell(client: AsyncClient) -> View:
        found = await client.accounts(identity, rows, page_cursor=page)
        lines = [f"customer {found.customer_id or '(none)'}:"]
        lines += [
            f"  {each.account_id} in {each.domain} since {units.moment(each.opened_ms)}" for each in found.accounts
        ]
        return View([found], [*lines, *more(found.next_cursor)])

    ask_and_print(endpoint, tls, "frontend", as_json, tell)


@app.command()
def offers(
    identity: Identity,
    only: Only = None,
    rows: Annotated[int, typer.Option("--rows", min=1, max=50, help="How many at most.")] = 20,
    page: Page = "",
    lang: Language = "",
    endpoint: Endpoint = ENDPOINTS,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """List what is sold to the identity: what each costs and includes, and whether it may be taken now."""

    async def tell(client: AsyncClient) -> View:
        found = await client.offerings(identity, rows, only or (), page_cursor=page, language=lang)
        rest: dict[str, object] = {"next_cursor": found.next_cursor, "currency": found.currency}
        rest["catalogue_version"] = found.catalogue_version
        lines = [line for each in found.offerings for line in offering_lines(each)]
        return View([*found.offerings, rest], [*lines, *more(found.next_cursor)])

    ask_and_print(endpoint, tls, "frontend", as_json, tell)


def offering_lines(view: desk.OfferingView) -> list[str]:
    """Tell an offering as a customer would read it."""
    verdict = "may be taken" if view.may_subscribe else f"can't be taken: {told_refusal(view.refusal)}"
    lines = [f"{view.name} ({view.kind} {view.offering}), {'held; ' if view.subscribed else ''}{verdict}"]
    for clause in view.clauses:
        regional = f"  [{clause.origin}]" if clause.origin else ""
        lines.append(f"  {clause.section:8}  {clause.name}: {clause.text}{regional}")
    return lines


def told_refusal(status: Status) -> str:
    """Give the sentence of a refusal in the language asked for, where there is one."""
    for detail in status.details:
        told = LocalizedMessage()
        if detail.Unpack(told):
            return str(told.message)
    return str(status.message)

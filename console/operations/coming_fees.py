"""`onetier billing fees`: which fees of a member, or of a whole account, come next; nothing is posted."""

from collections.abc import Sequence
from typing import Annotated

import grpc
import typer
from onetier.v1 import service_desk_pb2 as desk
from rich.table import Column, Table

from charging.base.account_id import asked_for
from charging.base.money import show
from cluster.roles import read_role
from console import report
from console.operations.billing_calls import BillsCaller
from console.operations.directory_call import call_as_operator
from console.sharing import shares
from console.values import time_ms
from console.views import View, plain, print_view
from onetier_client import AsyncClient

TIMEOUT_MS = 30_000


@shares(BillsCaller)
def fees(
    identity: Annotated[str, typer.Argument(help="A member, or account:… for all members of it.")],
    until: Annotated[
        str, typer.Option(help="As 2026-12-01T00:00:00+08:00; default: until the next bill cycle begins.")
    ] = "",
    *,
    caller: BillsCaller,
) -> None:
    """Show which fees come next: when, of what, on which bill, before and after discounts. Nothing is posted.

    What the whole next bill would be, usage and discounts of the bill included, tells `onetier billing bill --trial`.
    """
    to_ms = time_ms(until) if until else 0

    async def work(_channel: grpc.aio.Channel) -> list[desk.FeesView]:
        tls = read_role(caller.tls, "operator")
        async with AsyncClient([caller.endpoint], tls=tls, timeout_ms=TIMEOUT_MS) as client:
            members = await _members(client, identity, caller) if asked_for(identity) else [identity]
            return [
                await client.fees(each, to_ms=to_ms, channel=caller.channel, actor=caller.actor) for each in members
            ]

    told = call_as_operator(caller.endpoint, caller.tls, "appserver", work)
    print_view(View([plain(each) for view in told for each in view.fees], _lines(told)), caller.as_json)
    if any(view.more for view in told):
        typer.echo("there are others: ask for a shorter time", err=True)
        raise typer.Exit(1)


async def _members(client: AsyncClient, identity: str, caller: BillsCaller) -> list[str]:
    found: list[str] = []
    cursor = ""
    while True:
        page = await client.account(identity, page_cursor=cursor, channel=caller.channel, actor=caller.actor)
        found += [each.identity for each in page.members]
        cursor = page.next_cursor
        if not cursor:
            return found


def _lines(told: Sequence[desk.FeesView]) -> list[str | Table]:
    rows = sorted((each for view in told for each in view.fees), key=lambda fee: (fee.due_ms, fee.member, fee.fee))
    if not rows:
        return ["no fee comes until then"]
    right = [Column(name, justify="right") for name in ("before discounts", "amount")]
    table = Table("due", Column("member", no_wrap=True), "offering", "fee", "item", "for", "on the bill of", *right)
    for fee in rows:
        days = f"{_day(fee.from_ms)} to {_day(fee.to_ms)}" if fee.to_ms - fee.from_ms > 1 else "once"
        name = fee.fee if fee.name in ("", fee.fee) else f"{fee.fee} {fee.name}"
        amounts = (show(fee.before), show(fee.amount))
        table.add_row(_day(fee.due_ms), fee.member, fee.offering, name, fee.item, days, fee.period, *amounts)
    return [table, f"together {show(sum(view.amount for view in told))} {told[0].currency}"]


def _day(time_ms: int) -> str:
    return report.moment(time_ms)[:16]

"""What use would cost: a month of a pattern, and what was used on another plan."""

from typing import Annotated

import typer
from onetier.v1 import service_desk_pb2 as desk
from rich.console import RenderableType
from rich.table import Table

from console import units
from console.frontend.asking import ENDPOINTS, Certificates, Endpoint, Identity, When, ask_and_print
from console.frontend.looking import Language, Since
from console.frontend.patterns import EXAMPLE, read_uses
from console.report import major
from console.values import time_ms
from console.views import Json, View
from onetier_client import AsyncClient

app = typer.Typer()
Instead = Annotated[list[str] | None, typer.Option("--offering", help="Instead of what the contract holds; repeat it.")]


@app.command()
def month(
    identity: Identity,
    use: Annotated[list[str], typer.Option("--use", help=f"So many usages of a kind: {EXAMPLE!r}; repeat it.")],
    offering: Instead = None,
    when: Annotated[str, typer.Option("--in", help="A moment of the bill cycle; default: the next one.")] = "",
    lang: Language = "",
    endpoint: Endpoint = ENDPOINTS,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """Say what a month of use would cost, allowances running down and fees included. Changes nothing."""
    pattern = read_uses(use)

    async def tell(client: AsyncClient) -> View:
        found = await client.month(identity, pattern, offering or (), from_ms=time_ms(when), language=lang)
        return View([found], [month_table(found), *left_lines(found)])

    ask_and_print(endpoint, tls, "frontend", as_json, tell)


@app.command()
def compare(
    identity: Identity,
    offering: Annotated[list[str], typer.Argument(help="Offerings to have held instead.")],
    since: Since = "",
    until: When = "",
    lang: Language = "",
    endpoint: Endpoint = ENDPOINTS,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """Price what was used in the last bill cycle on other offerings, beside what it cost. Changes nothing."""

    async def tell(client: AsyncClient) -> View:
        times = {"from_ms": time_ms(since), "to_ms": time_ms(until)}
        found = await client.compare(identity, offering, from_ms=times["from_ms"], to_ms=times["to_ms"], language=lang)
        return View([found], [comparison_table(found)])

    ask_and_print(endpoint, tls, "frontend", as_json, tell)


def month_table(view: desk.MonthView) -> RenderableType:
    """Write what a month comes to."""
    table = Table(title=f"{units.moment(view.from_ms)} to {units.moment(view.to_ms)}", title_justify="left")
    table.add_column("what")
    for name in ("times", "quantity", "free", view.currency):
        table.add_column(name, justify="right")
    for line in view.lines:
        quantity, free = units.quantity(line.quantity, line.unit), units.quantity(line.free_quantity, line.unit)
        usage = (f"{line.count:,}", quantity, free if line.free_quantity else "") if line.service_code else ("", "", "")
        table.add_row(line.name, *usage, major(line.amount))
    table.add_section()
    table.add_row("in all", "", "", "", major(view.amount), style="bold")
    return table


def left_lines(view: desk.MonthView) -> list[str]:
    """Tell what allowances have left in the end."""
    return [
        f"  {left.name or left.allowance}: {units.quantity(left.remaining, left.unit)} of "
        f"{units.quantity(left.quota, left.unit)} left"
        for left in view.allowances
    ]


def comparison_table(view: desk.CompareView) -> RenderableType:
    """Write what was charged beside what would have been."""
    short = ", without what is not kept any more" if view.kept_no_further else ""
    span = f"{units.moment(view.from_ms)} to {units.moment(view.to_ms)}{short}"
    table = Table(title=f"{span}: as it was, and on {', '.join(view.offerings)}", title_justify="left")
    table.add_column("what")
    for name in ("times", "quantity", f"was, {view.currency}", "would be", "difference"):
        table.add_column(name, justify="right")
    for line in view.lines:
        usage = (f"{line.count:,}", units.quantity(line.quantity, line.unit)) if line.service_code else ("", "")
        name = f"{line.name} ({line.unrated:,} not priced)" if line.unrated else line.name or "given back"
        table.add_row(name, *usage, major(line.before), major(line.after), major(line.difference))
    table.add_section()
    table.add_row("in all", "", "", major(view.before), major(view.after), major(view.difference), style="bold")
    return table

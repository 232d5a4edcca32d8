"""Single requests by hand, as a clerk or an engineer sends them: ask, quote, charge, top up."""

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from google.protobuf.message import Message

from console import report
from console.arguments import Key
from console.frontend.asking import ENDPOINTS, Certificates, Channel, Endpoint, Identity, When, ask_and_print, spoken
from console.values import micro_units, time_ms
from console.views import Json, View, done, plain
from onetier_client import AsyncClient, requests

app = typer.Typer()
Service = Annotated[str, typer.Argument(help="voice, sms, data, fixed, broadband, …")]
Quantity = Annotated[int, typer.Argument(help="Seconds, bytes or events, as the service counts.")]
OtherParty = Annotated[str, typer.Option("--to", help="The called party.")]
Visited = Annotated[str, typer.Option("--at", help="Where the subscriber was: GD, HK-CSL, …; default: at home.")]
ViewT = TypeVar("ViewT", bound=Message)


@app.command()
def balance(
    identity: Identity, endpoint: Endpoint = ENDPOINTS, tls: Certificates = None, as_json: Json = False
) -> None:
    """Show the balance of the identity's account."""
    _print(endpoint, tls, as_json, lambda client: _one(report.balance_lines, client.balance(identity)))


@app.command()
def usage(identity: Identity, endpoint: Endpoint = ENDPOINTS, tls: Certificates = None, as_json: Json = False) -> None:
    """Show what was used in this cycle, and what the allowances have left."""
    _print(endpoint, tls, as_json, lambda client: _one(report.usage_lines, client.usage(identity)))


@app.command()
def contract(
    identity: Identity, endpoint: Endpoint = ENDPOINTS, tls: Certificates = None, as_json: Json = False
) -> None:
    """Show the contract."""
    _print(endpoint, tls, as_json, lambda client: _one(report.contract_lines, client.contract(identity)))


@app.command()
def history(
    identity: Identity,
    lines: Annotated[int, typer.Option(min=1, max=200, help="How many of the newest changes.")] = 10,
    endpoint: Endpoint = ENDPOINTS,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """Show the newest changes of the account, each with its reason."""

    async def tell(client: AsyncClient) -> View:
        found = await client.history(identity, lines, explain=True)
        currency = (await client.balance(identity)).currency
        rows = [{**plain(line), "currency": currency} for line in found]
        return View(rows, (text for line in found for text in report.history_lines(line, currency)))

    _print(endpoint, tls, as_json, tell)


@app.command()
def quote(
    identity: Identity,
    service: Service,
    quantity: Quantity,
    to: OtherParty = "",
    at: Visited = "",
    channel: Channel = "front",
    time: When = "",
    endpoint: Endpoint = ENDPOINTS,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """Say what an event would cost, and why. Changes nothing."""
    request = requests.quote(
        identity,
        service,
        quantity,
        other_party=to,
        visited_place=at,
        channel=channel,
        explain=True,
        language=spoken(),
        event_time_ms=time_ms(time),
    )

    async def tell(client: AsyncClient) -> View:
        found = (await client.ask(request)).quote
        return View([found], report.result_lines(found))

    _print(endpoint, tls, as_json, tell)


@app.command()
def charge(
    identity: Identity,
    service: Service,
    quantity: Quantity,
    to: OtherParty = "",
    at: Visited = "",
    channel: Channel = "front",
    key: Key = "",
    time: When = "",
    endpoint: Endpoint = ENDPOINTS,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """Rate an event and take it from the balance. The same key again tells what it did."""
    request = requests.charge(
        identity,
        service,
        quantity,
        other_party=to,
        visited_place=at,
        channel=channel,
        explain=True,
        language=spoken(),
        request_key=key,
        event_time_ms=time_ms(time),
    )

    async def tell(client: AsyncClient) -> View:
        found = (await client.ask(request)).charge
        return done(request.request_key, found, report.result_lines(found))

    _print(endpoint, tls, as_json, tell)


@app.command("top-up")
def top_up(
    identity: Identity,
    amount: Annotated[str, typer.Argument(help="How much, in the account's currency, for example 50 or 0.5.")],
    channel: Channel = "web-hall",
    actor: Annotated[str, typer.Option(help="Who does it; kept with the change.")] = "console",
    key: Key = "",
    endpoint: Endpoint = ENDPOINTS,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """Put money into the main book."""
    command = requests.top_up(micro_units(amount))
    request = requests.execute(identity, command, channel=channel, actor=actor, request_key=key)

    async def tell(client: AsyncClient) -> View:
        result = (await client.ask(request)).command
        return done(request.request_key, result, report.movement_lines(result.movements))

    _print(endpoint, tls, as_json, tell)


@app.command()
def outcome(
    identity: Identity,
    key: Annotated[str, typer.Argument(help="The request key.")],
    endpoint: Endpoint = ENDPOINTS,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """Tell what a request key did at the identity's account; changes nothing, also when it did nothing."""
    _print(endpoint, tls, as_json, lambda client: _one(report.outcome_lines, client.outcome(identity, key)))


async def _one(tell: Callable[[ViewT], Iterable[str]], asked: Awaitable[ViewT]) -> View:
    found = await asked
    return View([found], tell(found))


def _print(
    endpoints: list[str], tls: Path | None, as_json: bool, tell: Callable[[AsyncClient], Awaitable[View]]
) -> None:
    """Ask as a front end does, and print."""
    ask_and_print(endpoints, tls, "frontend", as_json, tell)

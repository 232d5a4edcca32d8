"""Single requests by hand, as a clerk or an engineer sends them: ask, quote, charge, top up."""

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from console import report
from console.frontend.asking import ENDPOINTS, Channel, Endpoint, Identity, Key, When, ask_and_print
from console.values import micro_units, time_ms
from onetier_client import AsyncClient, requests

app = typer.Typer()
Service = Annotated[str, typer.Argument(help="voice, sms, data, fixed, broadband, …")]
Quantity = Annotated[int, typer.Argument(help="Seconds, bytes or events, as the service counts.")]
OtherParty = Annotated[str, typer.Option("--to", help="The called party.")]
Visited = Annotated[str, typer.Option("--at", help="Where the subscriber was: GD, HK-CSL, …; default: at home.")]
Certificates = Annotated[
    Path | None, typer.Option("--tls", help="Folder with frontend.pem, frontend.key, ca.pem; default: ONETIER_TLS_….")
]
ViewT = TypeVar("ViewT")


@app.command()
def balance(identity: Identity, endpoint: Endpoint = ENDPOINTS, tls: Certificates = None) -> None:
    """Show the balance of the identity's account."""
    _print(endpoint, tls, lambda client: _lines(report.balance_lines, client.balance(identity)))


@app.command()
def usage(identity: Identity, endpoint: Endpoint = ENDPOINTS, tls: Certificates = None) -> None:
    """Show what was used in this cycle, and what the allowances have left."""
    _print(endpoint, tls, lambda client: _lines(report.usage_lines, client.usage(identity)))


@app.command()
def contract(identity: Identity, endpoint: Endpoint = ENDPOINTS, tls: Certificates = None) -> None:
    """Show the contract."""
    _print(endpoint, tls, lambda client: _lines(report.contract_lines, client.contract(identity)))


@app.command()
def history(
    identity: Identity,
    lines: Annotated[int, typer.Option(min=1, max=200, help="How many of the newest changes.")] = 10,
    endpoint: Endpoint = ENDPOINTS,
    tls: Certificates = None,
) -> None:
    """Show the newest changes of the account, each with its reason."""

    async def tell(client: AsyncClient) -> list[str]:
        found = await client.history(identity, lines, explain=True)
        currency = (await client.balance(identity)).currency
        return [text for line in found for text in report.history_lines(line, currency)]

    _print(endpoint, tls, tell)


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
        event_time_ms=time_ms(time),
    )

    async def tell(client: AsyncClient) -> list[str]:
        return list(report.result_lines((await client.ask(request)).quote))

    _print(endpoint, tls, tell)


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
        request_key=key,
        event_time_ms=time_ms(time),
    )

    async def tell(client: AsyncClient) -> list[str]:
        reply = await client.ask(request)
        return [f"request key {request.request_key}", *report.result_lines(reply.charge)]

    _print(endpoint, tls, tell)


@app.command("top-up")
def top_up(
    identity: Identity,
    amount: Annotated[str, typer.Argument(help="How much, in the account's currency, for example 50 or 0.5.")],
    channel: Channel = "web-hall",
    actor: Annotated[str, typer.Option(help="Who does it; kept with the change.")] = "console",
    key: Key = "",
    endpoint: Endpoint = ENDPOINTS,
    tls: Certificates = None,
) -> None:
    """Put money into the main book."""
    command = requests.top_up(micro_units(amount))
    request = requests.execute(identity, command, channel=channel, actor=actor, request_key=key)

    async def tell(client: AsyncClient) -> list[str]:
        result = (await client.ask(request)).command
        return [f"request key {request.request_key}", *report.movement_lines(result.movements)]

    _print(endpoint, tls, tell)


@app.command()
def outcome(
    identity: Identity,
    key: Annotated[str, typer.Argument(help="The request key.")],
    endpoint: Endpoint = ENDPOINTS,
    tls: Certificates = None,
) -> None:
    """Tell what a request key did at the identity's account; changes nothing, also when it did nothing."""
    _print(endpoint, tls, lambda client: _lines(report.outcome_lines, client.outcome(identity, key)))


async def _lines(tell: Callable[[ViewT], Iterable[str]], view: Awaitable[ViewT]) -> list[str]:
    return list(tell(await view))


def _print(endpoints: list[str], tls: Path | None, tell: Callable[[AsyncClient], Awaitable[Iterable[str]]]) -> None:
    """Ask as a front end does, and print."""
    ask_and_print(endpoints, tls, "frontend", tell)

"""Single requests by hand, as a clerk or an engineer sends them: ask, quote, charge, top up."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from decimal import Context, Inexact, InvalidOperation, Overflow
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from charging.base.bounds import AMOUNT_MAX
from charging.errors import Fault
from cluster.roles import read_role
from console import report
from console.arguments import addresses
from onetier_client import AsyncClient, requests
from runtime.settings import BadSettings

app = typer.Typer()
TIMEOUT_MS = 5_000
SHOWN_CHARS = 40
"""Of a wrong amount that its message repeats."""
EXACT = Context(prec=28, traps=[InvalidOperation, Inexact, Overflow])
MICRO = EXACT.create_decimal(1_000_000)

Identity = Annotated[str, typer.Argument(help="msisdn:…, fixed:…, broadband:…, or a number as people write it.")]
Endpoint = Annotated[
    list[str], typer.Option("--endpoint", callback=addresses, help="App server, host:port; may be repeated.")
]
Service = Annotated[str, typer.Argument(help="voice, sms, data, fixed, broadband, …")]
Quantity = Annotated[int, typer.Argument(help="Seconds, bytes or events, as the service counts.")]
OtherParty = Annotated[str, typer.Option("--to", help="The called party.")]
Visited = Annotated[str, typer.Option("--at", help="Where the subscriber was: GD, HK-CSL, …; default: at home.")]
Channel = Annotated[str, typer.Option(help="Access channel.")]
Key = Annotated[str, typer.Option("--key", help="Request key, to repeat an intent; default: a new one.")]
When = Annotated[
    str, typer.Option("--time", help="When it began, as 2026-01-05T10:00:00+08:00 or milliseconds; default: now.")
]
Certificates = Annotated[
    Path | None, typer.Option("--tls", help="Folder with frontend.pem, frontend.key, ca.pem; default: ONETIER_TLS_….")
]
ViewT = TypeVar("ViewT")
ENDPOINTS = ["127.0.0.1:7100", "127.0.0.1:7101"]


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


def time_ms(text: str) -> int:
    """Read a time; 0 when none is given. Raises `typer.BadParameter` for one without its offset from UTC."""
    if not text or (text.isdecimal() and text.isascii() and len(text) < 16):
        return int(text or 0)
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no time: write it as 2026-01-05T10:00:00+08:00") from error
    if when.tzinfo is None:
        raise typer.BadParameter(f"{text!r} lacks its offset from UTC: write it as 2026-01-05T10:00:00+08:00")
    return round(when.timestamp() * 1000)


def micro_units(text: str) -> int:
    """Read an amount of money exactly. Raises `typer.BadParameter` when it is none, or finer than a micro-unit."""
    try:
        amount = EXACT.multiply(EXACT.create_decimal(text), MICRO)
    except InvalidOperation as error:
        raise typer.BadParameter(f"{text[:SHOWN_CHARS]!r} is no amount of money") from error
    except Inexact as error:
        raise typer.BadParameter(f"{text[:SHOWN_CHARS]!r} has more digits than an amount of money") from error
    if not amount.is_finite() or amount != amount.to_integral_value():
        raise typer.BadParameter(f"{text[:SHOWN_CHARS]!r} is finer than a millionth of the currency")
    if abs(amount) > AMOUNT_MAX:
        raise typer.BadParameter(f"{text[:SHOWN_CHARS]!r} is more than an account may hold")
    return int(amount)


async def _lines(tell: Callable[[ViewT], Iterable[str]], view: Awaitable[ViewT]) -> list[str]:
    return list(tell(await view))


def _print(endpoints: list[str], tls: Path | None, tell: Callable[[AsyncClient], Awaitable[list[str]]]) -> None:
    """Ask, and print; a fault becomes one sentence and exit status 1."""

    async def ask() -> list[str]:
        async with AsyncClient(endpoints, tls=read_role(tls, "frontend"), timeout_ms=TIMEOUT_MS) as client:
            return await tell(client)

    try:
        for text in asyncio.run(ask()):
            typer.echo(text)
    except Fault as fault:
        typer.echo(f"{fault.reason}: {fault.message}", err=True)
        raise typer.Exit(1) from fault
    except BadSettings as wrong:
        typer.echo(str(wrong), err=True)
        raise typer.Exit(2) from wrong

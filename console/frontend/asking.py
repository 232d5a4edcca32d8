"""How the commands of the front end ask the platform, and the options that they share."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from charging.errors import Fault
from cluster.roles import read_role
from console.arguments import ENDPOINTS_VARIABLE, addresses
from console.views import View, print_view
from onetier_client import AsyncClient
from runtime.durable import FolderTaken
from runtime.settings import BadSettings

TIMEOUT_MS = 5_000
LANGUAGE_VARIABLES = ["ONETIER_LANG", "LANG"]
ENDPOINTS = ["127.0.0.1:7100", "127.0.0.1:7101"]

Identity = Annotated[str, typer.Argument(help="msisdn:…, fixed:…, broadband:…, or a number as people write it.")]
Endpoint = Annotated[
    list[str],
    typer.Option(
        "--endpoint", envvar=ENDPOINTS_VARIABLE, callback=addresses, help="App server, host:port; may be repeated."
    ),
]
Certificates = Annotated[
    Path | None, typer.Option("--tls", help="Folder with frontend.pem, frontend.key, ca.pem; default: ONETIER_TLS_….")
]
Channel = Annotated[str, typer.Option(help="Access channel.")]
When = Annotated[
    str, typer.Option("--time", help="When it began, as 2026-01-05T10:00:00+08:00 or milliseconds; default: now.")
]


def spoken() -> str:
    """Give the language of texts that the environment asks for; "" = none."""
    return next((told for name in LANGUAGE_VARIABLES if (told := os.environ.get(name, ""))), "")


@contextmanager
def explained() -> Iterator[None]:
    """Make one sentence of what goes wrong, and exit status 1; 2 where settings are wrong."""
    try:
        yield
    except Fault as fault:
        typer.echo(f"{fault.reason}: {fault.message}", err=True)
        raise typer.Exit(1) from fault
    except FolderTaken as taken:
        typer.echo(str(taken), err=True)
        raise typer.Exit(1) from taken
    except BadSettings as wrong:
        typer.echo(str(wrong), err=True)
        raise typer.Exit(2) from wrong


def ask_and_print(
    endpoints: list[str],
    tls: Path | None,
    role: str,
    as_json: bool,
    tell: Callable[[AsyncClient], Awaitable[View]],
) -> None:
    """Ask with the certificate of a role, and print; a fault becomes one sentence and exit status 1."""

    async def ask() -> View:
        async with AsyncClient(endpoints, tls=read_role(tls, role), timeout_ms=TIMEOUT_MS, language=spoken()) as client:
            return await tell(client)

    with explained():
        print_view(asyncio.run(ask()), as_json)

"""The `onetier` command. Each command imports what it needs when it runs, so that a tier's process starts quickly."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import typer

app = typer.Typer(
    name="onetier",
    help="National telecom charging and billing in one tier.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    add_completion=False,
)


class Tier(StrEnum):
    """The three tiers."""

    APPSERVER = "appserver"
    DATACENTER = "datacenter"
    DOMAINSERVER = "domainserver"


@app.command()
def serve(
    tier: Annotated[Tier, typer.Argument(help="Which tier to serve.")],
    with_parent: Annotated[
        bool, typer.Option("--with-parent", help="Drain when standard input closes: nothing outlives who started it.")
    ] = False,
) -> None:
    """Serve one tier until SIGTERM or Ctrl-C, with settings from ONETIER_… and the file that ONETIER_CONFIG names."""
    if with_parent:
        threading.Thread(target=_end_with_parent, daemon=True, name="parent").start()
    raise typer.Exit(_tier(tier)())


def _tier(tier: Tier) -> Callable[[], int]:
    from runtime import settings

    if tier is Tier.APPSERVER:
        from appserver.main import serve as serve_appserver

        return lambda: serve_appserver(settings.load(settings.AppServerSettings))
    if tier is Tier.DATACENTER:
        from datacenter.main import serve as serve_datacenter

        return lambda: serve_datacenter(settings.load(settings.DataCenterSettings))
    from domainservers.main import serve as serve_domainserver

    return lambda: serve_domainserver(settings.load(settings.DomainServerSettings))


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 4_096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()

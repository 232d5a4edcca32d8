"""The `onetier` command. Each command imports what it needs when it runs, so that a tier's process starts quickly."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Coroutine
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from console.arguments import problem

app = typer.Typer(
    name="onetier",
    help="National telecom charging and billing in one tier.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

MOUNTED = {
    "do": ("console.frontend.doing", "Do any command on an account: `onetier do top-up --help`."),
    "billing": ("console.operations.billing", "Plan, open, work and end the bill runs of a domain; bills of accounts."),
    "capacity": ("console.systems.capacity", "Say what a country takes, from what this machine needs."),
    "cassandra": ("console.systems.cassandra", "Start, stop and look at a real Cassandra on loopback."),
    "details": ("console.operations.detailing", "Rated usage kept beside the journals: gather, sum, export, erase."),
    "grant": ("console.operations.grants", "Say who may do what, approve amendments of the directory."),
    "catalog": ("console.catalogues.catalog", "Check, compare and publish catalogues."),
    "keys": ("console.operations.keys", "Make and list the keys that chain journals and seal records."),
    "mediation": ("console.frontend.mediating", "Files of switches: collect, decode, charge, prove."),
    "numbers": ("console.operations.numbering", "Numbers that nobody has just now."),
    "vouchers": ("console.operations.vouchers", "Make, activate, block, expire, list and export vouchers."),
    "unit": ("console.operations.units", "List storage units, move private ones to other addresses."),
}
"""Command groups by name: the module that has the `app`, and the line for the help page."""

Folder = Annotated[Path, typer.Option("--data", help="Data folder.")]
Units = Annotated[str, typer.Option("--units", help="sqlite:///folder or cassandra://hosts/prefix; default: --data.")]
Subscribers = Annotated[int, typer.Option(min=1, max=5_000_000, help="How many subscribers.")]
Events = Annotated[int, typer.Option(min=0, max=50_000_000, help="Honest events in the usage file.")]
Seed = Annotated[int, typer.Option(help="Same seed, same country and same traffic.")]
Slots = Annotated[int, typer.Option(min=1, max=64, help="Slots of each domain.")]
DataCenters = Annotated[int, typer.Option("--datacenters", min=1, max=16, help="Processes of the data center.")]
DomainServers = Annotated[int, typer.Option("--domain-servers", min=1, max=64, help="Processes of domain servers.")]
AppServers = Annotated[int, typer.Option("--app-servers", min=1, max=64, help="Processes of the platform.")]
Port = Annotated[
    int, typer.Option("--port", min=0, max=65_000, help="Port of the first app server; data centers are 100 above.")
]
Certificates = Annotated[Path | None, typer.Option("--tls", help="Folder of certificates as docs/tls.md makes it.")]
Gateways = Annotated[list[str] | None, typer.Option("--gateway", help="Role of a gateway to start, too; repeat it.")]
FeedProcesses = Annotated[int, typer.Option("--feeds", min=0, max=16, help="Processes of the feed of events.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Forget what the data folder holds.")]
DEFAULT_FOLDER = Path(".onetier")
PRIVATE = 0o077
"""What a command makes is its user's alone: accounts and usage of subscribers, logs, keys."""
INTERRUPTED, PIPE_BROKEN = 130, 141
"""Exit statuses as a shell gives them for the signals."""


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        from onetier.v1 import service_desk_pb2

        typer.echo(f"onetier {version('onetier')}, contract {service_desk_pb2.DESCRIPTOR.package}")
        raise typer.Exit


@app.callback()
def onetier(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the version, and end.")
    ] = False,
) -> None:
    """National telecom charging and billing in one tier."""


@app.command()
def demo(
    folder: Folder = DEFAULT_FOLDER,
    units: Units = "",
    subscribers: Subscribers = 20_000,
    events: Events = 200_000,
    seed: Seed = 1,
    slots: Slots = 1,
    datacenters: DataCenters = 1,
    domain_servers: DomainServers = 2,
    app_servers: AppServers = 2,
    tls: Certificates = None,
    fresh: Fresh = False,
) -> None:
    """Do the main job end to end: start all tiers, load the country, charge a day's usage, prove the result."""
    from cluster.folder import Options
    from cluster.system import Shape
    from console.report import console
    from console.systems.demo import Demo

    shape = Shape(datacenters, domain_servers, app_servers)
    options = Options(folder, units, subscribers, events, seed, slots, shape, tls=tls)
    raise typer.Exit(_run(Demo(options, console()).run(fresh=fresh)))


@app.command()
def up(
    folder: Folder = DEFAULT_FOLDER,
    units: Units = "",
    subscribers: Subscribers = 20_000,
    events: Events = 0,
    seed: Seed = 1,
    slots: Slots = 1,
    datacenters: DataCenters = 1,
    domain_servers: DomainServers = 2,
    app_servers: AppServers = 2,
    tls: Certificates = None,
    port: Port = 7_100,
    gateway: Gateways = None,
    feeds: FeedProcesses = 1,
    fresh: Fresh = False,
    switches: Annotated[
        bool, typer.Option("--switches", help="Play four switches that write files behind SFTP, too.")
    ] = False,
) -> None:
    """Keep the system running for clients; Ctrl-C drains it. Serves what the data folder holds, or loads a country."""
    from cluster.folder import Options
    from cluster.system import Shape
    from console.report import console
    from console.systems import up as serving

    shape = Shape(datacenters, domain_servers, app_servers, port, _gateways(gateway or []), feeds)
    options = Options(folder, units, subscribers, events, seed, slots, shape, tls=tls)
    raise typer.Exit(_run(serving.run(options, console(), fresh=fresh, switches=switches)))


def _gateways(roles: list[str]) -> tuple[str, ...]:
    """Take the roles of gateways. Raises `typer.BadParameter`."""
    from house.rooms import processes

    known = {process.role for process in processes() if process.front_end}
    for role in roles:
        if role not in known:
            raise typer.BadParameter(f"{role!r} is no gateway; there are {', '.join(sorted(known)) or 'none'}")
    return tuple(roles)


@app.command()
def serve(
    role: Annotated[str, typer.Argument(help="Of whom: appserver, datacenter, domainserver, or a gateway.")],
    with_parent: Annotated[
        bool, typer.Option("--with-parent", help="Drain when standard input closes: nothing outlives who started it.")
    ] = False,
) -> None:
    """Serve one process until SIGTERM or Ctrl-C; its settings are ONETIER_… and the file that ONETIER_CONFIG names."""
    from house.rooms import processes

    known = {process.role: process for process in processes()}
    if role not in known:
        raise typer.BadParameter(f"{role!r} is none of {', '.join(known)}", param_hint="'ROLE'")
    from runtime.settings import BadSettings, check_tables

    try:
        check_tables(known)
    except BadSettings as wrong:
        print(f"onetier {role}: {wrong}", file=sys.stderr)
        raise typer.Exit(2) from wrong
    if with_parent:
        threading.Thread(target=_end_with_parent, daemon=True, name="parent").start()
    raise typer.Exit(known[role].serve())


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 4_096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _run(work: Coroutine[None, None, int]) -> int:
    """Run a command to its exit status."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        return INTERRUPTED


@cache
def mounted() -> typer.Typer:
    """Give the command with all others below it, those that rooms bring at the end."""
    from house.rooms import ROOMS

    for module in (
        "console.frontend.hand",
        "console.frontend.looking",
        "console.frontend.pricing",
        "console.operations.operate",
        "console.operations.damaged",
        "console.frontend.approving",
        "console.operations.audit",
        "console.operations.losses",
        "console.operations.journal",
        "console.operations.watching",
        "console.catalogues.rate",
        "console.systems.loadtest",
        "console.frontend.protos",
    ):
        app.add_typer(import_module(module).app)
    for name, (module, text) in MOUNTED.items():
        app.add_typer(import_module(module).app, name=name, help=text)
    records = import_module("console.operations.records")
    for name in ("channel", "partner", "range", "entry"):
        app.add_typer(records.KINDS[name], name=name)
    for words in (words for room in ROOMS for words in room.words):
        app.add_typer(words.app(), name=words.name, help=words.help)
    return app


def _commands() -> typer.Typer:
    """Give all commands, with no word but theirs on the terminal."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from runtime.telemetry import log_defects_only

    log_defects_only()
    return mounted()


def main() -> None:
    """Run the command line; an expected failure ends it with one sentence instead of a trace."""
    os.umask(PRIVATE)
    complaint = problem(sys.argv[1:])
    if complaint:
        print(f"onetier: {complaint}", file=sys.stderr)
        raise SystemExit(2)
    try:
        # A tier's process has no use for the other commands, and they are slow to import.
        (app if sys.argv[1:2] == ["serve"] else _commands())()
    except BrokenPipeError:
        # Whoever read our output has enough; what Python still holds of it has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(PIPE_BROKEN) from None
    except Exception as failure:
        from console.failures import status_and_text

        told = status_and_text(failure)
        if told is None:
            raise
        print(f"onetier: {told[1]}", file=sys.stderr)
        raise SystemExit(told[0]) from None


if __name__ == "__main__":
    main()

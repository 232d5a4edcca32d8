"""`onetier mediation scheduler` and `worker`: jobs on many machines, among operators only."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster.roles import read_role
from console.frontend.asking import ENDPOINTS, Certificates, Endpoint, explained
from console.operations.keys import ChainKeys, ring_for
from console.operations.operate import FOLDER, DirectoryUrl, Folder, directory_url
from mediation.rerating.units import WorkerHome
from runtime.settings import BadSettings, TierSettings, load

if TYPE_CHECKING:
    from mediation.workers.pool import WorkerPool
    from mediation.workers.trust import OperatorsOnly

PORT = 8786


def scheduler(
    listen: Annotated[str, typer.Option("--listen", help="HOST:PORT at which workers and jobs find it.")] = (
        f"127.0.0.1:{PORT}"
    ),
    tls: Certificates = None,
) -> None:
    """Hand the work of jobs out to workers, until Ctrl-C; it keeps nothing, so it may be started anew."""
    host, port = _address(listen, "--listen")
    with explained():
        trust = _trust(tls)
        from mediation.workers.serving import serve_scheduler

        _until_stopped(serve_scheduler(host, port, trust, typer.echo))


def worker(
    home: Annotated[Path, typer.Argument(metavar="DETAILS", help="The job's folder, as this machine sees it.")],
    scheduler: Annotated[str, typer.Option("--scheduler", help="HOST:PORT of the scheduler.")],
    host: Annotated[
        str, typer.Option("--host", help="Address of this machine for the scheduler; default: found.")
    ] = "",
    folder: Folder = FOLDER,
    directory: DirectoryUrl = "",
    keys: ChainKeys = None,
    endpoint: Endpoint = ENDPOINTS,
    tls: Certificates = None,
) -> None:
    """Do work of jobs, one unit at a time, until Ctrl-C; start as many on a machine as it has cores."""
    _address(scheduler, "--scheduler")
    if not home.is_dir():
        raise typer.BadParameter(f"{home} is no folder", param_hint="DETAILS")
    where = directory_url(folder, directory)
    ring = ring_for(where, keys)
    with explained():
        trust = _trust(tls)
        at_home = WorkerHome(home, where, ring, endpoint, read_role(tls, "operator"), typer.echo)
        from mediation.workers.serving import serve_worker

        _until_stopped(serve_worker(scheduler, host, trust, at_home.done, typer.echo))


@asynccontextmanager
async def engine_at(scheduler: str, tls: Path | None) -> AsyncIterator["WorkerPool"]:
    """Connect to the workers of a scheduler. Raises `Unavailable` WORKERS_UNREACHABLE, `BadSettings`."""
    _address(scheduler, "--workers")
    trust = _trust(tls)
    from mediation.workers.pool import workers_at

    async with workers_at(scheduler, trust) as engine:
        yield engine


def _trust(tls: Path | None) -> "OperatorsOnly":
    try:
        from mediation.workers.trust import OperatorsOnly
    except ImportError as missing:
        raise BadSettings(f"work on other machines needs {missing.name}: install onetier[workers]") from missing
    return OperatorsOnly(read_role(tls, "operator"), load(TierSettings).tls_revoked)


def _address(text: str, hint: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise typer.BadParameter(f"{text!r} is no HOST:PORT", param_hint=hint)
    return host, int(port)


def _until_stopped(serving: Coroutine[None, None, None]) -> None:
    try:
        asyncio.run(serving)
    except KeyboardInterrupt:
        return
    except OSError as error:
        typer.echo(f"onetier: {error.strerror or error}", err=True)
        raise typer.Exit(1) from error

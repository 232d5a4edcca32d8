"""Calls of operators to a data center or a platform, with the certificate of the operator's role where TLS is on."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Annotated, TypeVar

import grpc
import typer
from onetier.v1 import data_center_pb2_grpc as dc_grpc

from charging.errors import Fault, Unavailable
from cluster.roles import read_role
from console.arguments import DATACENTER_VARIABLE, first_address
from runtime.channel import open_channel
from runtime.settings import BadSettings
from runtime.status import from_rpc_error

ResultT = TypeVar("ResultT")
CALL_TIMEOUT_S = 30.0
SHORTEST_CALL_S = 0.1

DataCenter = Annotated[
    str,
    typer.Option("--datacenter", envvar=DATACENTER_VARIABLE, callback=first_address, help="Address of a data center."),
]
Certificates = Annotated[
    Path | None,
    typer.Option("--tls", help="Folder with operator.pem, operator.key, ca.pem; default: ONETIER_TLS_…."),
]
DATACENTER = "127.0.0.1:7200"
PLATFORM = "127.0.0.1:7100"
_CALLED = {
    "datacenter": ("data center", "datacenter"),
    "appserver": ("app server", "endpoint"),
    "watch": ("feed", "watch"),
}
"""By role: what people call it, and the option that names its address."""


async def patiently(call: Callable[[float], Awaitable[ResultT]]) -> ResultT:
    """Make a call, and make it again while its server says when to: an owner may be changing just now.

    `call` is given the seconds that are left. Whoever changes something gives it the same request key each time. Raises
    what the last call raised.
    """
    until = time.monotonic() + CALL_TIMEOUT_S
    while True:
        try:
            return await call(max(until - time.monotonic(), SHORTEST_CALL_S))
        except grpc.aio.AioRpcError as error:
            fault = from_rpc_error(error)
            wait_s = fault.retry_ms / 1_000
            if not isinstance(fault, Unavailable) or not wait_s or time.monotonic() + wait_s > until:
                raise
        await asyncio.sleep(wait_s)


def call_directory(
    address: str, tls: Path | None, work: Callable[[dc_grpc.DirectoryServiceStub], Coroutine[None, None, ResultT]]
) -> ResultT:
    """Call a data center as an operator; see `call_as_operator`."""
    return call_as_operator(address, tls, "datacenter", lambda channel: work(dc_grpc.DirectoryServiceStub(channel)))


def call_as_operator(
    address: str, tls: Path | None, role: str, work: Callable[[grpc.aio.Channel], Coroutine[None, None, ResultT]]
) -> ResultT:
    """Call a server of a role; a fault becomes one sentence and exit status 1, a wrong setting exit status 2.

    `tls` is the folder of certificates, None = there are none. The channel is closed afterwards. Call it outside of any
    event loop.
    """

    async def ask() -> ResultT:
        channel = open_channel(address, read_role(tls, "operator"), role=role)
        try:
            return await work(channel)
        finally:
            await channel.close()

    try:
        return asyncio.run(ask())
    except grpc.aio.AioRpcError as error:
        fault = from_rpc_error(error)
        text = fault.message
        if not error.trailing_metadata() and error.code() is grpc.StatusCode.UNAVAILABLE:
            name, option = _CALLED[role]
            text = f"no {name} answers at {address} ({text}); give its --{option}, and --tls when it has TLS"
        typer.echo(f"{fault.reason}: {text}", err=True)
        raise typer.Exit(1) from error
    except Fault as fault:
        typer.echo(f"{fault.reason}: {fault.message}", err=True)
        raise typer.Exit(1) from fault
    except BadSettings as wrong:
        typer.echo(str(wrong), err=True)
        raise typer.Exit(2) from wrong

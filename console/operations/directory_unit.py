"""Work on the directory unit itself, without a data center: what operators do beside a system or while it is down."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TypeVar

import typer

from charging.errors import Fault
from directory.directory import Directory
from domainservers.journal.journal import Corrupt
from evidence.keys import KeyRing
from house.stores import STORES
from storage.unit import StoreRejected, StoreUnavailable

ResultT = TypeVar("ResultT")


def with_directory(url: str, ring: KeyRing, work: Callable[[Directory], Coroutine[None, None, ResultT]]) -> ResultT:
    """Open the directory for some work; a fault becomes one sentence and exit status 1."""
    try:
        return asyncio.run(_opened(url, ring, work))
    except (Fault, Corrupt, StoreUnavailable, StoreRejected) as fault:
        typer.echo(f"onetier: {fault}", err=True)
        raise typer.Exit(1) from fault


async def _opened(url: str, ring: KeyRing, work: Callable[[Directory], Coroutine[None, None, ResultT]]) -> ResultT:
    unit = await STORES.open(url)
    try:
        directory = await Directory.open(unit, ring=ring)
        try:
            return await work(directory)
        finally:
            await directory.close()
    finally:
        await unit.close()

"""`onetier unit`: which storage units there are, and how a private one moves to another address while it is served."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table

from charging.errors import NotFound
from console.operations.directory_unit import with_directory
from console.operations.keys import ChainKeys, ring_for
from console.operations.operate import Folder, directory_url
from console.views import Json, View, print_view
from directory.directory import Directory
from directory.opening import units_allowed
from directory.slots import slot_key
from domainservers.settings import DomainServerSettings
from domainservers.slot.moving import MoveReport, move_private_unit, take_back
from evidence.seals import open_sealed
from house.stores import STORES
from runtime.settings import load
from storage.address import masked
from storage.unit import StoreRejected

app = typer.Typer(help="List storage units, move private ones to other addresses.", no_args_is_help=True)
DEFAULT_FOLDER = Path(".onetier")

Name = Annotated[str, typer.Argument(help="Name of the unit in the directory, for example private-gd.")]
DirectoryUrl = Annotated[str, typer.Option("--directory", help="URL of the directory unit; default: that of --data.")]


@app.command("list")
def list_command(
    folder: Folder = DEFAULT_FOLDER, directory: DirectoryUrl = "", keys: ChainKeys = None, as_json: Json = False
) -> None:
    """List the units with their addresses, and who lives in them."""

    async def tell(found: Directory) -> View:
        table = Table("unit", Column("address", overflow="fold"), "shared unit of", "private unit of")
        rows = []
        named = found.state.named.values()
        for name, url in sorted(found.units.items()):
            shared = [domain.code for domain in named if domain.shared_unit == name]
            private = [domain.code for domain in named if domain.private_unit == name]
            table.add_row(name, masked(url), " ".join(shared), " ".join(private))
            rows.append({"unit": name, "address": masked(url), "shared_unit_of": shared, "private_unit_of": private})
        return View(rows, [table])

    where = directory_url(folder, directory)
    print_view(with_directory(where, ring_for(where, keys), tell), as_json)


@app.command()
def move(
    name: Name,
    url: Annotated[str, typer.Argument(help="New address: sqlite:///folder/file.db or cassandra://hosts/keyspace.")],
    actor: Annotated[str, typer.Option(help="Who orders it; kept in the directory.")] = "operator",
    folder: Folder = DEFAULT_FOLDER,
    directory: DirectoryUrl = "",
    keys: ChainKeys = None,
) -> None:
    """Move a private unit with all its journals; callers wait a moment, nothing is lost. Repeat it if it fails."""
    where = directory_url(folder, directory)
    _check_place(where, url)
    ring = ring_for(where, keys)

    async def work(found: Directory) -> MoveReport:
        return await move_private_unit(found, name, url, STORES.open, actor=actor, progress=lambda _: None, ring=ring)

    done = with_directory(where, ring, work)
    typer.echo(f"{name} is at {masked(url)} now: {done.slots} slots, {done.groups:,} groups, {done.records:,} records")
    typer.echo("the old unit stays as it was; drop it when its backups are no longer wanted")


def _check_place(directory: str, url: str) -> None:
    """Refuse a place that domain servers with the settings of this shell would not open: their slots would stand."""
    try:
        problem = units_allowed(load(DomainServerSettings, directory=directory)).problem(url)
    except StoreRejected as wrong:
        raise typer.BadParameter(str(wrong)) from wrong
    if problem:
        raise typer.BadParameter(f"{problem} Set it for all domain servers and here (ONETIER_UNIT_…), then move.")


@app.command("give-back")
def give_back(
    name: Name, folder: Folder = DEFAULT_FOLDER, directory: DirectoryUrl = "", keys: ChainKeys = None
) -> None:
    """Give a move up that did not end: the unit goes on at the address that the directory names."""

    where = directory_url(folder, directory)
    ring = ring_for(where, keys)

    async def work(found: Directory) -> int:
        domains = [domain for domain in found.state.named.values() if domain.private_unit == name]
        slots = [slot_key(domain.code, slot) for domain in domains for slot in range(domain.slots)]
        if name not in found.units:
            raise NotFound("STORAGE_UNIT_UNKNOWN", f"the directory names no unit {name!r}")
        unit = await open_sealed(STORES, found.units[name], ring)
        try:
            await take_back(unit, slots)
        finally:
            await unit.close()
        return len(slots)

    typer.echo(f"{with_directory(where, ring, work)} slots go on where they are")

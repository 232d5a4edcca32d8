"""`onetier keys`: the file of the keys that chain journals and seal records."""

import os
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct

from console.views import Json, View, print_view
from evidence.keyfile import FOLDER, NAME, add_key, file_beside, key_file, read_ring, ring_at
from evidence.keys import KeyRing
from evidence.places import anchors_folder
from runtime.settings import BadSettings

VARIABLE = "ONETIER_CHAIN_KEYS"
ANCHORS_VARIABLE = "ONETIER_ANCHORS"

app = typer.Typer(help="Make and list the keys of the evidence.", no_args_is_help=True)

ChainKeys = Annotated[
    Path | None,
    typer.Option("--keys", help=f"File of the chain keys; default: {VARIABLE}, else beside a SQLite directory."),
]
Anchors = Annotated[
    Path | None,
    typer.Option("--anchors", help=f"Folder of the anchor files; default: {ANCHORS_VARIABLE}, else beside the keys."),
]
KeyFile = Annotated[Path, typer.Argument(help="The key file.")]


class Evidence(Struct, frozen=True):
    """What a command needs to prove a country."""

    ring: KeyRing
    anchors: Path | None
    """Folder of the anchor files; None = there are none."""


def ring_for(directory: str, keys: Path | None = None) -> KeyRing:
    """Read the keys of a directory's country. A missing or wrong file ends the command with exit status 2."""
    return evidence_for(directory, keys, None).ring


def evidence_for(directory: str, keys: Path | None, anchors: Path | None, folder: Path | None = None) -> Evidence:
    """Read the keys and find the anchors of a directory's country, as options, environment or defaults say.

    `folder` is the data folder of a system that this console started; its keys are there unless its units are files.
    """
    given = keys or _told(VARIABLE)
    try:
        if given is None and folder is not None and file_beside(directory) is None:
            beside = folder / FOLDER / NAME
            given = beside if beside.exists() else None
        path = key_file(given, directory)
        return Evidence(ring_at(path, make=False), anchors_folder(anchors or _told(ANCHORS_VARIABLE), path))
    except BadSettings as wrong:
        typer.echo(f"onetier: {wrong}", err=True)
        raise typer.Exit(2) from wrong


def _told(variable: str) -> Path | None:
    told = os.environ.get(variable, "")
    return Path(told) if told else None


@app.command("new")
def new_command(path: KeyFile, as_json: Json = False) -> None:
    """Add a new key, and make the file when there is none: processes use it from their next start on."""
    _tell(path, add=True, as_json=as_json)


@app.command("list")
def list_command(path: KeyFile, as_json: Json = False) -> None:
    """List the ids of the keys, oldest first; the last one is in use."""
    _tell(path, add=False, as_json=as_json)


def _tell(path: Path, *, add: bool, as_json: bool) -> None:
    try:
        ring = add_key(path) if add else read_ring(path)
    except BadSettings as wrong:
        typer.echo(f"onetier: {wrong}", err=True)
        raise typer.Exit(2) from wrong
    rows = [{"key_id": key.key_id.hex(), "in_use": key is ring.current} for key in ring.keys]
    print_view(View(rows, (f"{row['key_id']}{'  in use' if row['in_use'] else ''}" for row in rows)), as_json)

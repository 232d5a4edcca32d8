"""`onetier keys`: the file of the keys that chain journals and seal records."""

import os
from pathlib import Path
from typing import Annotated

import typer

from evidence.keyfile import add_key, key_file, read_ring, ring_at
from evidence.keys import KeyRing
from runtime.settings import BadSettings

VARIABLE = "ONETIER_CHAIN_KEYS"

app = typer.Typer(help="Make and list the keys of the evidence.", no_args_is_help=True)

ChainKeys = Annotated[
    Path | None,
    typer.Option("--keys", help=f"File of the chain keys; default: {VARIABLE}, else beside a SQLite directory."),
]
KeyFile = Annotated[Path, typer.Argument(help="The key file.")]


def ring_for(directory: str, keys: Path | None = None) -> KeyRing:
    """Read the keys of a directory's country. A missing or wrong file ends the command with exit status 2."""
    told = os.environ.get(VARIABLE, "")
    try:
        return ring_at(key_file(keys or (Path(told) if told else None), directory), make=False)
    except BadSettings as wrong:
        typer.echo(f"onetier: {wrong}", err=True)
        raise typer.Exit(2) from wrong


@app.command("new")
def new_command(path: KeyFile) -> None:
    """Add a new key, and make the file when there is none: processes use it from their next start on."""
    _tell(path, add=True)


@app.command("list")
def list_command(path: KeyFile) -> None:
    """List the ids of the keys, oldest first; the last one is in use."""
    _tell(path, add=False)


def _tell(path: Path, *, add: bool) -> None:
    try:
        ring = add_key(path) if add else read_ring(path)
    except BadSettings as wrong:
        typer.echo(f"onetier: {wrong}", err=True)
        raise typer.Exit(2) from wrong
    for key in ring.keys:
        typer.echo(f"{key.key_id.hex()}{'  in use' if key is ring.current else ''}")

"""`onetier protos`: the contracts with all that they import, for whoever generates a client in another language."""

import shutil
from pathlib import Path
from typing import Annotated

import google.rpc
import typer
from onetier.v1 import service_desk_pb2

app = typer.Typer()
IMPORTED = ("status.proto", "error_details.proto", "code.proto")
"""Of google.rpc: what replies carry errors in. What is below google/protobuf comes with every compiler."""


@app.command()
def protos(folder: Annotated[Path, typer.Argument(help="Where to write them; made if need be.")]) -> None:
    """Write the .proto files of the contracts, and those that they import, into a folder."""
    for path in write(folder):
        typer.echo(path)


def write(folder: Path) -> list[Path]:
    """Write them below a folder, over what is there; give their paths."""
    ours = Path(service_desk_pb2.__file__).parent
    theirs = Path(next(iter(google.rpc.__path__)))
    sources = {folder / "onetier" / "v1" / each.name: each for each in sorted(ours.glob("*.proto"))}
    sources |= {folder / "google" / "rpc" / name: theirs / name for name in IMPORTED}
    for target, source in sources.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return list(sources)

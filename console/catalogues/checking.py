"""What the commands on catalogues begin with: a folder that is read, checked, and complained about."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import asdict
from rich.console import Console

from authoring.files import Folder, read_folder
from console.report import WIDTH_CHARS
from console.views import View, print_view

out = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH_CHARS)
FolderArgument = Annotated[Path, typer.Argument(help="Folder of YAML files, national and regional.", exists=True)]


def checked(folder: Path, as_json: bool = False) -> Folder:
    """Read a folder; print its warnings and faults, and leave with code 1 if there are any of the latter."""
    found = read_folder(folder)
    if as_json:
        complaints = [*((True, each) for each in found.faults), *((False, each) for each in found.warnings)]
        rows = [{"complaint": "fault" if grave else "warning", **asdict(each)} for grave, each in complaints]
        print_view(View(rows, ()), as_json)
        if found.faults:
            raise typer.Exit(1)
        return found
    for warning in found.warnings:
        out.print(f"warning: {warning}", soft_wrap=True, markup=False)
    for fault in found.faults:
        out.print(str(fault), soft_wrap=True, markup=False)
    if found.faults:
        count = len(found.faults)
        out.print(f"{count} fault{'s' if count > 1 else ''}; nothing was published")
        raise typer.Exit(1)
    return found

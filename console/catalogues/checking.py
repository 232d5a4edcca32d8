"""What the commands on catalogues begin with: a folder that is read, checked, and complained about."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from authoring.files import Folder, read_folder
from console.report import WIDTH_CHARS

out = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH_CHARS)
FolderArgument = Annotated[Path, typer.Argument(help="Folder of YAML files, national and regional.", exists=True)]


def checked(folder: Path) -> Folder:
    """Read a folder; print its warnings and faults, and leave with code 1 if there are any of the latter."""
    found = read_folder(folder)
    for warning in found.warnings:
        out.print(f"warning: {warning}", soft_wrap=True, markup=False)
    for fault in found.faults:
        out.print(str(fault), soft_wrap=True, markup=False)
    if found.faults:
        count = len(found.faults)
        out.print(f"{count} fault{'s' if count > 1 else ''}; nothing was published")
        raise typer.Exit(1)
    return found

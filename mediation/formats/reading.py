"""Formats from their files."""

from pathlib import Path

from mediation.formats.format import Format
from mediation.written import FaultyFile, FileFault, read_written


def read_format(file: Path) -> Format:
    """Read and check a format. Raises `FaultyFile`."""
    return read_written(file, Format)


def read_formats(folder: Path) -> dict[str, Format]:
    """Read all formats of a folder, by name. Raises `FaultyFile` with the faults of all."""
    found: dict[str, Format] = {}
    faults: list[FileFault] = []
    for file in sorted(folder.glob("*.yaml")):
        try:
            form = read_format(file)
        except FaultyFile as faulty:
            faults += faulty.faults
            continue
        if form.format in found:
            faults.append(FileFault(str(file), 1, f"format: {form.format!r} is the name of another format, too"))
        found[form.format] = form
    if faults:
        raise FaultyFile(faults)
    return found

"""A plant as commands open it: its folder, what its files say, and the clock."""

import time
from pathlib import Path
from typing import Annotated

import typer

from mediation.line import PlantRules, read_rules
from mediation.plant.plant import Plant
from mediation.written import FaultyFile

SHOWN_MAX = 20
"""Of what a command lists for people; `--json` has all."""

Home = Annotated[Path, typer.Argument(help="Folder of the plant: sources.yaml, formats/, and what it makes.")]


def plant_rules(home: Path) -> PlantRules:
    """Read what the files of a plant say; what is wrong with them is told, and exit status 1."""
    try:
        return read_rules(home)
    except FaultyFile as faulty:
        raise faulty_exit(faulty) from faulty


def faulty_exit(faulty: FaultyFile) -> typer.Exit:
    """Tell what is wrong with a file."""
    for fault in faulty.faults:
        typer.echo(str(fault), err=True)
    return typer.Exit(1)


def opened_plant(home: Path) -> Plant:
    """Open a plant; exit status 2 where there is none."""
    if not home.is_dir():
        typer.echo(f"{home} is no folder: make it, with sources.yaml and formats/ in it", err=True)
        raise typer.Exit(2)
    return Plant(home)


def now_ms() -> int:
    """Give the time, UTC, milliseconds."""
    return time.time_ns() // 1_000_000

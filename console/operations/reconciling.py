"""`onetier billing reconcile`: bills against the postings in the journals, to the micro-unit."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from audit.national import Sources, audit_country
from charging.base.money import show
from charging.errors import Fault
from console.operations.keys import ChainKeys, ring_for
from console.operations.operate import FOLDER, DirectoryUrl, Folder, directory_url
from console.views import Json, View, print_view
from storage.unit import StoreRejected, StoreUnavailable

SHOWN_MAX = 50


def reconcile(
    domain: Annotated[str, typer.Argument(help="Code of the domain; empty = the whole country.")] = "",
    folder: Folder = FOLDER,
    directory: DirectoryUrl = "",
    keys: ChainKeys = None,
    backups: Annotated[
        Path | None,
        typer.Option(
            "--backup",
            exists=True,
            file_okay=False,
            help="Folder of the backups that were made before the runs: books are held to them.",
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that read journals.")] = 2,
    as_json: Json = False,
) -> None:
    """Add every bill up again from the journals themselves; any difference ends with status 1. Changes nothing.

    What came into stages of runs is what was replayed and what is staged still; with backups, what books hold is what
    they held then and what the journals moved since.
    """
    where = directory_url(folder, directory)
    try:
        found = audit_country(Sources(where, ring_for(where, keys), None, backups=backups), domain, workers)
    except (Fault, StoreUnavailable, StoreRejected) as fault:
        typer.echo(f"onetier: {fault}", err=True)
        raise typer.Exit(1) from fault
    rows = [
        {
            "slot": slot.name,
            "accounts": slot.accounts,
            "bills": slot.bills,
            "revenue": slot.revenue,
            "staged": slot.staged,
            "replayed": slot.replayed,
            "backups": slot.backups,
        }
        for slot in found.slots
    ]
    runs = [
        {"run": f"{slot.name}:{period}", **{name: getattr(totals, name) for name in totals.__struct_fields__}}
        for slot in found.slots
        for period, totals in sorted(slot.periods.items())
    ]
    bills, revenue = sum(slot.bills for slot in found.slots), sum(slot.revenue for slot in found.slots)
    differences = found.sentences
    what = f"{bills:,} bills and credit notes in {len(found.slots)} slots"
    told = f"{what}, revenue {show(revenue)}: {len(differences)} differences"
    staged, replayed = sum(slot.staged for slot in found.slots), sum(slot.replayed for slot in found.slots)
    stages = f"staged {show(staged)} = replayed {show(replayed)} + {show(staged - replayed)} that waits or moved away"
    held = [f"books are held to {sum(slot.backups for slot in found.slots):,} backups"] if backups is not None else []
    tables = [_table(runs)] if runs else []
    print_view(View([*rows, *runs, {"differences": differences}], [*tables, told, stages, *held]), as_json)
    for sentence in differences[:SHOWN_MAX]:
        typer.echo(sentence, err=True)
    if differences:
        raise typer.Exit(1)


def _table(runs: list[dict[str, object]]) -> Table:
    """Tell what the bills of each run come to, by the journals."""
    table = Table("run", "closed", "bills", "gross", "tax", "asked", "carried on")
    for run in runs:
        amounts = [show(int(str(run[name]))) for name in ("gross", "tax", "asked", "carried")]
        table.add_row(str(run["run"]), f"{run['closed']:,}", f"{run['bills']:,}", *amounts)
    return table

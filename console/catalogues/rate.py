"""`onetier rate`: rate a file of usage offline, with no server, by the catalogues of a folder.

What the file holds: see `authoring.offline`.
"""

import csv
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeElapsedColumn

from authoring.offline import REQUIRED, OfflineRater, Rated, rate_lines, unused
from authoring.usage_lines import columns, read_lines
from charging.base.money import show
from charging.base.usage import Charge
from charging.errors import Invalid
from charging.rating.explain import sentence
from console.catalogues.checking import checked

SHOW_EVERY = 1_000
out = Console(highlight=False)
app = typer.Typer()


class RatedTotals(Struct):
    """What came out so far."""

    rated: int = 0
    refused: int = 0
    amount: int = 0


@app.command("rate")
def rate_command(
    catalog: Annotated[Path, typer.Option(help="Folder of catalogue files.", exists=True)],
    usage: Annotated[Path, typer.Option(help="CSV of usage.", exists=True, dir_okay=False)],
    out_file: Annotated[Path, typer.Option("--out", help="CSV to write: the lines with their charges.")],
) -> None:
    """Rate a usage file offline; lines without a price go to a side file with their reason."""
    errors = out_file.with_name(out_file.stem + ".errors.csv")
    if usage.resolve() in (out_file.resolve(), errors.resolve()):
        _leave(f"{out_file}: would overwrite the usage it is made from: give --out another name")
    if not out_file.parent.is_dir():
        _leave(f"{out_file.parent}: there is no such folder: make it first")
    rater = OfflineRater(checked(catalog).catalogues)
    try:
        tally = _rate_file(rater, usage, out_file, errors)
    except Invalid as fault:
        _leave(f"{usage}: {fault.message}")
    out.print(f"rated {tally.rated} lines, {show(tally.amount)} in all → {out_file}")
    out.print(f"refused {tally.refused} lines → {errors}")
    plain = sorted(rater.domains - rater.regional)
    if plain:
        out.print(f"by the national catalogue alone, for lack of a regional one: {', '.join(plain)}", markup=False)


def _leave(message: str) -> NoReturn:
    out.print(message, markup=False, soft_wrap=True)
    raise typer.Exit(1)


def _rate_file(rater: OfflineRater, usage: Path, out_file: Path, errors: Path) -> RatedTotals:
    total = usage.stat().st_size
    tally = RatedTotals()
    with (
        usage.open("rb") as raw,
        TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="") as lines,
        out_file.open("w", newline="", encoding="utf-8") as good,
        errors.open("w", newline="", encoding="utf-8", errors="backslashreplace") as bad,
        Progress(*Progress.get_default_columns()[:1], BarColumn(), DownloadColumn(), TimeElapsedColumn()) as bar,
    ):
        task = bar.add_task("rating", total=total)
        rows = read_lines(lines)
        names = columns(next(rows, None), REQUIRED)
        if others := unused(names):
            bar.console.print(f"columns handed on without a look: {', '.join(others)}", markup=False)
        good_lines, bad_lines = csv.writer(good), csv.writer(bad)
        good_lines.writerow((*names, "amount", "currency", "catalogue", "steps"))
        bad_lines.writerow(("line", "reason", "message", "nearest"))
        for number, result in enumerate(rate_lines(rater, names, rows)):
            if isinstance(result, Rated):
                tally.rated += 1
                tally.amount += result.charge.amount
                good_lines.writerow((*result.row.values(), *_cells(result.charge)))
            else:
                tally.refused += 1
                bad_lines.writerow((result.line, result.reason, result.message, result.nearest))
            if number % SHOW_EVERY == 0:
                bar.update(task, completed=raw.tell())
        bar.update(task, completed=total)
    return tally


def _cells(charge: Charge) -> tuple[str, str, str, str]:
    steps = " | ".join(sentence(step) for step in charge.steps)
    return show(charge.amount), charge.currency, str(charge.catalogue), steps

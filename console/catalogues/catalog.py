"""`onetier catalog`: check, compare, publish and fetch what is sold."""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import asdict
from rich.table import Table

from authoring.key_page import page
from authoring.publication import publication
from authoring.writing import write_folder
from charging.catalogue.diff import Change, diff
from charging.catalogue.document import Catalogue, schema
from charging.errors import Fault
from console.catalogues.checking import FolderArgument, checked, out
from console.catalogues.offering import offer_command
from console.catalogues.published import (
    NATIONAL,
    At,
    DirectoryUrl,
    Label,
    Versions,
    Wanted,
    of_datacenter,
    of_directory,
    wanted,
)
from console.catalogues.publishing import publish, timeout_s
from console.catalogues.trying import try_command
from console.operations.directory_call import DATACENTER, Certificates, DataCenter, call_directory
from console.views import Json, View, print_view

app = typer.Typer(help="Check, compare, publish and fetch catalogues.", no_args_is_help=True)
LISTED_MAX = 8

app.command("try")(try_command)
app.command("offer")(offer_command)


@app.command("check")
def check_command(folder: FolderArgument, as_json: Json = False) -> None:
    """Check all catalogues of a folder; each fault with file, line and a sentence."""
    table = Table("catalogue", "domain", "version", "from", "tariffs", "offerings", "discounts", "overrides")
    rows = [_counted(catalogue) for catalogue in checked(folder, as_json).catalogues]
    for row in rows:
        shown = row | {"domain": row["domain"] or NATIONAL, "effective_from": row["effective_from"] or "ever"}
        table.add_row(*map(str, shown.values()))
    print_view(View(rows, [table]), as_json)


def _counted(catalogue: Catalogue) -> dict[str, object]:
    return {
        "catalogue": catalogue.catalogue,
        "domain": catalogue.domain,
        "version": catalogue.version,
        "effective_from": catalogue.effective_from,
        "tariffs": len(catalogue.tariffs),
        "offerings": len(catalogue.offerings),
        "discounts": len(catalogue.discounts),
        "overrides": sum(len(getattr(catalogue.overrides, name)) for name in catalogue.overrides.__struct_fields__),
    }


@app.command("diff")
def diff_command(
    old: FolderArgument,
    new: Annotated[Path | None, typer.Argument(help="Another folder; default: OLD against what is published.")] = None,
    datacenter: DataCenter = DATACENTER,
    tls: Certificates = None,
    directory: DirectoryUrl = "",
    version: Versions = None,
    at: At = "",
    as_json: Json = False,
) -> None:
    """Show what changed between two folders, or from what is published to one; leaves with code 1 for any change."""
    if new is not None:
        before, after = checked(old, as_json).catalogues, checked(new, as_json).catalogues
    else:
        after = checked(old, as_json).catalogues
        before = _published(datacenter, tls, directory, wanted(version, at))
        if version:
            asked = {catalogue.domain for catalogue in before}
            after = [catalogue for catalogue in after if catalogue.domain in asked]
    told = list(_differences(before, after, "gone" if new is not None else "published, not in the folder"))
    rows = [{"domain": domain, **(asdict(each) if isinstance(each, Change) else {"is": each})} for domain, each in told]
    text = (f"{domain or NATIONAL}: {_sentence(each) if isinstance(each, Change) else each}" for domain, each in told)
    print_view(View(rows, text), as_json)
    raise typer.Exit(1 if told else 0)


@app.command("fetch")
def fetch_command(
    folder: Annotated[Path, typer.Argument(help="An empty folder, or a new one.")],
    datacenter: DataCenter = DATACENTER,
    tls: Certificates = None,
    directory: DirectoryUrl = "",
    version: Versions = None,
    at: At = "",
) -> None:
    """Write what is published to files, to begin the next version with."""
    catalogues = _published(datacenter, tls, directory, wanted(version, at))
    try:
        for path in write_folder(folder, catalogues):
            out.print(str(path), soft_wrap=True, markup=False)
    except Fault as fault:
        out.print(f"{fault.reason}: {fault.message}", soft_wrap=True, markup=False)
        raise typer.Exit(1) from fault


def _published(datacenter: str, tls: Path | None, directory: str, asked: Wanted) -> list[Catalogue]:
    return of_directory(directory, asked) if directory else of_datacenter(datacenter, tls, asked)


def _differences(old: list[Catalogue], new: list[Catalogue], absent: str) -> Iterator[tuple[str, Change | str]]:
    before = {catalogue.domain: catalogue for catalogue in old}
    after = {catalogue.domain: catalogue for catalogue in new}
    for domain in sorted({*before, *after}):
        if domain in before and domain in after:
            for change in diff(before[domain], after[domain]):
                yield domain, change
        else:
            yield domain, "new" if domain in after else absent


def _sentence(change: Change) -> str:
    if change.before is None:
        return f"{change.where}: added {change.after}"
    if change.after is None:
        return f"{change.where}: removed {change.before}"
    return f"{change.where}: {change.before} → {change.after}"


@app.command("schema")
def schema_command() -> None:
    """Print the JSON schema of a catalogue file, for editors."""
    typer.echo(json.dumps(schema(), indent=2, ensure_ascii=False))


@app.command("keys")
def keys_command() -> None:
    """Print what each key of a catalogue file means, as Markdown."""
    typer.echo(page(), nl=False)


@app.command("publish")
def publish_command(
    folder: FolderArgument,
    datacenter: DataCenter = DATACENTER,
    actor: Annotated[str, typer.Option(help="Who publishes; kept in the directory.")] = "operator",
    tls: Certificates = None,
    timeout: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for the data center; 0 = by what the check here took.")
    ] = 0,
) -> None:
    """Publish checked catalogues to the shared unit. A published version never changes."""
    began = time.monotonic()
    changes = publication(checked(folder).catalogues)
    seconds = timeout_s(time.monotonic() - began, timeout)

    def tell(line: str) -> None:
        out.print(line, soft_wrap=True, markup=False)

    found = call_directory(datacenter, tls, lambda stub: publish(stub, changes, actor, seconds, tell))
    there = f"; published before: {_listed(found.before)}" if found.before else ""
    if found.new:
        count = f"{len(found.new)} catalogue{'s' if len(found.new) > 1 else ''}"
        tell(f"published {count} ({_listed(found.new)}){there}; directory revision {found.revision}")
    else:
        tell(f"nothing new: all {len(found.before)} catalogues are published ({_listed(found.before)})")


def _listed(labels: Sequence[Label]) -> str:
    names = [str(label) for label in labels]
    return ", ".join(names[:LISTED_MAX]) + (f" and {len(names) - LISTED_MAX} more" if len(names) > LISTED_MAX else "")

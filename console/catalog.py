"""`onetier catalog`: check, compare and publish what is sold."""

import json
from hashlib import blake2b
from pathlib import Path
from typing import Annotated

import typer
from onetier.v1 import data_center_pb2 as dc
from onetier.v1 import data_center_pb2_grpc as dc_grpc
from rich.console import Console
from rich.table import Table

from charging.catalogue import Catalogue, pack, schema
from charging.catalogue_diff import Change, diff
from charging.localtime import LocalTime
from console.catalogue_files import Folder, read_folder
from console.directory_call import DATACENTER, Certificates, DataCenter, call_directory

app = typer.Typer(help="Check, compare and publish catalogues.", no_args_is_help=True)
NATIONAL_ZONE = "Asia/Shanghai"
PUBLISH_TIMEOUT_S = 30.0
out = Console(highlight=False)
FolderArgument = Annotated[Path, typer.Argument(help="Folder of YAML files, national and regional.", exists=True)]


def effective_from_ms(catalogue: Catalogue, zone: str = NATIONAL_ZONE) -> int:
    """Give the moment from which a version is in force; a text without offset means the zone's clock."""
    if not catalogue.effective_from:
        return 0
    return LocalTime(zone).moment_ms(catalogue.effective_from)


def publication(catalogues: list[Catalogue]) -> list[dc.DirectoryChange]:
    """Give the changes of the directory that publish checked catalogues."""
    return [
        dc.DirectoryChange(
            catalogue=dc.CatalogueVersion(
                domain=catalogue.domain,
                version=catalogue.version,
                effective_from_ms=effective_from_ms(catalogue),
                content=pack(catalogue),
            )
        )
        for catalogue in catalogues
    ]


def checked(folder: Path) -> Folder:
    """Read a folder; print its faults and leave with code 1 if there are any."""
    found = read_folder(folder)
    for fault in found.faults:
        out.print(str(fault), soft_wrap=True, markup=False)
    if found.faults:
        count = len(found.faults)
        out.print(f"{count} fault{'s' if count > 1 else ''}; nothing was published")
        raise typer.Exit(1)
    return found


@app.command("check")
def check_command(folder: FolderArgument) -> None:
    """Check all catalogues of a folder; each fault with file, line and a sentence."""
    table = Table("catalogue", "domain", "version", "from", "tariffs", "offerings", "discounts", "overrides")
    for catalogue in checked(folder).catalogues:
        overrides = sum(len(getattr(catalogue.overrides, name)) for name in catalogue.overrides.__struct_fields__)
        table.add_row(
            catalogue.catalogue,
            catalogue.domain or "national",
            str(catalogue.version),
            catalogue.effective_from or "ever",
            str(len(catalogue.tariffs)),
            str(len(catalogue.offerings)),
            str(len(catalogue.discounts)),
            str(overrides),
        )
    out.print(table)


@app.command("diff")
def diff_command(old: FolderArgument, new: FolderArgument) -> None:
    """Show what changed between two versions; leaves with code 1 when something did."""
    before = {catalogue.domain: catalogue for catalogue in checked(old).catalogues}
    after = {catalogue.domain: catalogue for catalogue in checked(new).catalogues}
    changes = 0
    for domain in sorted({*before, *after}):
        if domain not in before or domain not in after:
            out.print(f"{domain or 'national'}: {'new' if domain in after else 'gone'}")
            changes += 1
            continue
        for change in diff(before[domain], after[domain]):
            out.print(f"{domain or 'national'}: {_sentence(change)}", soft_wrap=True, markup=False)
            changes += 1
    raise typer.Exit(1 if changes else 0)


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


@app.command("publish")
def publish_command(
    folder: FolderArgument,
    datacenter: DataCenter = DATACENTER,
    actor: Annotated[str, typer.Option(help="Who publishes; kept in the directory.")] = "operator",
    tls: Certificates = None,
) -> None:
    """Publish checked catalogues to the shared unit. A published version never changes."""
    changes = publication(checked(folder).catalogues)
    versions = ",".join(f"{c.catalogue.domain or 'national'}-{c.catalogue.version}" for c in changes)
    digest = blake2b(b"".join(change.SerializeToString(deterministic=True) for change in changes), digest_size=16)
    request = dc.AmendRequest(changes=changes, request_key=f"publish-{digest.hexdigest()}", actor=actor)

    async def amend(stub: dc_grpc.DirectoryServiceStub) -> int:
        response = await stub.Amend(request, timeout=PUBLISH_TIMEOUT_S)
        return int(response.revision)

    revision = call_directory(datacenter, tls, amend)
    out.print(f"published {len(changes)} catalogues ({versions}); directory revision {revision}")

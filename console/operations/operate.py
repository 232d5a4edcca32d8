"""What operators do: ask where a number is served, port it, audit accounts and whole domains."""

from pathlib import Path
from typing import Annotated

import typer
from onetier.v1 import data_center_pb2 as dc
from onetier.v1 import data_center_pb2_grpc as dc_grpc

from audit.journals import JournalRef
from cluster.folder import read_mark
from cluster.layout import lay_out
from console.arguments import Key
from console.operations.directory_call import CALL_TIMEOUT_S, DATACENTER, Certificates, DataCenter, call_directory
from console.views import Json, View, plain, print_view
from directory.directory import Directory
from directory.slots import slot_key
from evidence.keys import KeyRing
from house.stores import STORES
from onetier_client import new_key

app = typer.Typer()

Folder = Annotated[Path, typer.Option("--data", help="Data folder of `onetier up` or `onetier demo`.")]
DirectoryUrl = Annotated[str, typer.Option("--directory", help="URL of the directory unit; default: that of --data.")]
FOLDER = Path(".onetier")


@app.command()
def resolve(
    identity: Annotated[str, typer.Argument()],
    datacenter: DataCenter = DATACENTER,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """Say which domain and slot serve an identity, by which rule, and who owns the slot."""

    async def ask(stub: dc_grpc.DirectoryServiceStub) -> dc.ResolveResponse:
        found: dc.ResolveResponse = await stub.Resolve(dc.ResolveRequest(identity=identity), timeout=CALL_TIMEOUT_S)
        return found

    found = call_directory(datacenter, tls, ask)
    rule = "its explicit entry" if found.rule == "explicit" else f"prefix {found.rule}"
    owner = found.owner or "nobody just now"
    told = f"{slot_key(found.domain, found.slot)} by {rule}, owned by {owner}; revision {found.revision}"
    print_view(View([found], [told]), as_json)


@app.command()
def port(
    identity: Annotated[str, typer.Argument()],
    to_domain: Annotated[str, typer.Argument(help="Code of the new domain, for example GD.")],
    actor: Annotated[str, typer.Option(help="Who orders it; kept in the directory.")] = "operator",
    key: Key = "",
    datacenter: DataCenter = DATACENTER,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """Move a number with its account to another domain."""
    request = dc.PortRequest(identity=identity, to_domain=to_domain, request_key=key or new_key(), actor=actor)

    async def move(stub: dc_grpc.DirectoryServiceStub) -> dc.PortResponse:
        done: dc.PortResponse = await stub.Port(request, timeout=CALL_TIMEOUT_S)
        return done

    moved = call_directory(datacenter, tls, move)
    key = request.request_key
    told = f"moved from {moved.from_domain} to {to_domain}, revision {moved.revision}, request key {key}"
    print_view(View([{"request_key": key, "to_domain": to_domain, **plain(moved)}], [told]), as_json)


def directory_url(folder: Path, directory: str) -> str:
    """Give the URL of the directory unit: as told, or that of the country in a data folder.

    Raises `typer.BadParameter` when neither says it.
    """
    if directory:
        return directory
    mark = read_mark(folder)
    if mark is None:
        raise typer.BadParameter(f"{folder} holds no country; give --data or --directory")
    return lay_out(mark.base).directory


async def journals(url: str, ring: KeyRing, domain: str) -> list[JournalRef]:
    """Name the journals of a domain, "" = of the country, by domains and slots. Raises `StoreUnavailable`."""
    unit = await STORES.open_to_read(url)
    directory = await Directory.open(unit, ring=ring)
    refs = [
        JournalRef(info.private_unit, slot_key(code, slot), ring=ring)
        for code, info in directory.domains.items()
        if domain in ("", code)
        for slot in range(info.slots)
    ]
    await directory.close()
    await unit.close()
    return refs

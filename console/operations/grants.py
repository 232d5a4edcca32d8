"""`onetier grant`: who may do what, and the amendments of the directory that wait for a second principal."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from onetier.v1 import data_center_pb2 as dc
from onetier.v1 import data_center_pb2_grpc as dc_grpc
from rich.table import Column, Table

from console import report
from console.arguments import Key
from console.operations.directory_call import CALL_TIMEOUT_S, DATACENTER, Certificates, DataCenter, call_directory
from console.views import Json, View, plain, print_view
from house.grants import grants_of
from house.rooms import ROOMS
from onetier_client import new_key

app = typer.Typer(help="Say who may do what, approve amendments of the directory.", no_args_is_help=True)

GrantId = Annotated[str, typer.Argument(help="Name of the grant, yours to choose.")]
OfKey = Annotated[str, typer.Argument(help="Request key of the amendment, as `onetier grant proposals` shows it.")]
Actor = Annotated[str, typer.Option(help="Who orders it; kept beside the certificate's name.")]


@app.command("list")
def list_command(datacenter: DataCenter = DATACENTER, tls: Certificates = None, as_json: Json = False) -> None:
    """List the grants in force; those without a name are built in, for roles that nothing is written for."""
    table = Table("grant", "subject", Column("commands", overflow="fold"), "at most", "alone to", "only", "actors")
    found = call_directory(datacenter, tls, _describe).grants
    for one in found:
        bound = [*one.channels, *one.partners, *one.domains]
        table.add_row(
            one.grant_id or "(built in)",
            one.subject,
            " ".join(one.commands),
            _amount(one.amount_max),
            _amount(one.alone_max),
            " ".join(bound) or "any",
            "any" if one.actors else "own name",
        )
    print_view(View(found, [table]), as_json)


@app.command("set")
def set_command(
    grant_id: GrantId,
    subject: Annotated[str, typer.Argument(help="Role, or role/name: frontend, frontend/web-hall.")],
    command: Annotated[list[str], typer.Option(help="Name of a command, query or amendment; * = all. Repeat it.")],
    amount_max: Annotated[int, typer.Option(help="Largest amount of one command, micro-units; -1 = no limit.")] = 0,
    alone_max: Annotated[int, typer.Option(help="Above it a second principal approves; -1 = never.")] = 0,
    channel: Annotated[list[str] | None, typer.Option(help="Only these channels.")] = None,
    partner: Annotated[list[str] | None, typer.Option(help="Only these partners.")] = None,
    domain: Annotated[list[str] | None, typer.Option(help="Only accounts of these regions.")] = None,
    actors: Annotated[bool, typer.Option("--actors", help="May name other actors than itself.")] = False,
    actor: Actor = "operator",
    key: Key = "",
    datacenter: DataCenter = DATACENTER,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """Write a grant; one of the same name is replaced. Whoever has a grant of its own has those alone."""
    grant = dc.Grant(
        grant_id=grant_id,
        subject=subject,
        commands=command,
        amount_max=amount_max,
        alone_max=alone_max,
        channels=channel or (),
        partners=partner or (),
        domains=domain or (),
        actors=actors,
    )
    _amend(datacenter, tls, [dc.DirectoryChange(grant=grant)], key, actor, as_json)


@app.command()
def room(
    role: Annotated[str, typer.Argument(help="Role of a process that brings its grants, such as a gateway's.")],
    actor: Actor = "operator",
    key: Key = "",
    datacenter: DataCenter = DATACENTER,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """Write the grants that a room brings for its process, all at once; earlier ones of the same names are replaced."""
    grants = [grant for one in ROOMS for grant in grants_of(one) if grant.subject == role]
    if not grants:
        known = {grant.subject for one in ROOMS for grant in grants_of(one)}
        raise typer.BadParameter(f"no room brings grants for {role!r}; there are {', '.join(sorted(known)) or 'none'}")
    _amend(datacenter, tls, [dc.DirectoryChange(grant=grant) for grant in grants], key, actor, as_json)


@app.command()
def remove(
    grant_id: GrantId,
    actor: Actor = "operator",
    key: Key = "",
    datacenter: DataCenter = DATACENTER,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """Take a grant away."""
    _amend(datacenter, tls, [dc.DirectoryChange(grant=dc.Grant(grant_id=grant_id, remove=True))], key, actor, as_json)


@app.command()
def proposals(datacenter: DataCenter = DATACENTER, tls: Certificates = None, as_json: Json = False) -> None:
    """List the amendments that wait for a second principal."""
    table = Table(Column("request key", overflow="fold"), "by", "actor", "since", Column("changes", overflow="fold"))
    found = call_directory(datacenter, tls, _describe).proposals
    for one in found:
        since = datetime.fromtimestamp(one.time_ms / 1_000, UTC).isoformat(sep=" ", timespec="seconds")
        kinds = " ".join(f"{list(one.kinds).count(kind)} {kind}" for kind in dict.fromkeys(one.kinds))
        table.add_row(one.request_key, one.principal, one.actor, since, kinds)
    print_view(View(found, [table]), as_json)


@app.command()
def approve(
    of_key: OfKey,
    actor: Actor = "operator",
    key: Key = "",
    datacenter: DataCenter = DATACENTER,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """Let an amendment take effect, as another principal than the one who sent it."""
    _amend(datacenter, tls, [dc.DirectoryChange(decision=dc.AmendmentDecision(of_key=of_key))], key, actor, as_json)


@app.command()
def reject(
    of_key: OfKey,
    actor: Actor = "operator",
    key: Key = "",
    datacenter: DataCenter = DATACENTER,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """End an amendment that waits without doing it."""
    decision = dc.AmendmentDecision(of_key=of_key, reject=True)
    _amend(datacenter, tls, [dc.DirectoryChange(decision=decision)], key, actor, as_json)


async def _describe(stub: dc_grpc.DirectoryServiceStub) -> dc.DescribeResponse:
    found: dc.DescribeResponse = await stub.Describe(dc.DescribeRequest(), timeout=CALL_TIMEOUT_S)
    return found


def _amend(
    address: str, tls: Certificates, changes: list[dc.DirectoryChange], key: str, actor: str, as_json: bool
) -> None:
    request = dc.AmendRequest(changes=changes, request_key=key or new_key(), actor=actor)

    async def send(stub: dc_grpc.DirectoryServiceStub) -> dc.AmendResponse:
        amended: dc.AmendResponse = await stub.Amend(request, timeout=CALL_TIMEOUT_S)
        return amended

    # Told before it is sent: without an answer the key is what a repeat needs.
    typer.echo(f"request key {request.request_key}", err=as_json)
    amended = call_directory(address, tls, send)
    row = {"request_key": request.request_key, **plain(amended)}
    print_view(View([row], [f"revision {amended.revision}"]), as_json)


def _amount(limit: int) -> str:
    return "no limit" if limit < 0 else f"{report.major(limit)} {report.OF_ACCOUNT}"

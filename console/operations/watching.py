"""`onetier watch`: what happens to accounts, line by line, as it happens."""

from typing import Annotated

import grpc
import typer
from onetier.v1 import watch_pb2 as pb
from onetier.v1.watch_pb2_grpc import WatchServiceStub

from charging.base.identity import mask
from console.operations.directory_call import Certificates, call_as_operator
from console.report import major, moment
from console.views import Json, View, print_view

app = typer.Typer()
WATCH = "127.0.0.1:7300"


@app.command()
def watch(
    kind: Annotated[list[str] | None, typer.Option("--kind", help="Only this kind; may be repeated.")] = None,
    region: Annotated[list[str] | None, typer.Option("--region", help="Only this region; may be repeated.")] = None,
    account: Annotated[list[str] | None, typer.Option("--account", help="Only this account id.")] = None,
    cursor: Annotated[str, typer.Option("--from", help="Cursor that an earlier call told; default: from now on.")] = "",
    oldest: Annotated[bool, typer.Option("--oldest", help="Begin with the oldest that is kept.")] = False,
    most: Annotated[int, typer.Option("--events", min=0, help="End after so many; 0 = never.")] = 0,
    at: Annotated[str, typer.Option("--watch", help="Address of the process that serves the feed.")] = WATCH,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """Tell what happens to accounts until Ctrl-C; the cursor that resumes there goes to standard error.

    As data, each batch ends with its cursor.
    """
    request = pb.WatchRequest(
        cursor=cursor,
        from_oldest=oldest,
        kinds=kind or (),
        regions=region or (),
        accounts=account or (),
        events_max=min(most, 500),
    )
    call_as_operator(at, tls, "watch", lambda channel: _follow(channel, request, most, as_json=as_json))


async def _follow(channel: grpc.aio.Channel, request: pb.WatchRequest, most: int, *, as_json: bool) -> None:
    told, cursor = 0, request.cursor
    try:
        async for batch in WatchServiceStub(channel).Watch(request):
            print_view(View([*batch.events, {"cursor": batch.cursor}], map(line, batch.events)), as_json)
            told, cursor = told + len(batch.events), batch.cursor
            if most and told >= most:
                return
    finally:
        typer.echo(f"resume with --from {cursor}", err=True)


def line(event: pb.AccountEvent) -> str:
    """Say an event in one line."""
    facts = " ".join(f"{fact.kind}:{fact.name}" if fact.name else fact.kind for fact in event.facts)
    amount = f" {major(event.amount)}" if event.amount else ""
    text = f" ({event.text})" if event.text else ""
    who = f"{mask(event.account_id)} v{event.version}" if event.account_id else "unknown account"
    return f"{moment(event.time_ms)}  {event.region:4} {who}  {facts}{amount}{text}  {event.request_key}"

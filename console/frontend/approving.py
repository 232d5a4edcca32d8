"""The second principal at work on accounts, and the data-protection officer: approve what waits, read who read what."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from appserver.access_log import Access
from charging.base.identity import normalise
from charging.errors import Invalid
from console import report
from console.arguments import Key
from console.frontend.asking import ENDPOINTS, Channel, Endpoint, Identity, ask_and_print
from console.views import Json, View, done, print_view
from onetier_client import AsyncClient, new_key

app = typer.Typer()
Certificates = Annotated[
    Path | None, typer.Option("--tls", help="Folder with operator.pem, operator.key, ca.pem; default: ONETIER_TLS_….")
]
_read = msgspec.json.Decoder(Access).decode


@app.command()
def approve(
    identity: Identity,
    of_key: Annotated[str, typer.Argument(help="Request key of the command that waits; `onetier history` shows it.")],
    reject: Annotated[bool, typer.Option("--reject", help="End it without doing it.")] = False,
    reason: Annotated[str, typer.Option(help="Kept with the decision.")] = "",
    actor: Annotated[str, typer.Option(help="Who decides; kept beside the certificate's name.")] = "",
    channel: Channel = "front",
    key: Key = "",
    endpoint: Endpoint = ENDPOINTS,
    tls: Certificates = None,
    as_json: Json = False,
) -> None:
    """Decide a command that waits for approval, as another principal than the one who sent it."""
    request_key = key or new_key()

    async def decide(client: AsyncClient) -> View:
        found = await client.approve(
            identity, of_key, reject=reject, reason=reason, actor=actor, channel=channel, request_key=request_key
        )
        return done(request_key, found, report.movement_lines(found.movements))

    ask_and_print(endpoint, tls, "operator", as_json, decide)


@app.command()
def accesses(
    folder: Annotated[Path, typer.Argument(help="The folder that the setting `access_log` names.")],
    identity: Annotated[str, typer.Option(help="Only reads of this identity, in full: msisdn:86….")] = "",
    principal: Annotated[str, typer.Option(help="Only reads by this principal: frontend/web-hall.")] = "",
    last: Annotated[int, typer.Option(min=1, max=100_000, help="So many of the newest.")] = 100,
    as_json: Json = False,
) -> None:
    """Say who read which subscriber's data, oldest first, from the access logs of all platforms in a folder."""
    try:
        wanted = normalise(identity) if identity else ""
    except Invalid as wrong:
        raise typer.BadParameter(wrong.message) from wrong
    found = [
        row
        for path in sorted(folder.glob("access-*.jsonl*"))
        for row in deque(_matching(path, wanted, principal), maxlen=last)
    ]
    if not found:
        typer.echo(f"no access in {folder} fits", err=True)
        raise typer.Exit(1)
    rows = sorted(found, key=lambda row: row.time_ms)[-last:]
    print_view(View(rows, (" ".join(_words(row)) for row in rows)), as_json)


def _matching(path: Path, identity: str, principal: str) -> Iterator[Access]:
    with path.open("rb") as file:
        for line in file:
            try:
                row = _read(line)
            except msgspec.MsgspecError:
                typer.echo(f"{path} has a line that can't be read", err=True)  # Cut off by a crash, say.
                continue
            if identity in ("", row.identity) and principal in ("", row.principal):
                yield row


def _words(row: Access) -> Iterator[str]:
    yield report.moment(row.time_ms)
    yield row.principal
    yield f"({row.actor or 'no actor'}, {row.channel}{'/' + row.partner if row.partner else ''})"
    yield f"{row.view} of {row.identity}"
    if row.refused:
        yield f"refused: {row.refused}"

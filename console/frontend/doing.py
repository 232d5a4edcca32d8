"""`onetier do top-up …`: any command on an account. Kinds, options and their help are made from the contract and from
the types of the fields, so a new command of the ledger is here as soon as it is there."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, cast

import typer
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from onetier.v1 import service_desk_pb2 as desk

from charging.base.asked import types_of
from charging.ledger.asking import ASKED
from console import report
from console.arguments import Key
from console.frontend.asking import ENDPOINTS, Channel, Endpoint, Identity, When, ask_and_print
from console.frontend.beforehand import preview_lines
from console.frontend.fieldoptions import FieldOption, Given, check_counted
from console.values import time_ms
from console.views import Json, View, done
from onetier_client import AsyncClient, new_key, requests
from onetier_client.generated import commands
from onetier_client.messages import Command

app = typer.Typer(no_args_is_help=True)
KINDS: Mapping[str, type[Message]] = {
    field.name: getattr(desk, field.message_type.name)
    for field in desk.ServiceRequest.DESCRIPTOR.oneofs_by_name["command"].fields
    if field.message_type is not None
}


class Role(StrEnum):
    """Whose certificate is shown."""

    FRONTEND = "frontend"
    OPERATOR = "operator"
    BACKOFFICE = "backoffice"


def do(
    kind: str,
    fields: Sequence[tuple[FieldOption, Given]],
    *,
    identity: Identity,
    channel: Channel = "front",
    partner: Annotated[str, typer.Option(help="Partner code, when the channel is one of partners.")] = "",
    actor: Annotated[str, typer.Option(help="Who does it; kept with the change.")] = "console",
    key: Key = "",
    time: When = "",
    role: Annotated[Role, typer.Option("--as", help="Whose certificate to show.")] = Role.OPERATOR,
    endpoint: Endpoint = ENDPOINTS,
    tls: Annotated[
        Path | None,
        typer.Option("--tls", help="Folder with operator.pem, operator.key, ca.pem; default: ONETIER_TLS_…."),
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Say what it would do and cost, and do nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Ask for one command, and print what it did. The same key again tells what it did before."""
    message = KINDS[kind]()
    for option, given in fields:
        if not option.is_amount:
            option.fill(message, given)
    if preview and key:
        raise typer.BadParameter("a preview does nothing, so it has no key", param_hint="--key")
    facts = requests.Facts(channel=channel, partner=partner, actor=actor, event_time_ms=time_ms(time))
    if not preview:
        facts["request_key"] = key or new_key()

    async def tell(client: AsyncClient) -> View:
        for option, given in fields:
            if option.is_amount:
                await option.fill_amount(message, cast(str, given), identity, client)
        if preview:
            found = (await client.ask(requests.preview(identity, cast(Command, message), **facts))).preview
            return View([found], preview_lines(found))
        reply = await client.ask(requests.execute(identity, cast(Command, message), **facts))
        result = reply.session if reply.HasField("session") else reply.command
        return done(facts["request_key"], result, report.done_lines(reply))

    ask_and_print(endpoint, tls, role.value, as_json, tell)


def options_of(kind: str) -> list[FieldOption]:
    """Give the options of a kind. Raises TypeError for a field that the command line can't ask for."""
    asked = ASKED.get(kind)
    types = types_of(asked) if asked is not None else {}
    meanings = _meanings(kind)
    found: list[FieldOption] = []
    for field in KINDS[kind].DESCRIPTOR.fields:
        said = types.get(field.name)
        check_counted(said, f"{kind}.{field.name}")
        found.append(FieldOption(cast(FieldDescriptor, field), said, meanings.get(field.name, "")))
    return found


def command_of(kind: str) -> Callable[..., None]:
    """Make the command of a kind: its fields as options, those that all share behind them.

    Raises `TypeError` for a field that the command line can't ask for, or whose option is taken.
    """
    options = options_of(kind)
    identity, *shared = list(inspect.signature(do).parameters.values())[2:]
    if same := {option.field.name for option in options} & {each.name for each in shared}:
        raise TypeError(f"{kind} has fields that options of `onetier do` are called by: {', '.join(sorted(same))}")

    def run(**given: object) -> None:
        fields = [(option, cast(Given, given.pop(option.field.name))) for option in options]
        cast(Callable[..., None], do)(kind, fields, **given)

    run.__doc__ = (getattr(commands, kind).__doc__ or "").partition("\n\n")[0]
    parameters = [identity, *(option.parameter() for option in options), *shared]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run


def _meanings(kind: str) -> Mapping[str, str]:
    """Give what the client's call says of each field."""
    _, _, fields = inspect.cleandoc(getattr(commands, kind).__doc__ or "").partition("\n\n")
    found: dict[str, str] = {}
    for line in fields.replace("\n    ", " ").splitlines():
        name, _, meaning = line.removeprefix("`").partition("`: ")
        found[name] = meaning
    return found


for _kind in KINDS:
    app.command(_kind.replace("_", "-"))(command_of(_kind))

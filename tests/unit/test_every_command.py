"""What is derived from a command is there for every one: its reader, its calls, its place on the command line."""

import inspect
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import pytest
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from onetier.v1 import service_desk_pb2 as pb
from typer.testing import CliRunner

from appserver.reading.orders import order_of, reader_of
from charging.base.asked import Asked, FilledIn, types_of
from charging.base.fieldtypes import NAME, TEXT, FieldType, Identity, Whole
from charging.errors import Invalid
from charging.ledger.asking import ASKED
from charging.reasons import REASONS
from console.main import mounted
from onetier_client import AsyncClient, Client
from onetier_client.generated import commands
from testkit.commands import COMMANDS, empty, example_of, wrong

NOW_MS = 1_800_000_000_000
ROOT = Path(__file__).parents[2]
MEANT = {
    "open_account": {"ACCOUNT_EXISTS", "IDENTITY_MISMATCH", "BOOKS_MALFORMED"},
    "adjust": {"ADJUSTMENT_UNSIGNED", "INSUFFICIENT_FUNDS", "BOOK_UNKNOWN"},
    "transfer": {"TRANSFER_TO_ITSELF", "BOOK_EXPIRED", "IDENTITY_MALFORMED"},
    "session": {"SESSION_UNITS_MALFORMED", "INVOCATION_OUT_OF_ORDER"},
    "refund": {"REFUND_EXCEEDS_CHARGE"},
}
"""Reasons that are said in a file of the command's own, below it, and by what reads it."""
FIELDS = [(name, field, said) for name, asked in ASKED.items() for field, said in types_of(asked).items()]
"""Command, field, and its type."""


def request_of(command: str, message: Message) -> pb.ServiceRequest:
    request = pb.ServiceRequest(identity="msisdn:8613000000001", request_key="k", actor="staff")
    getattr(request, command).CopyFrom(message)
    return request


def read(request: pb.ServiceRequest) -> object:
    return order_of(request, Asked(request.identity, NOW_MS, request.actor, "CN"))


def write(message: Message, field: str, value: object) -> bool:
    """Write a value into a field; gives whether the wire can carry it."""
    try:
        match value:
            case list():
                getattr(message, field).extend(value)
            case dict():
                getattr(message, field).update(value)
            case _:
                setattr(message, field, value)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("command", COMMANDS)
def test_an_example_of_every_command_is_read(command: str) -> None:
    order = read(request_of(command, example_of(command)))
    assert order == read(request_of(command, example_of(command)))


@pytest.mark.parametrize(("command", "field", "said"), FIELDS, ids=[".".join(row[:2]) for row in FIELDS])
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_what_a_field_may_not_hold_is_refused_by_its_path(
    command: str, field: str, said: FieldType, data: st.DataObject
) -> None:
    values = wrong(said)
    if values is None:
        return
    message = empty(command)
    message.CopyFrom(example_of(command))
    message.ClearField(field)
    if not write(message, field, data.draw(values)):
        return
    with pytest.raises(Invalid) as raised:
        read(request_of(command, message))
    path = "identity" if isinstance(said, Identity) else f"{command}.{field}"
    assert path in raised.value.fields


@pytest.mark.parametrize(("command", "field", "said"), FIELDS, ids=[".".join(row[:2]) for row in FIELDS])
def test_why_a_field_is_refused_stands_in_the_register(command: str, field: str, said: FieldType) -> None:
    reason = getattr(said, "reason", "")
    assert not reason or "invalid" in {kind.name for kind in REASONS[reason].kinds}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_of_commands_tells_the_reasons_of_each(command: str) -> None:
    _, _, behind = (ROOT / "docs" / "commands.md").read_text("utf-8").partition(f"## {command}\n")
    told = set(re.findall(r"`([A-Z_]{5,})`", behind.partition("\n## ")[0]))
    fields = types_of(ASKED[command]).values() if command in ASKED else ()
    assert {getattr(said, "reason", "") for said in fields} - {""} <= told
    assert MEANT.get(command, set()) <= told <= set(REASONS)


def test_a_struct_and_its_message_have_the_same_fields_or_nothing_starts() -> None:
    class Shorter(Struct):
        status: Annotated[str, TEXT]

    class Longer(Struct):
        status: Annotated[str, TEXT]
        reason: Annotated[str, TEXT]
        more: Annotated[str, TEXT]

    class Other(Struct):
        status: Annotated[str, TEXT]
        reason: bool

    class Untyped(Struct):
        status: Annotated[str, TEXT]
        reason: str

    class FilledInLater(Struct):
        status: Annotated[str, TEXT]
        reason: Annotated[str, NAME]
        pay_out: Annotated[int, Whole(0, 5)]
        to_identity: Annotated[str, TEXT]
        original: Annotated[bytes, FilledIn()] = b""

    for struct, complaint in ((Shorter, "reason"), (Longer, "more"), (Other, "reason"), (Untyped, "reason")):
        with pytest.raises(TypeError, match=complaint):
            reader_of("set_account_status", struct, {})
    with pytest.raises(TypeError, match="no field of ServiceRequest"):
        reader_of("set_account_mood", FilledInLater, {})
    reader_of("set_account_status", FilledInLater, {})


@pytest.mark.parametrize("command", COMMANDS)
def test_both_clients_call_every_command_with_its_fields(command: str) -> None:
    made = inspect.signature(getattr(commands, command))
    called = inspect.signature(getattr(AsyncClient, command))
    waited = inspect.signature(getattr(Client, command))
    assert list(called.parameters)[-1] == list(waited.parameters)[-1] == "facts"
    fields = {field.name for field in empty(command).DESCRIPTOR.fields}
    assert fields <= set(made.parameters) or list(made.parameters) == ["identity", "command", "facts"]
    assert all(field in (getattr(commands, command).__doc__ or "") for field in fields), (
        "the contract says what it means"
    )


def shown(arguments: Iterable[str]) -> str:
    result = CliRunner().invoke(mounted(), list(arguments), env={"COLUMNS": "200", "TERM": "dumb"})
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_line_lists_every_command_with_what_it_does() -> None:
    listed = shown(["do", "--help"])
    for command in COMMANDS:
        first = (getattr(commands, command).__doc__ or "").split()[:3]
        assert command.replace("_", "-") in listed
        assert " ".join(first) in listed


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_line_has_an_option_for_every_field(command: str) -> None:
    helped = shown(["do", command.replace("_", "-"), "--help"])
    for field in empty(command).DESCRIPTOR.fields:
        assert f"--{field.name.replace('_', '-')}" in helped

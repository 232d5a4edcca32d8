"""What a command tells is data first: printed as people read it, or with `--json` as one object a line.

An object has the names and the base units of the contract: amounts in micro-units, beside them the currency where it is
known; times in milliseconds since 1970, UTC; quantities in seconds, bytes and events. What is no data, such as a fault
or a warning, goes to standard error either way, and exit statuses are the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, cast

import msgspec
import typer
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from rich.console import RenderableType

from console.report import console
from runtime.status import from_status

Json = Annotated[bool, typer.Option("--json", help="Print data: one JSON object a line, base units.")]


Row = Mapping[str, object]
"""Data of no message and no struct of its own."""


class View(msgspec.Struct, frozen=True):
    """What there is to tell."""

    rows: Sequence[object]
    """The data, one object each: a message of the contract, a struct, or a mapping of names."""
    text: Iterable[RenderableType]
    """The same for people: lines, and tables."""


def print_view(view: View, as_json: bool) -> None:
    """Print the data or the text to standard output."""
    if as_json:
        for row in view.rows:
            typer.echo(written(row))
        return
    for part in view.text:
        if isinstance(part, str):
            typer.echo(part)
        else:
            console().print(part)


def done(request_key: str, result: Message, text: Iterable[RenderableType]) -> View:
    """Give what a request key did: the key is told in any case, for it is what a repeat needs."""
    return View([{"request_key": request_key, **plain(result)}], [f"request key {request_key}", *text])


def written(row: object) -> str:
    """Write a row as one line of JSON. Raises TypeError for what is neither message, struct, nor plain data."""
    return msgspec.json.encode(row, enc_hook=_plain).decode()


def plain(message: Message) -> dict[str, object]:
    """Give a message by the names of its fields; those that were not given are left out only where that can be told.

    An error is given as its reason, sentence and facts. Numbers stay numbers also when they have 64 bits: no amount of
    an account is beyond what JSON's readers keep exactly.
    """
    if isinstance(message, Status):
        fault = from_status(message)
        return {"reason": fault.reason, "message": fault.message, "facts": fault.facts}
    return {
        field.name: _value(cast(FieldDescriptor, field), getattr(message, field.name))
        for field in message.DESCRIPTOR.fields
        if not field.has_presence or message.HasField(field.name)
    }


def _value(field: FieldDescriptor, value: object) -> object:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        assert isinstance(value, Mapping)
        return {str(key): _one(kind.fields_by_name["value"], each) for key, each in value.items()}
    if field.is_repeated:
        assert isinstance(value, Iterable)
        return [_one(field, each) for each in value]
    return _one(field, value)


def _one(field: FieldDescriptor, value: object) -> object:
    if isinstance(value, Message):
        return plain(value)
    if isinstance(value, bytes):
        return value.hex()
    if field.enum_type is not None:
        named = field.enum_type.values_by_number.get(cast(int, value))
        return named.name if named is not None else value
    return value


def _plain(value: object) -> object:
    if isinstance(value, Message):
        return plain(value)
    raise TypeError(f"{type(value).__name__} is no data that a command prints")

"""Commands of the front end → actions of the ledger, with the checks that need no account.

A reader is made of each command's struct when the process starts: it takes the field of equal name from the command's
message and checks it by the type that stands beside the field (`charging.base.fieldtypes`). What can't be said so is
read in `appserver.reading.own_orders`. A field that nobody reads, or a command without a reader, fails the start.
"""

from collections.abc import Callable, Mapping
from typing import cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from msgspec import Struct
from onetier.v1 import service_desk_pb2 as desk

from appserver.reading.asks import Order
from appserver.reading.own_orders import OWN_FIELDS, OWN_READERS, OwnField, Reader
from charging.base.asked import Asked, Checked, FilledIn, Inside, Own, inside_of, said_of
from charging.base.fieldtypes import Amount, Attributes, Difference, FieldType, Flag, Moment, Names, Whole
from charging.errors import Invalid
from charging.ledger.asking import ASKED

_MESSAGES = {
    field.name: field.message_type
    for field in desk.ServiceRequest.DESCRIPTOR.oneofs_by_name["command"].fields
    if field.message_type is not None
}
_NUMBERS = frozenset({FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT32})


def order_of(request: desk.ServiceRequest, asked: Asked) -> Order:
    """Read the command of a request. Raises `Invalid`, the field named with its path."""
    name = request.WhichOneof("command")
    if name is None:
        text = "one of the commands"
        raise Invalid("COMMAND_MISSING", "the request executes nothing: set a command", fields={"command": text})
    return _READERS[name](request, asked)


def reader_of(name: str, struct: type[Struct], own: Mapping[str, OwnField]) -> Reader:
    """Make the reader of a command from the struct that it becomes; `own` reads the fields marked `Own`.

    Raises TypeError when struct and message don't have the same fields.
    """
    message = cast(Descriptor | None, _MESSAGES.get(name))
    if message is None:
        raise TypeError(f"{struct.__name__} is command {name!r}, and no field of ServiceRequest.command is called so")
    taken: set[str] = set()
    make = _maker(struct, message, name, own, taken)
    if left := {field.name for field in message.fields} - taken:
        raise TypeError(f"{struct.__name__} has no field {', '.join(sorted(left))} of the message {message.name}")

    def read(request: desk.ServiceRequest, asked: Asked) -> Order:
        made = make(getattr(request, name), asked)
        return cast(Order, cast(Checked, made).checked(asked))

    return read


def _maker(
    struct: type[Struct], message: Descriptor, path: str, own: Mapping[str, OwnField], taken: set[str]
) -> OwnField:
    takes: list[OwnField] = []
    filled_in = False
    for field, said in said_of(struct).items():
        if isinstance(said, FilledIn):
            filled_in = True
            continue
        if filled_in:
            raise TypeError(f"{struct.__name__}.{field} is a caller's: it goes before what the owner fills in")
        if isinstance(said, Inside):
            takes.append(_maker(inside_of(struct, field), message, path, own, taken))
            continue
        if field not in message.fields_by_name:
            raise TypeError(f"{struct.__name__}.{field} has no field of its name in the message {message.name}")
        taken.add(field)
        if isinstance(said, Own):
            taken.update(said.also)
            if field not in own:
                raise TypeError(f"{struct.__name__}.{field} is read by hand, and nothing in `own_orders` reads it")
            takes.append(own[field])
            continue
        if not _fits(said, message.fields_by_name[field]):
            raise TypeError(f"{struct.__name__}.{field} can't be read from a field of that type in {message.name}")
        takes.append(_take(said, field, f"{path}.{field}"))
    construct = cast(Callable[..., Struct], struct)

    def make(given: Message, asked: Asked) -> Struct:
        return construct(*[take(given, asked) for take in takes])

    return make


def _take(said: FieldType, field: str, path: str) -> OwnField:
    read = said.read

    def take(given: Message, _asked: Asked) -> object:
        return read(getattr(given, field), path)

    return take


def _fits(said: FieldType, field: FieldDescriptor) -> bool:
    repeated = field.is_repeated
    if isinstance(said, Attributes):
        return field.message_type is not None and field.message_type.GetOptions().map_entry
    if isinstance(said, Names):
        return repeated and field.cpp_type == FieldDescriptor.CPPTYPE_STRING
    if isinstance(said, Flag):
        return not repeated and field.cpp_type == FieldDescriptor.CPPTYPE_BOOL
    if isinstance(said, Whole | Amount | Difference | Moment):
        return not repeated and field.cpp_type in _NUMBERS
    return not repeated and field.cpp_type == FieldDescriptor.CPPTYPE_STRING


def _readers() -> Mapping[str, Reader]:
    made = {
        name: reader_of(name, struct, OWN_FIELDS.get(name, {}))
        for name, struct in ASKED.items()
        if name not in OWN_READERS
    }
    found = {**made, **OWN_READERS}
    if missing := set(_MESSAGES) - set(found):
        raise TypeError(f"no kind of charging.ledger.kinds reads the command {', '.join(sorted(missing))}")
    return found


_READERS = _readers()

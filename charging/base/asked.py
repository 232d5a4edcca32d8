"""What a struct says of its fields, for whoever makes something of it: the reader of requests, the client, the command
line with its help, and the tests that write what is refused.

Each field has one type of `charging.base.fieldtypes`, or a mark of this module. A check that joins fields is the method
`checked` of the struct.
"""

from typing import Protocol, Self, get_args, get_type_hints

from msgspec import Struct

from charging.base.fieldtypes import FieldType, Flag


class Asked(Struct, frozen=True, gc=False):
    """What a request says beside its command, for checks that join both."""

    identity: str
    """Normalised."""
    time_ms: int
    """Event time; the platform's clock when the caller gave none."""
    actor: str
    country: str
    """Whose national spellings of numbers are read (`charging.base.identity`)."""


class Checked(Protocol):
    """A struct that checks its fields together, once each has been read."""

    def checked(self, asked: Asked) -> Self:
        """Give it as it is meant, spellings normalised. Raises `Invalid`, fields named with their paths."""


class Inside(Struct, frozen=True):
    """Marks a field that is a struct, whose own fields stand in the message itself."""


class Own(Struct, frozen=True):
    """Marks a field whose reader is written by hand, since it joins more than one field can say."""

    also: tuple[str, ...] = ()
    """Other fields of the message that its reader takes, which have none of their own."""


class FilledIn(Struct, frozen=True):
    """Marks a field that is no caller's: it has a default, and the owner fills it in."""


Mark = Inside | Own | FilledIn


def types_of(struct: type[Struct]) -> dict[str, FieldType]:
    """Give the types of the fields that a caller writes, by name, in the order of the struct.

    Those of a struct marked `Inside` stand among them, those marked `Own` or `FilledIn` don't. Raises TypeError for a
    field that says none: what may stand in it would be anybody's guess.
    """
    found: dict[str, FieldType] = {}
    for name, said in said_of(struct).items():
        if isinstance(said, FieldType):
            found[name] = said
        elif isinstance(said, Inside):
            found |= types_of(inside_of(struct, name))
    return found


def said_of(struct: type[Struct]) -> dict[str, FieldType | Mark]:
    """Give the type or the mark of each field. Raises TypeError for a field with none, or with several."""
    hints = get_type_hints(struct, include_extras=True)
    found: dict[str, FieldType | Mark] = {}
    for name in struct.__struct_fields__:
        hint = hints[name]
        own = [each for each in get_args(hint)[1:] if isinstance(each, FieldType | Mark)]
        if hint is bool:
            own = [Flag()]
        if len(own) != 1:
            raise TypeError(f"{struct.__name__}.{name} must say by one type of this module what may be written there")
        found[name] = own[0]
    return found


def inside_of(struct: type[Struct], name: str) -> type[Struct]:
    """Give the struct that a field marked `Inside` holds."""
    found: type[Struct] = get_args(get_type_hints(struct, include_extras=True)[name])[0]
    return found

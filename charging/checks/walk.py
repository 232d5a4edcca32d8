"""Walking a catalogue: every struct with its path, as a file's reader would name it.

A catalogue has tens of thousands of structs and is walked by every check, so what a class of them can hold is worked
out once a class, never once a node.
"""

from collections.abc import Iterator
from functools import cache
from typing import get_args

import msgspec
from msgspec import Struct

Path = tuple[str | int, ...]


class Finding(Struct, frozen=True, order=True):
    """One fault: where, and one sentence that says what is wrong and what to do."""

    path: Path
    message: str


def structs(node: object, path: Path = ()) -> Iterator[tuple[Path, Struct]]:
    """Give every struct below `node`, itself included, parents first."""
    if isinstance(node, Struct):
        yield path, node
        for name, written in branches(type(node)):
            below = getattr(node, name)
            if below:
                yield from structs(below, (*path, written))
    elif isinstance(node, tuple):
        for index, item in enumerate(node):
            yield from structs(item, (*path, index))


@cache
def written_names(kind: type[Struct]) -> dict[str, str]:
    """Give the fields of a class, each with the name that a file calls it by."""
    return dict(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))


@cache
def branches(kind: type[Struct]) -> tuple[tuple[str, str], ...]:
    """Give those fields of a class in which structs can stand, with the names that a file calls them by."""
    return tuple((field.name, field.encode_name) for field in msgspec.structs.fields(kind) if _holds_struct(field.type))


def _holds_struct(annotation: object) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, Struct):
        return True
    return any(_holds_struct(part) for part in get_args(annotation))


def shown(path: Path) -> str:
    """Spell a path: `tariffs[2].prices[0].connect`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def ids(entries: object) -> set[str]:
    """Give the ids of a section."""
    assert isinstance(entries, tuple)
    return {entry.id for entry in entries}

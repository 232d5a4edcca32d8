"""Walking a catalogue: every struct with its path, as a file's reader would name it."""

from collections.abc import Iterator

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
        for field in msgspec.structs.fields(node):
            yield from structs(getattr(node, field.name), (*path, field.encode_name))
    elif isinstance(node, tuple):
        for index, item in enumerate(node):
            yield from structs(item, (*path, index))


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

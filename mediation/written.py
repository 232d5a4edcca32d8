"""A file of a plant, format or sources → what it says, checked, or its faults with their lines."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from authoring.parsing import UnreadableFile, read_yaml
from authoring.sentences import unknown_field

Finding = tuple[str, str]
"""Where in a file, dotted, and what is wrong there."""


class Written(Struct, frozen=True):
    """What a file says; it tells what is wrong with itself."""

    def faults(self) -> Iterator[Finding]:
        """Give all that is wrong, each with its place."""
        return iter(())


WrittenT = TypeVar("WrittenT", bound=Written)
DEPTH_MAX = 8
NODES_MAX = 5_000
"""Such a file is a page; aliases could make a library of it."""
_AT = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<where>.*)`)?", re.DOTALL)
_STEP = re.compile(r"[^.\[\]]+")


class FileFault(Struct, frozen=True, order=True):
    """One fault of a file, ready to print."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class FaultyFile(Exception):
    """A file can't be used."""

    def __init__(self, faults: list[FileFault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class _Tree:
    """The plain values of a file, and the line of each."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.lines: dict[tuple[str, ...], int] = {(): 1}
        self.faults: list[FileFault] = []
        self._nodes = 0

    def plain(self, node: Node, path: tuple[str, ...] = ()) -> object:
        """Give a node as text, lists and mappings."""
        self.lines[path] = node.start_mark.line + 1
        self._nodes += 1
        if self._nodes > NODES_MAX or len(path) > DEPTH_MAX:
            raise FaultyFile([self._fault(path[:1], "is larger or deeper than such a file can be")])
        if isinstance(node, SequenceNode):
            return [self.plain(each, (*path, str(index))) for index, each in enumerate(node.value)]
        if isinstance(node, MappingNode):
            tree: dict[str, object] = {}
            for key, value in node.value:
                name = str(key.value)
                if name in tree:
                    self.faults.append(self._fault((*path, name), "is written twice: keep one"))
                tree[name] = self.plain(value, (*path, name))
                self.lines[(*path, name)] = key.start_mark.line + 1
            return tree
        assert isinstance(node, ScalarNode)
        return node.value

    def note(self, where: str, what: str) -> None:
        """Note a fault at the nearest place that stands in the file."""
        self.faults.append(self._fault(tuple(_STEP.findall(where)), what))

    def _fault(self, path: tuple[str, ...], what: str) -> FileFault:
        at = path
        while at not in self.lines:
            at = at[:-1]
        return FileFault(str(self.file), self.lines[at], f"{'.'.join(path)}: {what}" if path else what)


def read_written(
    file: Path, kind: type[WrittenT], beside: Callable[[WrittenT], Iterator[Finding]] | None = None
) -> WrittenT:
    """Read a file; `beside` gives what is wrong with it by what stands elsewhere.

    Raises `FaultyFile` with all that is wrong; of values of a wrong type, the first.
    """
    try:
        _, node = read_yaml(file)
    except UnreadableFile as error:
        raise FaultyFile([FileFault(str(file), error.line, error.message)]) from error
    tree = _Tree(file)
    if not isinstance(node, MappingNode):
        names = ", ".join(f"`{field.encode_name}:`" for field in msgspec.structs.fields(kind)[:3])
        raise FaultyFile([FileFault(str(file), 1, f"says nothing: write {names}, …")])
    given = tree.plain(node)
    found: WrittenT | None = None
    try:
        found = msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        match = _AT.fullmatch(str(error))
        assert match is not None
        where, what = match["where"] or "", match["what"]
        unknown = unknown_field(what)
        tree.note(f"{where}.{unknown}", "is no field here") if unknown else tree.note(where, what.replace("`", "'"))
    if found is not None:
        for where, what in (*found.faults(), *(beside(found) if beside is not None else ())):
            tree.note(where, what)
    if tree.faults or found is None:
        raise FaultyFile(sorted(tree.faults))
    return found

"""Catalogue files: a folder of YAML → checked documents, with the file and line of every fault.

Files that share a `domain` (none = national) are joined into one document; lists of the same section are appended in
the order of file names.
"""

from pathlib import Path

import msgspec
from msgspec import Struct
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from authoring.parsing import UnreadableFile, read_yaml
from authoring.partial import ReadablePart
from authoring.refusals import read_through
from authoring.sentences import sentence, unknown_field
from charging.catalogue.document import Catalogue, from_plain
from charging.checks.check import check, check_partly
from charging.checks.walk import Path as TreePath
from charging.checks.walk import shown
from charging.checks.warnings import warn
from charging.checks.whole import Nation

Place = tuple[Path, int]
Tree = dict[str, object]
SECTION_TYPES = {
    field.encode_name: field.type for field in msgspec.structs.fields(Catalogue) if str(field.type).startswith("tuple")
}
DEPTH_MAX = 40
FAULTS_MAX = 1_000
"""Of one document."""
ALIASED_NODES_MAX = 100_000
"""What aliases may add to the nodes that a file writes out."""


class CatalogueFault(Struct, frozen=True, order=True):
    """One fault of a file, ready to print."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class Document(Struct):
    """One catalogue as read: the plain tree, and where each of its nodes stands."""

    domain: str
    tree: Tree = msgspec.field(default_factory=dict)
    places: dict[TreePath, Place] = msgspec.field(default_factory=dict)
    faults: list[CatalogueFault] = msgspec.field(default_factory=list)
    warnings: list[CatalogueFault] = msgspec.field(default_factory=list)
    """What may be published, but is hardly meant."""
    catalogue: Catalogue | None = None
    part: ReadablePart = msgspec.field(default_factory=ReadablePart)
    """What is to be looked at of one that could not be read whole."""
    broken: bool = False
    """It could not be read far enough for anything more to be said."""
    nodes_left: int = 0
    """How many nodes its files may still stand for: by aliases a few bytes could stand for gigabytes."""

    def fault(self, path: TreePath, message: str) -> None:
        """Note a fault at the nearest node that stands in a file; of very many the first."""
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(self.placed(path, message))

    def placed(self, path: TreePath, message: str) -> CatalogueFault:
        """Give the file and line of what is to be said of a path."""
        for length in range(len(path), -1, -1):
            place = self.places.get(path[:length])
            if place is not None:
                break
        else:
            place = (Path(self.domain or "national"), 1)
        prefix = f"{shown(path)}: " if path else ""
        return CatalogueFault(str(place[0]), place[1], prefix + message)


class Folder(Struct):
    """All catalogues of a folder: the national one and those of regions."""

    documents: list[Document]

    @property
    def faults(self) -> list[CatalogueFault]:
        """Every fault, by file and line."""
        return sorted(fault for document in self.documents for fault in document.faults)

    @property
    def warnings(self) -> list[CatalogueFault]:
        """Every warning, by file and line."""
        return sorted(warning for document in self.documents for warning in document.warnings)

    @property
    def catalogues(self) -> list[Catalogue]:
        """The documents that could be read, national first."""
        return [document.catalogue for document in self.documents if document.catalogue is not None]


def read_folder(folder: Path) -> Folder:
    """Read and check all catalogue files below a folder, or one file; the national catalogue comes first.

    Nothing is raised for a faulty file: see `Folder.faults`; a folder without files has that one fault.
    """
    files = sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")]) if folder.is_dir() else [folder]
    documents: dict[str, Document] = {}
    for file in files:
        _read_file(file, documents)
    if not files or not documents:
        lost = Document("")
        lost.faults.append(CatalogueFault(str(folder), 1, "no catalogue file (*.yaml) is here"))
        return Folder([lost])
    ordered = [documents[domain] for domain in sorted(documents)]
    for document in ordered:
        _convert(document)
    national = documents.get("")
    nation = Nation(national.catalogue) if national is not None and national.catalogue is not None else None
    for document in ordered:
        whole = nation is not None or national is None or not document.domain
        if document.catalogue is not None and whole:
            _check(document, nation if document.domain else None)
        else:
            _check_part(document, national if document.domain else None)
    return Folder(ordered)


def _check(document: Document, nation: Nation | None) -> None:
    """Note what is wrong with a document that could be read whole, beside a nation that could."""
    assert document.catalogue is not None
    for finding in check(document.catalogue, nation):
        document.fault(finding.path, finding.message)
    if not document.faults:
        for finding in warn(document.catalogue, nation.catalogue if nation is not None else None):
            document.warnings.append(document.placed(finding.path, finding.message))


def _check_part(document: Document, national: Document | None) -> None:
    """Note what is wrong with what could be read of a document, or of its nation, and can't be for that reason."""
    part = document.part
    readable = document.catalogue if document.catalogue is not None else part.catalogue
    beside = None
    if national is not None:
        beside = national.catalogue if national.catalogue is not None else national.part.catalogue
    if readable is None or (national is not None and beside is None):
        return
    lost = part.lost | (national.part.lost if national is not None else set())
    for finding in check_partly(readable, beside):
        path = part.written(finding.path) if document.catalogue is None else finding.path
        if path is not None and not any(repr(name) in finding.message for name in lost):
            document.fault(path, finding.message)


def _read_file(file: Path, documents: dict[str, Document]) -> None:
    try:
        size, node = read_yaml(file)
    except UnreadableFile as fault:
        broken = documents.setdefault(f"!{file}", Document(f"!{file}"))
        broken.broken = True
        broken.faults.append(CatalogueFault(str(file), fault.line, fault.message))
        return
    pairs = node.value if isinstance(node, MappingNode) else ()
    domain = next((value.value for key, value in pairs if key.value == "domain" and isinstance(value, ScalarNode)), "")
    document = documents.setdefault(domain, Document(domain))
    document.places.setdefault((), (file, 1))
    document.nodes_left += size // 2 + ALIASED_NODES_MAX
    if not isinstance(node, MappingNode):
        document.broken = True
        document.fault((), f"{file.name} holds no sections: write `tariffs:`, `offerings:`, …")
        return
    written: set[str] = set()
    for key, value in node.value:
        name = str(key.value)
        if name in written:
            document.faults.append(
                CatalogueFault(str(file), key.start_mark.line + 1, f"{name}: is written twice: keep one")
            )
        else:
            written.add(name)
            _join(document, file, key, value)


def _join(document: Document, file: Path, key: Node, value: Node) -> None:
    name = str(key.value)
    place = (file, key.start_mark.line + 1)
    present = document.tree.get(name)
    if isinstance(value, SequenceNode) and (present is None or isinstance(present, list)):
        document.places.setdefault((name,), place)
        items = present if isinstance(present, list) else []
        for node in value.value:
            items.append(_plain(document, file, node, (name, len(items))))
        document.tree[name] = items
    elif present is not None:
        document.faults.append(
            CatalogueFault(str(file), place[1], f"{name!r} is given twice for this catalogue: keep one")
        )
    else:
        document.places[(name,)] = place
        document.tree[name] = _plain(document, file, value, (name,))


def _plain(document: Document, file: Path, node: Node, path: TreePath) -> object:
    document.places.setdefault(path, (file, node.start_mark.line + 1))
    document.nodes_left -= 1
    if document.nodes_left <= 0:
        document.broken = True
        if document.nodes_left == 0:
            document.fault(path[:2], "its aliases stand for more than a catalogue can hold: write it without them")
        return ""
    if len(path) > DEPTH_MAX:
        document.broken = True
        document.fault(path[:2], f"is nested more than {DEPTH_MAX} deep: an alias that contains itself?")
        return ""
    if isinstance(node, SequenceNode):
        return [_plain(document, file, item, (*path, index)) for index, item in enumerate(node.value)]
    if isinstance(node, MappingNode):
        tree: Tree = {}
        for key, value in node.value:
            name = str(key.value)
            if name in tree:
                document.fault((*path, name), "is written twice: keep one")
            tree[name] = _plain(document, file, value, (*path, name))
        return tree
    assert isinstance(node, ScalarNode)
    return node.value


def _convert(document: Document) -> None:
    """Make the catalogue, or note all that can't be read, fault by fault, and keep what can: none hides another."""
    if document.broken:
        return
    part = document.part
    for section, kind in SECTION_TYPES.items():
        items = document.tree.get(section)
        for index, item in enumerate(items if isinstance(items, list) else ()):
            refusals, left = read_through([item], kind)
            for path, what in refusals:
                _tell(document, (section, index, *path[1:]), what)
            part.take(section, index, item, left[0] if isinstance(left, list) else None, mended=bool(refusals))
    rest = {
        name: part for name, part in document.tree.items() if name not in SECTION_TYPES or not isinstance(part, list)
    }
    refusals, left = read_through(rest, Catalogue)
    for path, what in refusals:
        _tell(document, path, what)
    if not document.faults:
        document.catalogue = from_plain(document.tree)
    elif isinstance(left, dict):
        part.catalogue = part.made_of(left)


def _tell(document: Document, path: TreePath, what: str) -> None:
    unknown = unknown_field(what)
    document.fault((*path, unknown) if unknown else path, sentence(what, path, document.tree))

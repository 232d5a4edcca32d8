"""Catalogue files made from published catalogues, so that the next version begins with what is in force.

What is written is read back and compared: a file that says something else than what was published is no use.
"""

import re
from pathlib import Path

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import SafeRepresenter
from ruamel.yaml.resolver import BaseResolver

from authoring.files import read_folder
from charging.catalogue.document import Catalogue
from charging.errors import Broken, Conflict

WIDTH = 118
REGIONS = "regions"
HEAD = "# As published, version {}. Comments are not published; raise the version before you publish a change.\n"
_TEXT_TAG = "tag:yaml.org,2002:str"
_PLAIN = re.compile(r"\w+([ .-]\w+)*")


class _TextResolver(BaseResolver):
    """Takes every scalar for text, as the reader does: so that 0.25 and 22:00 are written without quotes."""

    def __init__(self, version: object = None, loader: object = None) -> None:
        super().__init__(loader)


class _TextRepresenter(SafeRepresenter):
    """Quotes what has other signs than letters and digits: the library forgets some that begin something in YAML."""

    def represent_text(self, text: str) -> ScalarNode:
        """Write one scalar."""
        return self.represent_scalar(_TEXT_TAG, text, style=None if _PLAIN.fullmatch(text) else '"')


_TextRepresenter.add_representer(str, _TextRepresenter.represent_text)


def write_folder(folder: Path, catalogues: list[Catalogue]) -> list[Path]:
    """Write each catalogue to a file of its own below an empty folder, and give the files.

    Raises `Conflict` FOLDER_NOT_EMPTY, and `Broken` CATALOGUE_ALTERED should the files say anything else.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict("FOLDER_NOT_EMPTY", f"{folder} holds something already: give an empty folder, or a new one")
    written = []
    for catalogue in catalogues:
        path = folder / REGIONS / f"{catalogue.domain}.yaml" if catalogue.domain else folder / "national.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            file.write(HEAD.format(catalogue.version))
            _yaml().dump(_texts(msgspec.to_builtins(catalogue)), file)
        written.append(path)
    read = {document.domain: document.catalogue for document in read_folder(folder).documents}
    for catalogue in catalogues:
        if read.get(catalogue.domain) != catalogue:
            name = catalogue.domain or "national"
            raise Broken("CATALOGUE_ALTERED", f"the files of {name} in {folder} differ from what is published")
    return written


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.Resolver = _TextResolver
    yaml.Representer = _TextRepresenter
    yaml.default_flow_style = None
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _texts(node: object) -> object:
    """Write every scalar as the text that the reader expects."""
    if isinstance(node, dict):
        return {str(key): _texts(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_texts(value) for value in node]
    return str(node).lower() if isinstance(node, bool) else str(node)

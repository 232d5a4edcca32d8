"""What of a tree can't be read as the model has it: all of it, and what is left that can."""

import re
from copy import deepcopy

import msgspec

from authoring.sentences import unknown_field
from charging.checks.walk import Path as TreePath

FAULTS_OF_ENTRY_MAX = 20
_AT = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<where>.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
Refusal = tuple[TreePath, str]
"""Where, and what the reader says of it."""


def read_through(tree: object, kind: object) -> tuple[list[Refusal], object]:
    """Convert again and again, each time without the field that was refused last.

    Gives all refusals, and the tree without what was refused; None when that can't be read either.
    """
    left = deepcopy(tree)
    found: list[Refusal] = []
    dropped: set[TreePath] = set()
    for _ in range(FAULTS_OF_ENTRY_MAX):
        try:
            msgspec.convert(left, kind, strict=False)
            return found, left
        except msgspec.ValidationError as error:
            path, what = _explained(error)
        missing = what.removeprefix("Object missing required field `").removesuffix("`")
        if (*path, missing) in dropped:
            break
        found.append((path, what))
        unknown = unknown_field(what)
        refused = (*path, unknown) if unknown else path
        if not _drop(left, refused):
            break
        dropped.add(refused)
    return found, None


def _drop(tree: object, path: TreePath) -> bool:
    """Take a field out of its mapping; say whether that could be done. Items of lists stay: others count on them."""
    for part in path[:-1]:
        if isinstance(tree, dict):
            tree = tree.get(part)
        elif isinstance(tree, list) and isinstance(part, int) and part < len(tree):
            tree = tree[part]
        else:
            return False
    return isinstance(tree, dict) and bool(path) and tree.pop(path[-1], None) is not None


def _explained(error: msgspec.ValidationError) -> tuple[TreePath, str]:
    match = _AT.match(str(error))
    assert match is not None
    path: list[str | int] = []
    for name, index in _STEP.findall(match["where"] or ""):
        path.append(name or (int(index) if index.isdigit() else index))
    return tuple(path), match["what"]

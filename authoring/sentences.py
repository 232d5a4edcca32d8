"""What a product manager is told when a catalogue file can't be read: the value, and what may stand there."""

import re
from collections.abc import Mapping, Sequence

from charging.catalogue.document import written_schema
from charging.checks.walk import Path as TreePath

Node = Mapping[str, object]
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")
_MISSING = re.compile(r"Object missing required field `(.*)`")
_SCHEMA = written_schema()
SHOWN_CHARS_MAX = 60


def unknown_field(what: str) -> str:
    """Give the field that the model does not have; "" when the fault is another one."""
    match = _UNKNOWN.fullmatch(what)
    return match[1] if match else ""


def sentence(what: str, path: TreePath, tree: object) -> str:
    """Say in one sentence what is wrong at a path of a file's tree. `what` is the parser's own word."""
    there = _schema_at(path)
    fields = ", ".join(_mapping(there.get("properties")))
    if name := unknown_field(what):
        return f"unknown field {name!r}: write one of {fields}" if fields else f"unknown field {name!r}"
    if match := _MISSING.fullmatch(what):
        return f"{match[1]!r} is missing: write {_wanted(_property(there, match[1]))}"
    value = _value_at(path, tree)
    shown = f"{value[:SHOWN_CHARS_MAX]!r} can't stand here" if isinstance(value, str) else "this can't stand here"
    return f"{shown}: write {_wanted(there)}"


def _wanted(node: Node) -> str:
    """Put what a schema allows into words."""
    choices = node.get("enum")
    if isinstance(choices, Sequence):
        return f"one of {', '.join(str(choice) for choice in choices if choice != '')}"
    low, high = node.get("minimum"), node.get("maximum")
    if node.get("type") == "integer":
        return (
            "a whole number" + (f" from {low}" if low is not None else "") + (f" to {high}" if high is not None else "")
        )
    if node.get("type") == "boolean":
        return "true or false"
    if node.get("type") == "array":
        return "a list"
    if node.get("type") == "object":
        return (
            f"fields of {', '.join(_mapping(node.get('properties')))}" if "properties" in node else "names and values"
        )
    words = str(node.get("description", "text"))
    return words[0].lower() + words[1:]


def _schema_at(path: TreePath) -> Node:
    node = _resolved(_SCHEMA)
    for part in path:
        node = _resolved(_mapping(node.get("items")) if isinstance(part, int) else _property(node, part))
    return node


def _property(node: Node, name: str) -> Node:
    """Give the schema of a field, or of any value of a table of names."""
    return _resolved(_mapping(_mapping(node.get("properties")).get(name) or node.get("additionalProperties")))


def _resolved(node: Node) -> Node:
    """Follow references; of an optional part give the part."""
    while True:
        if isinstance(reference := node.get("$ref"), str):
            node = _mapping(_mapping(_SCHEMA["$defs"])[reference.rpartition("/")[2]])
        elif isinstance(parts := node.get("anyOf"), list):
            node = next(_mapping(part) for part in parts if _mapping(part).get("type") != "null")
        else:
            return node


def _mapping(value: object) -> Node:
    return value if isinstance(value, Mapping) else {}


def _value_at(path: TreePath, tree: object) -> object:
    for part in path:
        if isinstance(tree, dict):
            tree = tree.get(part)
        elif isinstance(tree, list) and isinstance(part, int) and part < len(tree):
            tree = tree[part]
        else:
            return None
    return tree

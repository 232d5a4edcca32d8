"""What each key of a catalogue means: the text beside the field in the source, for editors, the manual and faults.

Keys that many entries have mean the same in all of them, which is said here once.
"""

import ast
import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from textwrap import dedent
from typing import get_args

import msgspec
from msgspec import Struct

COMMON: Mapping[str, str] = {
    "id": "What others call it by; unique among entries of its kind.",
    "name": "For people, in offers and on bills; empty = they read the id.",
    "effective_from": "It holds from this moment on; empty = since ever.",
    "effective_to": "It holds until this moment, exclusive; empty = for ever.",
}


NAMED = frozenset(
    {
        "accumulators",
        "allowances",
        "bands",
        "bonuses",
        "characteristics",
        "discounts",
        "gifts",
        "fees",
        "offerings",
        "services",
        "splits",
        "tariffs",
        "taxes",
    }
)
"""Sections that lists of ids name."""


@cache
def meanings(kind: type[Struct]) -> Mapping[str, str]:
    """Give the meaning of each key of an entry, by the name that files have for it; "" where nothing is said."""
    said = dict(_said(kind))
    return {
        field.encode_name: said.get(field.name) or COMMON.get(field.name) or _of_type(field.name, field.type)
        for field in msgspec.structs.fields(kind)
    }


def entry_of(annotation: object) -> type[Struct] | None:
    """Give the kind of entry that a field holds, one or a list of them; None for any other field."""
    if isinstance(annotation, type) and issubclass(annotation, Struct):
        return annotation
    return next((found for found in map(entry_of, get_args(annotation)) if found is not None), None)


def kinds_of(kind: type[Struct]) -> list[type[Struct]]:
    """Give a kind of entry and all that can stand in it, each once, in the order in which files meet them."""
    found = [kind]
    for one in found:
        below = [entry_of(field.type) for field in msgspec.structs.fields(one)]
        found += [each for each in dict.fromkeys(below) if each is not None and each not in found]
    return found


def _of_type(name: str, annotation: object) -> str:
    """Tell a field that says nothing by the entries that it holds, or names."""
    entry = entry_of(annotation)
    if entry is not None:
        first = " ".join(inspect.cleandoc(entry.__doc__ or "").split()).partition(". ")[0]
        return f"{first.rstrip('.')}."
    return f"Ids of {name.replace('_', ' ')}." if name in NAMED else ""


def _said(kind: type[Struct]) -> Iterator[tuple[str, str]]:
    """Give the fields of a struct that have a text behind them in the source, on one line each."""
    [tree] = ast.parse(dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    for field, text in zip(tree.body, tree.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        ):
            yield field.target.id, " ".join(text.value.value.split())

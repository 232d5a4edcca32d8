"""The page of all keys of a catalogue file: what each means and how it is written, made from the model."""

from collections.abc import Iterator
from typing import Annotated, Literal, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from charging.catalogue.document import Catalogue
from charging.catalogue.meanings import entry_of, kinds_of, meanings

HEAD = """# Keys of a catalogue

Made from the model (`onetier catalog keys`); [Catalogues](catalogue.md) shows how they are used. A key without default
must be written. Lists of an entry's ids name entries of that section. Editors have the same by `catalogue.schema.json`.
"""


def page() -> str:
    """Give the page, Markdown."""
    return "\n".join([HEAD, *(line for kind in kinds_of(Catalogue) for line in _section(kind))])


def _section(kind: type[Struct]) -> Iterator[str]:
    yield f"## {kind.__name__}\n"
    yield " ".join((kind.__doc__ or "").split()) + "\n"
    yield "| key | default | written as | meaning |"
    yield "|---|---|---|---|"
    said = meanings(kind)
    for field in msgspec.structs.fields(kind):
        cells = f"`{field.encode_name}`", _default(field), _written(field.type), said[field.encode_name]
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "must be given"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"`{value}`" if isinstance(value, str | int) and value != "" else ""


def _written(annotation: object) -> str:
    """Say how a value is written, in a word or the sentence of its type."""
    entry = entry_of(annotation)
    if entry is not None:
        many = "list of " if get_origin(annotation) is tuple else ""
        return f"{many}[{entry.__name__}](#{entry.__name__.lower()})"
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{word}`" if word else "nothing" for word in get_args(annotation))
    if get_origin(annotation) is Annotated:
        inner, *rest = get_args(annotation)
        told = next((each for each in rest if isinstance(each, Meta)), None)
        if told is not None and told.description:
            return told.description
        bounds = f" {told.ge} to {told.le}" if told is not None and told.ge is not None and told.le is not None else ""
        return _written(inner) + bounds
    if get_origin(annotation) is tuple:
        return f"list: {_written(get_args(annotation)[0])}"
    if get_origin(annotation) is dict:
        return f"names, each with {_written(get_args(annotation)[1])}"
    parts = [part for part in get_args(annotation) if part is not type(None)]
    if parts:
        return " or ".join(_written(part) for part in parts)
    if annotation is bool:
        return "`true` or `false`"
    return "a whole number" if annotation is int else "text"

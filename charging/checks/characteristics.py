"""Characteristics: each changes something that rules can read, to values that differ."""

from collections.abc import Iterator

from charging.catalogue.characteristics import Characteristic
from charging.catalogue.document import Catalogue
from charging.checks.references import nearest
from charging.checks.walk import Finding, Path, ids, structs


def check_characteristics(catalogue: Catalogue, national: Catalogue | None) -> Iterator[Finding]:
    """Find characteristics whose group or agreement is not there, and fields that say nothing of their kind."""
    documents = (*((national,) if national else ()), catalogue)
    parties = {name for one in documents for name in ids(one.parties)}
    agreements = {name for one in documents for name in ids(one.agreements)}
    for one in documents:
        rules = (*one.discounts, *one.overrides.discounts)
        agreements |= {rule.id for rule in rules if rule.stage == "subscriber"}
    for path, node in structs(catalogue):
        if isinstance(node, Characteristic):
            yield from _one(path, node)
            if node.kind == "group" and node.id not in parties:
                wanted = nearest(node.id, parties)
                yield Finding(
                    (*path, "id"), f"no group of called parties is {node.id!r}, so it changes nothing{wanted}"
                )
            if node.kind == "agreement" and node.id not in agreements:
                wanted = nearest(node.id, agreements)
                yield Finding(
                    (*path, "id"), f"there is no agreement {node.id!r}, nor such a rule of subscribers{wanted}"
                )


def _one(path: Path, node: Characteristic) -> Iterator[Finding]:
    if node.values and node.kind != "attribute":
        yield Finding((*path, "values"), f"only an attribute has values, and {node.id!r} is a kind of {node.kind}")
    if node.most and node.kind != "group":
        yield Finding((*path, "most"), f"only a group has so many numbers, and {node.id!r} is a kind of {node.kind}")
    for name in ("values", "channels"):
        given: tuple[str, ...] = getattr(node, name)
        if len(set(given)) < len(given):
            yield Finding((*path, name), f"one of the {name} stands there twice: write it once")

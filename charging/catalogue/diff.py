"""What changed between two versions of a catalogue, entry by entry and field by field."""

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from charging.catalogue.document import Catalogue


class Change(Struct, frozen=True):
    """One difference. `before` or `after` is None when the entry is new or gone."""

    where: str
    """`tariffs voice-standard prices domestic rates[0].price`"""
    before: str | None
    after: str | None


def diff(old: Catalogue, new: Catalogue) -> list[Change]:
    """Give the differences in the order of the file's sections; entries are matched by id, not by position."""
    return list(_compare("", _plain(old), _plain(new)))


def _plain(catalogue: Catalogue) -> object:
    return msgspec.json.decode(msgspec.json.encode(catalogue))


def _compare(where: str, old: object, new: object) -> Iterator[Change]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            yield from _sides(f"{where} {key}".strip(), old.get(key), new.get(key))
    elif (before := _by_id(old)) is not None and (after := _by_id(new)) is not None:
        # Old ones first, then new ones: an entry that moved or came in between changes nothing of the others.
        for name in dict.fromkeys([*before, *after]):
            yield from _sides(f"{where} {name}".strip(), before.get(name), after.get(name))
        # Order decides: of a tariff's prices the first that holds is used.
        stayed, stays = [name for name in before if name in after], [name for name in after if name in before]
        if stayed != stays:
            yield Change(f"{where} order", ", ".join(stayed), ", ".join(stays))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, two) in enumerate(zip(old, new, strict=True)):
            yield from _compare(f"{where}[{index}]", one, two)
    else:
        yield Change(where, _text(old), _text(new))


def _sides(where: str, old: object, new: object) -> Iterator[Change]:
    if old is None or new is None:
        yield Change(where, _text(old), _text(new))
    else:
        yield from _compare(where, old, new)


def _by_id(value: object) -> dict[str, object] | None:
    """Give a list's entries by id, overridden prices by tariff and price; None when they have none."""
    found: dict[str, object] = {}
    for item in value if isinstance(value, list) else ():
        if not isinstance(item, dict):
            return None
        inner = item.get("price")
        name = item.get("id") or (f"{item.get('tariff')}/{inner.get('id')}" if isinstance(inner, dict) else "")
        if not name:
            return None
        found[name] = item
    return found if isinstance(value, list) else None


def _text(value: object) -> str | None:
    return None if value is None else value if isinstance(value, str) else msgspec.json.encode(value).decode()

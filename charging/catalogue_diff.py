"""What changed between two versions of a catalogue, entry by entry and field by field."""

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from charging.catalogue import Catalogue


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
    elif _has_ids(old) and _has_ids(new):
        before, after = _by_id(old), _by_id(new)
        for name in dict.fromkeys([*before, *after]):
            yield from _sides(f"{where} {name}".strip(), before.get(name), after.get(name))
        if list(before) != list(after) and set(before) == set(after):
            yield Change(f"{where} order", ", ".join(before), ", ".join(after))
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


def _has_ids(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) and "id" in item for item in value)


def _by_id(value: object) -> dict[str, object]:
    assert isinstance(value, list)
    return {item["id"]: item for item in value}


def _text(value: object) -> str | None:
    return None if value is None else value if isinstance(value, str) else msgspec.json.encode(value).decode()

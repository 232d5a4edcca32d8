"""Tables of elements from lines of text, as a standard lists them: `22 seizureTime time`, one element a line."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from mediation.decoders import ber
from mediation.decoders.ber import BerField, BerTable, tag_of

KINDS: Final[Mapping[str, int]] = {
    "int": ber.WHOLE,
    "text": ber.TEXT,
    "octets": ber.OCTETS,
    "tbcd": ber.TBCD,
    "bcd": ber.BCD,
    "address": ber.ADDRESS,
    "time": ber.TIME,
    "bool": ber.FLAG,
    "null": ber.PRESENT,
    "plmn": ber.NETWORK,
    "ip": ber.ADDRESS_IP,
    "first": ber.FIRST,
}
LIST: Final = "list:"
GROUP: Final = "group:"
Tables = Mapping[str, str]
"""Lines by the name of the type. A field's kind is one of `KINDS`, or `group:` or `list:` and such a name."""


def table(types: Tables, name: str, tag_class: int = 2, prefix: str = "") -> BerTable:
    """Make the table of a type, the fields of groups and lists named behind those that hold them, with dots."""
    made: BerTable = {}
    for line in filter(None, types[name].splitlines()):
        number, field, kind = line.split()
        full = f"{prefix}{field}"
        tag = tag_of(tag_class, int(number))
        if kind.startswith(GROUP):
            made[tag] = BerField(full, ber.GROUP, table(types, kind[len(GROUP) :], tag_class, f"{full}."))
        elif kind.startswith(LIST):
            made[tag] = BerField(full, ber.LIST, table(types, kind[len(LIST) :], tag_class, f"{full}."))
        else:
            made[tag] = BerField(full, KINDS[kind])
    return made


def columns(of: BerTable, spread: Sequence[str]) -> Iterator[str]:
    """Give the fields that a record can have when these lists are spread, each element a record of its own."""
    for field in of.values():
        if field.kind == ber.GROUP or (field.kind == ber.LIST and spreads(field.name, spread)):
            yield from columns(field.inner, spread)
        elif field.kind != ber.LIST:
            yield field.name


def lists(of: BerTable) -> Iterator[str]:
    """Give the names of its lists."""
    for field in of.values():
        if field.kind == ber.LIST:
            yield field.name
        yield from lists(field.inner)


def spreads(name: str, spread: Sequence[str]) -> bool:
    """Say whether a list is spread: it is named, or holds one that is."""
    return any(each == name or each.startswith(f"{name}.") for each in spread)


def pruned(of: BerTable, wanted: frozenset[str], spread: Sequence[str]) -> BerTable:
    """Give the part of a table that somebody wants; the rest is passed over unread."""
    kept: BerTable = {}
    for tag, field in of.items():
        if field.kind == ber.LIST and spreads(field.name, spread):
            kept[tag] = BerField(field.name, ber.LIST, pruned(field.inner, wanted, spread))
        elif field.kind == ber.GROUP:
            if inner := pruned(field.inner, wanted, spread):
                kept[tag] = BerField(field.name, ber.GROUP, inner)
        elif field.kind != ber.LIST and field.name in wanted:
            kept[tag] = field
    return kept

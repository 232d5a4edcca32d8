"""The model of a format file: how records are laid out, and which of their fields means what.

A format is checked as a whole when it is read (`mediation.written`); everything that is written in it has an
effect.
"""

import codecs
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct, field

from charging.base.bounds import TEXT_CHARS_MAX
from charging.base.fieldtypes import ATTRIBUTES_MAX
from mediation.formats.coded import CodedLayout, EncodedLayout
from mediation.formats.values import WHOLE_MAX, DurationValue, FieldValue, NumberValue, TextValue, TimeValue, WholeValue
from mediation.written import Finding, Written


class Delimited(Struct, frozen=True, tag="delimited", tag_field="layout", forbid_unknown_fields=True):
    """A record a line, its fields parted by a character."""

    columns: tuple[str, ...] = ()
    """Names in order; none = the first line that is kept has them."""
    delimiter: str = ","
    quote: str = '"'
    """Around a field that holds the delimiter; empty = there is none."""

    def faults(self) -> Iterator[Finding]:
        """Give what is wrong with it."""
        if len(self.delimiter) != 1:
            yield "delimiter", "must be one character"
        if len(self.quote) > 1:
            yield "quote", "must be one character, or empty"
        yield from _twice("columns", self.columns)

    def names(self) -> frozenset[str] | None:
        """Give the fields that a record can have; None = the file says."""
        return frozenset(self.columns) or None


class FixedColumn(Struct, frozen=True, forbid_unknown_fields=True):
    """A field of a line of fixed width."""

    name: str
    at: int
    """Its first character, the line's first being 1."""
    width: int


class FixedWidth(Struct, frozen=True, tag="fixed", tag_field="layout", forbid_unknown_fields=True):
    """A record a line, its fields at fixed places."""

    columns: tuple[FixedColumn, ...]

    def faults(self) -> Iterator[Finding]:
        """Give what is wrong with it."""
        if not self.columns:
            yield "columns", "must name at least one"
        for index, column in enumerate(self.columns):
            if column.at < 1 or column.width < 1:
                yield f"columns.{index}", "at and width count from 1"
        yield from _twice("columns", tuple(column.name for column in self.columns))

    def names(self) -> frozenset[str] | None:
        """Give the fields that a record can have."""
        return frozenset(column.name for column in self.columns)


class KeyValue(Struct, frozen=True, tag="keyvalue", tag_field="layout", forbid_unknown_fields=True):
    """A record a line, each field with its name: `caller=861391;seconds=30`."""

    item: str = ";"
    """Between fields."""
    pair: str = "="
    """Between a name and its value."""

    def faults(self) -> Iterator[Finding]:
        """Give what is wrong with it."""
        if not self.item or not self.pair or self.item == self.pair:
            yield "item", "item and pair must be two different texts"

    def names(self) -> frozenset[str] | None:
        """The file says."""
        return None


class JsonLines(Struct, frozen=True, tag="jsonlines", tag_field="layout", forbid_unknown_fields=True):
    """A JSON object a line; a field within another is named with dots."""

    def faults(self) -> Iterator[Finding]:
        """Nothing can be wrong."""
        return iter(())

    def names(self) -> frozenset[str] | None:
        """The file says."""
        return None


LineLayout = Delimited | FixedWidth | KeyValue | JsonLines
"""Layouts of a record a line: `lines` is about them."""
Layout = LineLayout | CodedLayout


WAIT_H_MAX = 720
ALIKE_S_MAX = 3_600


class FieldRule(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a value of the usage record comes from."""

    column: str = field(name="from", default="")
    """Field of the switch's record."""
    others: tuple[str, ...] = field(name="or", default=())
    """Fields that stand for it when it is empty, the first that is not: one file has records of several kinds."""
    plus: tuple[str, ...] = ()
    """Fields whose whole numbers are added, such as volumes of the two directions; an empty one is 0."""
    to: str = ""
    """Field of the time at which it ends: the value is the seconds from one to the other, a begun one counts."""
    read: FieldValue = TextValue()
    """How its text is read; not given, it is text."""
    value: str = ""
    """The value itself, where no field tells it."""
    empty: str | None = None
    """The value when the field is empty; not given, an empty field can't be read."""
    otherwise: "FieldRule | None" = field(name="else", default=None)
    """Where the value comes from when the field is empty and is read in another way: the card where a record names no
    number.
    """

    def columns(self) -> Iterator[str]:
        """Give the fields that it reads, those of `else` not among them."""
        return (name for _, name in self._named())

    def _named(self) -> Iterator[tuple[str, str]]:
        if self.column:
            yield "from", self.column
        yield from (("or", name) for name in self.others)
        yield from (("plus", name) for name in self.plus)
        if self.to:
            yield "to", self.to

    def faults(self, columns: frozenset[str] | None) -> Iterator[Finding]:
        """Give what is wrong with it; `columns` None = what there is, a file tells."""
        if bool(self.column) == bool(self.value):
            yield "", "must have either from or value"
        for where, name in self._named():
            if columns is not None and name not in columns:
                yield where, f"names column {name!r}, and there is none of that name"
        for where, given in (("or", self.others), ("plus", self.plus)):
            if given and not self.column:
                yield where, "has no effect without from"
        if self.to and not (self.column and isinstance(self.read, TimeValue)):
            yield "to", "goes with from, and read must be of type time"
        if self.plus and not isinstance(self.read, (WholeValue, DurationValue)):
            yield "plus", "adds whole numbers: read must be of type integer or duration"
        if self.value and self.empty is not None:
            yield "empty", "has no effect beside value"
        if self.otherwise is not None and not self.column:
            yield "else", "has no effect without from"
        if self.otherwise is not None and (self.empty is not None or self.to):
            yield "else", "does not go with empty or to"
        for where, text in (("value", self.value), ("empty", self.empty or "")):
            if len(text) > TEXT_CHARS_MAX:
                yield where, f"must have at most {TEXT_CHARS_MAX} characters"
        if isinstance(self.read, TimeValue) and (wrong := self.read.fault()):
            yield "read", wrong


class DropRule(Struct, frozen=True, forbid_unknown_fields=True):
    """Records that are not charged, such as those of calls that nobody answered."""

    column: str = field(name="from")
    among: tuple[str, ...]
    """Texts of the field, each as it stands in the file without the spaces around it."""
    why: str
    """Counted and told by it."""


class FrameLines(Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in a file besides records."""

    skip: int = 0
    """Lines at its beginning that mean nothing."""
    header: str = ""
    """What a header line begins with."""
    trailer: str = ""
    """What the trailer begins with, the last line that is not empty; without it the file is not whole."""
    count: FixedColumn | None = None
    """Where the trailer says how many records the file has."""


class PartsRule(Struct, frozen=True, forbid_unknown_fields=True):
    """How a switch writes a long call in parts, which are joined: one call, rated once."""

    of: tuple[str, ...]
    """Columns that all parts of a call have alike."""
    number: str
    """Column that counts the parts of a call; where it is empty, and no part follows, the record is a whole call."""
    more: DropRule
    """What says that another part follows."""
    first: int = 1
    """Number of the first."""
    starts: Literal["part", "call"] = "part"
    """What the time of a part is: when the part began, or the call."""
    apart_s: int = 10
    """Seconds that the clocks of two parts may be apart where one ends and the next begins; more is another call."""
    wait_h: int = 48
    """Hours after the last part that came until a call with parts missing is not waited for any more."""
    missing: Literal["charge", "suspend"] = "charge"
    """What happens then with the parts that are there."""

    def columns(self) -> tuple[str, ...]:
        """Give the fields that it reads."""
        return (*self.of, self.number, self.more.column)


class AlikeRule(Struct, frozen=True, forbid_unknown_fields=True):
    """How a second record of one call shows itself, written by another switch whose clock is not the same."""

    by: tuple[str, ...]
    """Columns that both have alike."""
    within_s: int = 30
    """Seconds that their starts are apart at most."""


class Format(Written, frozen=True, forbid_unknown_fields=True):
    """How one make of switch writes its files."""

    format: str
    """Its name."""
    about: str
    """For people: which switch, which records."""
    records: Layout
    identity: FieldRule
    service: FieldRule
    start: FieldRule
    quantity: FieldRule
    key: tuple[str, ...]
    """Columns, or names of this file's fields, that no two uses have alike: what makes a duplicate."""
    encoding: str = "utf-8"
    lines: FrameLines = FrameLines()
    other_party: FieldRule | None = None
    visited: FieldRule | None = None
    partner: FieldRule | None = None
    attributes: dict[str, FieldRule] = field(default_factory=dict)
    drop: tuple[DropRule, ...] = ()
    country: str = ""
    """Where other parties were dialled (ISO 3166); empty = the country of `identity`."""
    parts: PartsRule | None = None
    alike: AlikeRule | None = None

    def dialled_in(self) -> str:
        """Give the country by whose spellings and short codes an other party is read that stands as it was dialled."""
        return self.country or (self.identity.read.country if isinstance(self.identity.read, NumberValue) else "")

    def rules(self) -> Iterator[tuple[str, FieldRule]]:
        """Give the fields by their place in the file, what stands below `else` behind what it stands for."""
        for name in ("identity", "service", "start", "quantity", "other_party", "visited", "partner"):
            rule: FieldRule | None = getattr(self, name)
            if rule is not None:
                yield from _chain(name, rule)
        for name, rule in self.attributes.items():
            yield from _chain(f"attributes.{name}", rule)

    def wanted(self) -> frozenset[str]:
        """Give all fields of a switch's record that it reads."""
        read = {name for _, rule in self.rules() for name in rule.columns()}
        joined = self.parts.columns() if self.parts is not None else ()
        alike = self.alike.by if self.alike is not None else ()
        return frozenset({*read, *(rule.column for rule in self.drop), *self.key, *joined, *alike})

    def faults(self) -> Iterator[Finding]:
        """Give all that is wrong with it, each with its place."""
        columns = self.records.names()
        yield from ((f"records.{where}", what) for where, what in self.records.faults())
        for name, rule in self.rules():
            yield from ((f"{name}.{where}".rstrip("."), what) for where, what in rule.faults(columns))
        for name, rule in _chain("start", self.start):
            yield from _numeric(name, rule, ("time",))
        for name, rule in _chain("quantity", self.quantity):
            yield from _numeric(name, rule, ("duration", "integer"))
        if not self.key:
            yield "key", "must name at least one column, or each record of a file is every other's duplicate"
        for where, name in self._sought():
            if columns is not None and name not in columns:
                yield where, f"names column {name!r}, and there is none of that name"
        yield from self._joining()
        party = self.other_party
        if party is not None and party.column and isinstance(party.read, TextValue) and not self.dialled_in():
            yield "country", "must say where other parties were dialled, as a number can't be read without"
        try:
            codecs.lookup(self.encoding)
        except LookupError:
            yield "encoding", f"{self.encoding[:40]!r} is no encoding that is known: write utf-8, gb18030, latin-1, …"
        if len(self.attributes) > ATTRIBUTES_MAX:
            yield "attributes", f"has more than {ATTRIBUTES_MAX}"
        if self.lines != FrameLines() and not isinstance(self.records, LineLayout):
            yield "lines", "has no effect: these records are not lines"
        if self.encoding != "utf-8" and not isinstance(self.records, LineLayout | EncodedLayout):
            yield "encoding", "has no effect: these records say it themselves"
        if self.lines.skip < 0:
            yield "lines.skip", "must be 0 or more"
        if self.lines.count is not None and not self.lines.trailer:
            yield "lines.count", "has no effect without trailer"

    def _sought(self) -> Iterator[tuple[str, str]]:
        yield from ((f"key.{index}", name) for index, name in enumerate(self.key))
        yield from ((f"drop.{index}.from", rule.column) for index, rule in enumerate(self.drop))
        if self.parts is not None:
            yield from (("parts", name) for name in self.parts.columns())
        if self.alike is not None:
            yield from (("alike.by", name) for name in self.alike.by)

    def _joining(self) -> Iterator[Finding]:
        parts, alike = self.parts, self.alike
        if parts is not None:
            if not parts.of:
                yield "parts.of", "must name what all parts of a call have alike"
            if parts.first < 0 or parts.apart_s < 0 or not 1 <= parts.wait_h <= WAIT_H_MAX:
                yield "parts", f"counts from 0, and waits 1 to {WAIT_H_MAX} hours"
            if not (isinstance(self.quantity.read, DurationValue) or self.quantity.to):
                yield "parts", "joins calls: the quantity must be of type duration"
            if parts.number not in self.key:
                yield "key", f"must have column {parts.number!r}, or one part of a call is the other's duplicate"
        if alike is not None and (not alike.by or not 1 <= alike.within_s <= ALIKE_S_MAX):
            yield "alike", f"must name columns in by, and 1 to {ALIKE_S_MAX} seconds in within_s"


def _chain(name: str, rule: FieldRule | None) -> Iterator[tuple[str, FieldRule]]:
    while rule is not None:
        yield name, rule
        name, rule = f"{name}.else", rule.otherwise


def _numeric(name: str, rule: FieldRule, kinds: tuple[str, ...]) -> Iterator[Finding]:
    if rule.column and not rule.to and str(rule.read.__struct_config__.tag) not in kinds:
        yield f"{name}.read", f"must be of type {' or '.join(kinds)}"
    if rule.to and name != "quantity":
        yield f"{name}.to", "belongs to a quantity"
    for where, text in (("value", rule.value), ("empty", rule.empty or "")):
        if text and kinds == ("time",):
            yield f"{name}.{where}", "can't be the same for all records"
        elif text and not (text.isdecimal() and int(text) <= WHOLE_MAX):
            yield f"{name}.{where}", "must be a whole number"
    if rule.empty == "":
        yield f"{name}.empty", "must be a whole number"


def _twice(where: str, names: tuple[str, ...]) -> Iterator[Finding]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield where, f"has {name!r} twice"

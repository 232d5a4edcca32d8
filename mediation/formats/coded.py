"""Layouts that no table of columns can say: what a page says about files that a decoder of code reads."""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from mediation.decoders.tap import tap_columns
from mediation.decoders.ts32298 import record_columns, record_lists
from mediation.written import Finding

FRAMED = "ts32297"


class ChargingRecords(Struct, frozen=True, tag="ts32298", tag_field="layout", forbid_unknown_fields=True):
    """Charging data records of the 3GPP, encoded in BER. A field within another is named with dots."""

    file: Literal["ts32297", "bare"] = "ts32297"
    """`bare`: no frame, records one after the other, with fillers between them."""
    each: tuple[str, ...] = ()
    """Lists whose elements are uses of their own, such as the containers of a data record; of several, the first that
    a record has. A record without is one use itself."""

    def faults(self) -> Iterator[Finding]:
        """Give what is wrong with it."""
        known = record_lists()
        for index, name in enumerate(self.each):
            if name not in known:
                yield f"each.{index}", f"names list {name!r}: there are {', '.join(sorted(known))}"

    def names(self) -> frozenset[str] | None:
        """Give the fields that a record can have."""
        return record_columns(self.each)


class RoamingBatch(Struct, frozen=True, tag="tap3", tag_field="layout", forbid_unknown_fields=True):
    """A file of a roaming partner, TAP 3.10 to 3.12: each call event is a record."""

    def faults(self) -> Iterator[Finding]:
        """Nothing can be wrong."""
        return iter(())

    def names(self) -> frozenset[str] | None:
        """Give the fields that an event can have."""
        return tap_columns()


class RadiusDetail(Struct, frozen=True, tag="radius", tag_field="layout", forbid_unknown_fields=True):
    """A detail file of FreeRADIUS: each accounting request is a record."""

    def faults(self) -> Iterator[Finding]:
        """Nothing can be wrong."""
        return iter(())

    def names(self) -> frozenset[str] | None:
        """The file says."""
        return None


class FlowRecords(Struct, frozen=True, tag="netflow", tag_field="layout", forbid_unknown_fields=True):
    """Datagrams of NetFlow 5, NetFlow 9 or IPFIX, one after the other: each flow is a record."""

    def faults(self) -> Iterator[Finding]:
        """Nothing can be wrong."""
        return iter(())

    def names(self) -> frozenset[str] | None:
        """Templates may name any element by its number."""
        return None


class XmlFile(Struct, frozen=True, tag="xml", tag_field="layout", forbid_unknown_fields=True):
    """An XML file: each element of one name is a record, what is in it its fields, named with dots."""

    record: str
    """Name of the element."""
    count: str = ""
    """Element or `@attribute`, from inside the outermost element on, that says how many records the file has."""
    percent: bool = False
    """Values are escaped once more, as in a URL: `%2B86` is `+86`."""

    def faults(self) -> Iterator[Finding]:
        """Give what is wrong with it."""
        if not self.record or "." in self.record:
            yield "record", "must be the name of an element"

    def names(self) -> frozenset[str] | None:
        """The file says."""
        return None


class JsonFile(Struct, frozen=True, tag="json", tag_field="layout", forbid_unknown_fields=True):
    """A JSON document: a record, or a list of them; a field within another is named with dots."""

    at: str = ""
    """Where in the document the records are, with dots; empty = it is them."""
    percent: bool = False
    """Values are escaped once more, as in a URL: `%2B86` is `+86`."""

    def faults(self) -> Iterator[Finding]:
        """Nothing can be wrong."""
        return iter(())

    def names(self) -> frozenset[str] | None:
        """The file says."""
        return None


CodedLayout = ChargingRecords | RoamingBatch | RadiusDetail | FlowRecords | XmlFile | JsonFile
EncodedLayout = RadiusDetail | XmlFile
"""Those to which `encoding` says something."""

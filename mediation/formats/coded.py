"""Layouts that no table of columns can say: what a page says about files that a decoder of code reads."""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

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

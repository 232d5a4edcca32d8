"""Trying a plan before it is published: what given usage costs on it, step by step, one use after the other.

A use is written as people say it: `voice 61 s`, `data 2 GB at 2026-01-31T23:50`, `voice 3 min to 10086 in HK-CSL`.
Allowances and caps run on from use to use, as of a subscriber who has used nothing before.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from authoring.offline import OfflineRater, Row
from charging.base.money import quantity, quantity_unit
from charging.base.usage import Charge
from charging.catalogue.document import Catalogue
from charging.errors import Fault, Invalid

USE = re.compile(
    r"(?P<service>[a-z][\w-]*) (?P<quantity>\d[\d.]*(?: ?[A-Za-z]+)?)"
    r"(?: at (?P<start>\S+))?(?: to (?P<other_party>\S+))?(?: in (?P<visited>\S+))?"
)
FORM = "write SERVICE QUANTITY [at TIME] [to NUMBER] [in PLACE], such as 'voice 3 min to 13912345678'"


class Tried(Struct, frozen=True):
    """What one use costs, or why it has no price."""

    use: str
    charge: Charge | None
    refused: Fault | None = None


def read_use(text: str, units: Mapping[str, str]) -> Row:
    """Read a use; `units` are the base units of services. Raises `Invalid` USE_MALFORMED."""
    match = USE.fullmatch(" ".join(text.split()))
    if match is None:
        raise Invalid("USE_MALFORMED", f"{text[:60]!r} is no use: {FORM}")
    try:
        amount = quantity(match["quantity"])
    except ValueError:
        raise Invalid("USE_MALFORMED", f"{match['quantity'][:40]!r} in {text[:60]!r} is no quantity: {FORM}") from None
    named, counted = quantity_unit(match["quantity"]), units.get(match["service"], "")
    if named and counted and named != counted:
        raise Invalid("USE_MALFORMED", f"{match['service']} is counted in {counted}s, {match['quantity']!r} is none")
    row = {name: value for name, value in match.groupdict().items() if value is not None}
    return row | {"quantity": str(amount)}


def try_uses(catalogues: Sequence[Catalogue], facts: Mapping[str, str], uses: Sequence[str]) -> Iterator[Tried]:
    """Rate uses in their order by checked catalogues. `facts` are the columns of `authoring.offline` that all have.

    Raises `Invalid` USE_MALFORMED before anything is rated.
    """
    units = {service.id: service.unit for catalogue in catalogues for service in catalogue.services}
    rows = [(use, {**facts, **read_use(use, units)}) for use in uses]
    rater = OfflineRater(catalogues)
    for use, row in rows:
        try:
            yield Tried(use, rater.rate(row))
        except Fault as fault:
            yield Tried(use, None, fault)

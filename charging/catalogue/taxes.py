"""What the catalogue says of bills: taxes by item and day, bundles split over their parts, coins and days.

A tax holds for the day on which something was used or fell due, not for that of the bill, so a period in which a rate
changes has lines of both.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from charging.base import names
from charging.catalogue.words import Id, Moment, Money, Named, Percent

TaxedItem = Annotated[
    str, Meta(pattern=rf"^(\*|{names.ENTRY})$", description="An account item; * = all that no other tax names")
]


class Tax(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The rate of some items for a time: of one item, on each day, one tax."""

    id: Id
    percent: Percent
    """Of what is charged."""
    items: tuple[TaxedItem, ...]
    """What it is on."""
    category: Id = ""
    """Taxes of one category and rate are one group of a bill; empty = the id."""
    name: Named = ""
    """As bills call the category."""
    effective_from: Moment = ""
    effective_to: Moment = ""


class SplitPart(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is in a bundle, and what it costs alone."""

    item: Id
    """Account item of the part."""
    price: Money
    """What it costs alone; whole units of the currency."""


class Split(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a bundle costs is split on bills by what its parts cost alone: each part has its own tax."""

    id: Id
    """The account item of the bundle's fee."""
    parts: tuple[SplitPart, ...]


class BillRules(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How bills are made up."""

    prices: Literal["include_tax", "exclude_tax"] = "include_tax"
    """Whether prices of the catalogue have the tax in them."""
    tax_rounding: Literal["bill", "line"] = "bill"
    """Of the tax of all lines with one tax together, spread over them by largest remainder; or of each line."""
    coin: Money = ""
    """The smallest that is paid: 0.05; empty = that of the currency by ISO 4217."""
    minimum: Money = "0"
    """A bill below it is carried to the next one."""
    zero: Literal["none", "made"] = "none"
    """Of a period in which nothing was posted: no bill, or one without lines, with its number."""
    due_days: Annotated[int, Meta(ge=0, le=365)] = 15
    """From the day on which a bill is made."""

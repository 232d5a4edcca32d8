"""Usage tariffs of the catalogue: prices, rates within a call, tiers over accumulators, time bands, caps.

How a price works, in this order:

1. A quantity up to `grace` costs nothing and uses no allowance (`grace_free`: of longer ones that beginning is free).
2. Allowances and unit books take what is in their scope; the rest is charged here.
3. The charged parts are cut where another rate begins: at a band's second, at a rate's `from` (offset in the call), at
   a tier's border (accumulated + charged so far). Each part pays whole increments, begun ones in full.
4. `connect` is added, the sum is raised to `minimum` and cut at `cap`. Then discounts, then rounding, once.
"""

from typing import Literal

from msgspec import Struct, field

from charging.catalogue.words import (
    Divisor,
    Id,
    Moment,
    Money,
    Named,
    Period,
    Quantity,
    Rounding,
    When,
)


class Rate(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A price within a call, from an offset on: `{from: 60, price: 0.1, per: 60, increment: 1}`."""

    price: Money
    """Of `per` units; whole units of the currency."""
    per: Divisor = "1"
    """The price is for this many units; a part of one too: 0.1 MB, then with an increment of whole ones."""
    increment: Quantity = ""
    """Charged in whole steps of this; empty = `per`."""
    start: Quantity = field(default="0", name="from")
    """Offset in the call, free parts counted."""


class Tier(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One step of `Tiers`. It begins where the one before ends."""

    upto: Quantity = ""
    """Inclusive end, counted over the period; empty = open (the last one)."""
    price: Money = "0"
    """Of `per` units; whole units of the currency."""
    per: Divisor = "1"
    """The price is for this many units."""
    increment: Quantity = ""
    """Charged in whole steps of this; empty = `per`."""
    flat: Money = "0"
    """Due once when the tier is entered."""
    rates: tuple[Rate, ...] = ()
    """Instead of price/per/increment: rates by offset in the call."""


class Tiers(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Prices by quantity, counted over a period.

    graduated: each unit pays the tier it falls in. volume: the whole usage pays the tier that the total reaches.
    package: as graduated, but begun packages (`per`) are paid and carried on: the rest of one serves the next usage.
    """

    steps: tuple[Tier, ...]
    model: Literal["graduated", "volume", "package"] = "graduated"
    """Each unit by its own tier, all by that of the total, or begun packages."""
    over: Period = "call"
    """Over what quantities are counted."""
    accumulator: Id = ""
    """Id of the accumulator; empty = `tariff.price`. Prices with the same id count together (`over` must be equal)."""
    shared: bool = False
    """Count all members of the account together; else each subscriber."""


class Cap(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """At most this amount in one call, or over a period (then an accumulator of money keeps the sum)."""

    amount: Money
    """The most that is due; whole units of the currency."""
    then: Literal["free", "end"] = "free"
    """What the rest of a call or session is once the amount is reached: free, or not granted any more. One that is told
    only when it is over costs the amount, whatever it used."""
    over: Period = "call"
    """Over what it counts."""
    accumulator: Id = ""
    """Empty = `tariff.price.cap`, for a discount its id + `.limit`."""
    shared: bool = False
    """One sum for all members of the account; else each has its own."""


class BandRates(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Rates or tiers during some bands. Of the entries of a price the first that contains the second counts; seconds in
    none pay the price's own rates or tiers."""

    bands: tuple[Id, ...]
    rates: tuple[Rate, ...] = ()
    tiers: Tiers | None = None
    connect: Money = ""
    """For a usage that begins in one of the bands, instead of the price's own; empty = that. So are the next two."""
    minimum: Money = ""
    """As `connect`."""
    cap: Cap | None = None


class Price(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a usage that meets `when` costs. Of a tariff's prices the first in the file that holds is used."""

    id: Id
    name: Named = ""
    when: When = When()
    rates: tuple[Rate, ...] = ()
    tiers: Tiers | None = None
    """Either rates or tiers."""
    bands: tuple[BandRates, ...] = ()
    band_switch: Literal["second", "increment", "start"] = "second"
    """Where a call that spans bands changes its rate: at the second, at the end of the running increment, or never (the
    band of the start counts)."""
    connect: Money = "0"
    """Due once, as soon as anything is charged."""
    connect_always: bool = False
    """Due also when allowances take the whole call."""
    minimum: Money = "0"
    """Of what is charged by this price, connect included; nothing charged, no minimum."""
    cap: Cap | None = None
    grace: Quantity = "0"
    """A usage of up to this costs nothing."""
    grace_free: bool = False
    """Of longer usages the beginning up to `grace` is free, too."""
    item: Id = ""
    """Account item; empty = the tariff's, else the service's."""
    effective_from: Moment = ""
    effective_to: Moment = ""
    """Exclusive, as all `effective_to`."""


class Tariff(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Prices of one service."""

    id: Id
    service: Id
    """Id of the service that it prices."""
    prices: tuple[Price, ...]
    name: Named = ""
    standard: bool = False
    """Prices every subscriber whose offerings open the service and price it by no tariff of their own."""
    rounding: Rounding | None = None
    """None = the catalogue's."""
    item: Id = ""
    """Account item; empty = the service's."""
    effective_from: Moment = ""
    effective_to: Moment = ""


class PriceOverride(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A region replaces one price of a national tariff; the price id must be there. It keeps its place in the order."""

    tariff: Id
    """Id of the national tariff."""
    price: Price

"""The catalogue: what is sold and what it costs. A YAML catalogue maps to `Catalogue` one to one.

Layout of a catalogue folder: any number of files, each with some of the sections below; lists of the same section are
joined. National and regional catalogues are separate documents; a regional one has a `domain`.

Files are read with all scalars as text (`ruamel.yaml.YAML(typ="base")`), then `from_plain`:

    catalogue: national-2026        name, for people
    version: 3                      grows by one a publication; a published version never changes
    domain: ""                      "" = national, else the domain whose overrides, discounts and additions it holds
    effective_from: 2026-01-01
    currency: CNY
    rounding: {mode: half_up, places: 4}
    services:      [{id: voice, unit: second}]
    rating_groups: [{id: internet, group: 10, service: data}]
    calendars:     [{id: holidays, days: [2026-10-01]}]
    bands:         [{id: night, from: "22:00", to: "06:00"}]
    destinations:  [{id: domestic, prefixes: ["86"]}]
    zones:         [{id: hk-mo, places: [HK*, MO*]}]
    parties:       [{id: on-net, prefixes: ["86139"]}]
    tariffs:       [{id: voice-standard, service: voice, standard: true, prices: [...]}]
    allowances:    [{id: minutes-200, unit: second, quota: 200 min, when: {services: [voice]}}]
    fees:          [{id: monthly-59, amount: 59}]
    offerings:     [{id: plan-59, tariffs: [...], allowances: [minutes-200], fees: [monthly-59], discounts: [...]}]
    discounts:     [{id: vip, stage: account, percent: 10}]
    agreements:    [{id: agreement-7, discounts: [vip]}]
    exclusive_groups: [{id: seasonal, choose: best}]
    accumulators:  [{id: voice-cycle, counts: quantity, period: cycle, when: {services: [voice]}}]
    taxes:         [{id: basic, percent: 9, items: [voice, data], effective_from: 2026-01-01}]
    bonuses:       [{id: welcome, book: bonus, first: true, steps: [{at_least: 50, percent: 10}]}]
    gifts:         [{id: money, unit: money, most: 50, per_day: 100}]
    characteristics: [{id: grade, values: [silver, gold], channels: [web]}]
    splits:        [{id: bundle-99, parts: [{item: data, price: 60}, {item: tv, price: 60}]}]
    dunning:       [{id: postpaid, late_fee: {per_mille_a_day: 3}, steps: [{id: stop, days: 30, do: suspend_all}]}]
    bills:         {prices: include_tax, tax_rounding: bill}
    overrides:     (regional only) {prices: [{tariff: voice-standard, price: {id: local, ...}}], tariffs: [...], ...}
    withdrawn:     (regional only) {discounts: [ids], offerings: [ids]}: national ones that do not hold here

How a usage finds its price: the valid subscriptions of the contract (bundles opened up) by priority; of each the
tariffs of the service in order; of each the first price that holds; last the `standard` tariffs. Merge order of the two
documents: national first, then the region's overrides replace by id, withdrawals remove, additions are added; whatever
the region made says so in `Step.origin`. Both are taken in the version in force when the event began, however late it
arrives (`charging.plans.timeline`).
"""

from datetime import date, datetime
from typing import Annotated, Literal, cast

import msgspec
from msgspec import Meta, Struct

from charging.base import names
from charging.base.bounds import PAST_DAYS_MAX
from charging.catalogue.characteristics import Characteristic
from charging.catalogue.dunning import DunningRule
from charging.catalogue.meanings import kinds_of, meanings
from charging.catalogue.offers import (
    Accumulator,
    Agreement,
    Allowance,
    Discount,
    ExclusiveGroup,
    Fee,
    Offering,
)
from charging.catalogue.rewards import Bonus, GiftRule
from charging.catalogue.tariffs import PriceOverride, Tariff
from charging.catalogue.taxes import BillRules, Split, Tax
from charging.catalogue.words import (
    Band,
    Calendar,
    Destination,
    DomainCode,
    Id,
    Moment,
    PartyGroup,
    RatingGroup,
    Rounding,
    Service,
    Zone,
    whole,
)

Title = Annotated[
    str, Meta(pattern=whole(f"[^{names.CONTROL}]{{1,100}}"), description="A name for people, 1 to 100 characters")
]
Version = Annotated[int, Meta(ge=1, le=2_147_483_647)]
Currency = Annotated[str, Meta(pattern=whole(names.CURRENCY), description="A code of ISO 4217, such as CNY")]

PastClosed = Literal["next_bill", "refuse"]


class Overrides(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a region puts in the place of national entries with the same id."""

    prices: tuple[PriceOverride, ...] = ()
    tariffs: tuple[Tariff, ...] = ()
    allowances: tuple[Allowance, ...] = ()
    fees: tuple[Fee, ...] = ()
    offerings: tuple[Offering, ...] = ()
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[Tax, ...] = ()
    splits: tuple[Split, ...] = ()
    bonuses: tuple[Bonus, ...] = ()
    gifts: tuple[GiftRule, ...] = ()
    characteristics: tuple[Characteristic, ...] = ()
    bands: tuple[Band, ...] = ()
    calendars: tuple[Calendar, ...] = ()
    destinations: tuple[Destination, ...] = ()
    zones: tuple[Zone, ...] = ()
    parties: tuple[PartyGroup, ...] = ()
    rating_groups: tuple[RatingGroup, ...] = ()


class Withdrawn(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """National entries that do not hold in a region, by id."""

    tariffs: tuple[Id, ...] = ()
    offerings: tuple[Id, ...] = ()
    allowances: tuple[Id, ...] = ()
    discounts: tuple[Id, ...] = ()
    taxes: tuple[Id, ...] = ()
    splits: tuple[Id, ...] = ()
    bonuses: tuple[Id, ...] = ()
    gifts: tuple[Id, ...] = ()
    characteristics: tuple[Id, ...] = ()


class Catalogue(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One version of the national catalogue, or of what a region changes."""

    catalogue: Title
    """A name of the whole, for people."""
    version: Version
    """Grows with each publication; a published version never changes."""
    domain: DomainCode = ""
    """The region whose changes it holds; empty = the nation's own."""
    effective_from: Moment = ""
    """Empty = since ever."""
    currency: Currency | None = None
    """Charges are in it, and accounts that are opened without naming another. None = no currency (XXX), in a region the
    nation's."""
    rounding: Rounding | None = None
    """None = half up to 6 places, in a region the nation's. What is written counts, the default too."""
    services: tuple[Service, ...] = ()
    calendars: tuple[Calendar, ...] = ()
    bands: tuple[Band, ...] = ()
    destinations: tuple[Destination, ...] = ()
    zones: tuple[Zone, ...] = ()
    parties: tuple[PartyGroup, ...] = ()
    tariffs: tuple[Tariff, ...] = ()
    allowances: tuple[Allowance, ...] = ()
    fees: tuple[Fee, ...] = ()
    offerings: tuple[Offering, ...] = ()
    discounts: tuple[Discount, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    exclusive_groups: tuple[ExclusiveGroup, ...] = ()
    accumulators: tuple[Accumulator, ...] = ()
    taxes: tuple[Tax, ...] = ()
    splits: tuple[Split, ...] = ()
    dunning: tuple[DunningRule, ...] = ()
    bonuses: tuple[Bonus, ...] = ()
    gifts: tuple[GiftRule, ...] = ()
    characteristics: tuple[Characteristic, ...] = ()
    bills: BillRules | None = None
    """None = prices include tax, rounded by bill, to the currency's coin, due in 15 days; in a region the nation's."""
    rating_groups: tuple[RatingGroup, ...] = ()
    quarantine_days: Annotated[int, Meta(ge=0, le=3650)] | None = None
    """How long a number that was let go rests before another account may have it; 0 = not at all. None = not at all, in
    a region as the nation says."""
    reopen_days: Annotated[int, Meta(ge=0, le=3650)] | None = None
    """How long after its end a closed account may be opened again; 0 = not at all. None = not at all, in a region as
    the nation says."""
    past_days: Annotated[int, Meta(ge=0, le=PAST_DAYS_MAX)] | None = None
    """How many days ago a change of a contract may hold from, for whoever is granted `change_past`; 0 = none. None =
    none, in a region as the nation says."""
    past_closed: PastClosed | None = None
    """What a change from within a closed billing period does: `refuse` = it is refused; `next_bill` = the difference
    stands on the next bill, with its origin. None = next_bill, in a region as the nation says."""
    overrides: Overrides = Overrides()
    withdrawn: Withdrawn = Withdrawn()
    country: str = ""
    """Of the nation: ISO 3166 code ("CN") of the country whose spellings of numbers are read without a server."""
    time_zone: str = ""
    """Of the nation: IANA zone ("Asia/Shanghai") in which times without an offset stand, where no domain's is known."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Catalogue)


def pack(catalogue: Catalogue) -> bytes:
    """Give the bytes that are published; equal catalogues give equal bytes."""
    return _encoder.encode(catalogue)


def unpack(content: bytes) -> Catalogue:
    """Read what `pack` made. Raises `msgspec.ValidationError` for anything else."""
    return _decoder.decode(content)


def from_plain(tree: object) -> Catalogue:
    """Turn a parsed YAML tree whose scalars are text into a catalogue.

    Text becomes numbers and truth values where the model says so; decimals stay text. Raises `msgspec.ValidationError`
    with the path of the fault (`$.tariffs[2].prices[0].connect`).
    """
    return msgspec.convert(_plain(tree), Catalogue, strict=False)


def _plain(tree: object) -> object:
    """Give dates their text back, should the parser have been too clever."""
    if isinstance(tree, dict):
        return {str(key): _plain(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_plain(value) for value in tree]
    if isinstance(tree, datetime):
        return tree.isoformat()
    if isinstance(tree, date):
        return tree.isoformat()
    return tree


def schema() -> dict[str, object]:
    """Give the JSON schema of a catalogue file, as an editor needs it.

    A file holds a part of a document, so that no section is required; and a number may be written where the model reads
    text, so that no digit is lost on the way (`amount: 59`).
    """
    found = written_schema()
    definitions = cast(dict[str, dict[str, dict[str, dict[str, str]]]], found["$defs"])
    for kind in kinds_of(Catalogue):
        for key, meaning in meanings(kind).items():
            below = definitions[kind.__name__]["properties"][key]
            written = below.get("description", "")
            below["description"] = f"{meaning} Written as: {written}." if written else meaning
    return found


def written_schema() -> dict[str, object]:
    """Give the schema whose descriptions say only how a value is written."""
    found = msgspec.json.schema(Catalogue)
    del found["$defs"]["Catalogue"]["required"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_with_numbers(found)}


def _with_numbers(node: dict[str, object]) -> dict[str, object]:
    changed = {key: _below(value) for key, value in node.items()}
    if changed.get("type") == "string":
        changed["type"] = ["string", "number"]
    return changed


def _below(value: object) -> object:
    if isinstance(value, dict):
        return _with_numbers(value)
    return [_below(item) for item in value] if isinstance(value, list) else value

"""National catalogue and region put together: one entry an id, each knowing who made it.

Order: national entries, then the region's `overrides` replace by id, its `withdrawn` removes, its own sections add.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import msgspec

from charging.base.money import NO_CURRENCY
from charging.catalogue.characteristics import Characteristic
from charging.catalogue.document import Catalogue, PastClosed
from charging.catalogue.dunning import DunningRule
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
from charging.catalogue.tariffs import Tariff
from charging.catalogue.taxes import BillRules, Split, Tax
from charging.catalogue.words import Band, Calendar, Destination, PartyGroup, RatingGroup, Rounding, Service, When, Zone
from charging.errors import Invalid


class _Named(Protocol):
    @property
    def id(self) -> str: ...


N = TypeVar("N", bound=_Named)


@dataclass(frozen=True, slots=True)
class MergedEntry(Generic[N]):
    """An entry of the merged catalogue. `origin` is "" for a national one, else the domain."""

    value: N
    origin: str


@dataclass(frozen=True, slots=True)
class Merged:
    """What holds for the subscribers of one domain."""

    domain: str
    national_version: int
    """Of the publication."""
    regional_version: int
    """Of the region's publication; 0 = it has none."""
    currency: str
    rounding: Rounding
    regional_rounding: Rounding
    quarantine_days: int
    """How long a number that was let go rests."""
    reopen_days: int
    """How long after its end a closed account may be opened again."""
    past_days: int
    """How many days ago a change of a contract may hold from."""
    past_closed: PastClosed
    """What it does when that is in a closed billing period."""
    services: dict[str, MergedEntry[Service]]
    calendars: dict[str, MergedEntry[Calendar]]
    bands: dict[str, MergedEntry[Band]]
    destinations: dict[str, MergedEntry[Destination]]
    zones: dict[str, MergedEntry[Zone]]
    parties: dict[str, MergedEntry[PartyGroup]]
    tariffs: dict[str, MergedEntry[Tariff]]
    price_origins: dict[tuple[str, str], str]
    """(tariff, price) → domain, for prices that a region replaced."""
    allowances: dict[str, MergedEntry[Allowance]]
    fees: dict[str, MergedEntry[Fee]]
    offerings: dict[str, MergedEntry[Offering]]
    discounts: dict[str, MergedEntry[Discount]]
    agreements: dict[str, MergedEntry[Agreement]]
    exclusive_groups: dict[str, MergedEntry[ExclusiveGroup]]
    accumulators: dict[str, MergedEntry[Accumulator]]
    taxes: dict[str, MergedEntry[Tax]]
    splits: dict[str, MergedEntry[Split]]
    bonuses: dict[str, MergedEntry[Bonus]]
    gifts: dict[str, MergedEntry[GiftRule]]
    characteristics: dict[str, MergedEntry[Characteristic]]
    bills: BillRules
    rating_groups: dict[str, MergedEntry[RatingGroup]]
    dunning: dict[str, MergedEntry[DunningRule]]


def regional_parts(merged: Merged, when: When, bands: Iterable[str] = ()) -> str:
    """Name what a region replaced among the parts that a rule uses, for its explanation; "" = nothing.

    `bands` are those that the rule names outside of `when`. The text begins with "; ", to be put behind another.
    """
    names = [*bands, *when.bands]
    used = [merged.bands[name].value for name in names if name in merged.bands]
    days = [day for band in used for day in (*band.calendars, *band.except_calendars)]
    return (
        _replaced("band", merged.bands, names)
        + _replaced("calendar", merged.calendars, days)
        + _replaced("destination", merged.destinations, when.destinations)
        + _replaced("group", merged.parties, when.parties)
        + _replaced("zone", merged.zones, (*when.home, *when.visited))
    )


def _replaced(kind: str, entries: Mapping[str, MergedEntry[N]], wanted: Iterable[str]) -> str:
    found = [name for name in dict.fromkeys(wanted) if name in entries and entries[name].origin]
    return "".join(f"; {kind} {name} of {entries[name].origin}" for name in found)


def merge(national: Catalogue, region: Catalogue | None = None) -> Merged:
    """Put a national catalogue and what a region makes of it together.

    Raises `Invalid` CATALOGUE_FAULTY when the region overrides what is not there.
    """
    domain = region.domain if region else ""
    over = region.overrides if region else Catalogue("", 1).overrides
    gone = region.withdrawn if region else Catalogue("", 1).withdrawn
    new = region or Catalogue("", 1)
    rounding = national.rounding if national.rounding is not None else Rounding()
    tariffs = _section(national.tariffs, over.tariffs, gone.tariffs, new.tariffs, domain)
    return Merged(
        domain=domain,
        national_version=national.version,
        regional_version=region.version if region else 0,
        currency=currency_of(national),
        rounding=rounding,
        # A region that says nothing of rounding rounds as the nation does; one that writes the default has it.
        regional_rounding=region.rounding if region and region.rounding is not None else rounding,
        services=_section(national.services, (), (), new.services, domain),
        calendars=_section(national.calendars, over.calendars, (), new.calendars, domain),
        bands=_section(national.bands, over.bands, (), new.bands, domain),
        destinations=_section(national.destinations, over.destinations, (), new.destinations, domain),
        zones=_section(national.zones, over.zones, (), new.zones, domain),
        parties=_section(national.parties, over.parties, (), new.parties, domain),
        price_origins=_override_prices(tariffs, region) if region else {},
        tariffs=tariffs,
        allowances=_section(national.allowances, over.allowances, gone.allowances, new.allowances, domain),
        fees=_section(national.fees, over.fees, (), new.fees, domain),
        offerings=_section(national.offerings, over.offerings, gone.offerings, new.offerings, domain),
        discounts=_section(national.discounts, over.discounts, gone.discounts, new.discounts, domain),
        agreements=_section(national.agreements, (), (), new.agreements, domain),
        exclusive_groups=_section(national.exclusive_groups, (), (), new.exclusive_groups, domain),
        accumulators=_section(national.accumulators, (), (), new.accumulators, domain),
        taxes=_section(national.taxes, over.taxes, gone.taxes, new.taxes, domain),
        bonuses=_section(national.bonuses, over.bonuses, gone.bonuses, new.bonuses, domain),
        gifts=_section(national.gifts, over.gifts, gone.gifts, new.gifts, domain),
        characteristics=_section(
            national.characteristics, over.characteristics, gone.characteristics, new.characteristics, domain
        ),
        splits=_section(national.splits, over.splits, gone.splits, new.splits, domain),
        quarantine_days=_said(new.quarantine_days, national.quarantine_days),
        reopen_days=_said(new.reopen_days, national.reopen_days),
        past_days=_said(new.past_days, national.past_days),
        past_closed=new.past_closed or national.past_closed or "next_bill",
        bills=new.bills or national.bills or BillRules(),
        rating_groups=_section(national.rating_groups, over.rating_groups, (), new.rating_groups, domain),
        dunning=_section(national.dunning, (), (), new.dunning, domain),
    )


def _said(region: int | None, nation: int | None) -> int:
    """Give what a region says, else what the nation does, else nothing."""
    return region if region is not None else nation or 0


def currency_of(national: Catalogue) -> str:
    """Give the currency of a national catalogue, ISO 4217; `NO_CURRENCY` when it names none."""
    return national.currency if national.currency is not None else NO_CURRENCY


def _section(
    national: Iterable[N], overrides: Iterable[N], withdrawn: Iterable[str], additions: Iterable[N], domain: str
) -> dict[str, MergedEntry[N]]:
    merged = {value.id: MergedEntry(value, "") for value in national}
    # In this order: an override takes its entry's place, so the order of the nation's file stays; what a region adds
    # comes last; and what it withdraws is gone for it even where its own file overrides it.
    for value in overrides:
        if value.id not in merged:
            raise Invalid("CATALOGUE_FAULTY", f"{domain} overrides {value.id!r}, which the national catalogue lacks")
        merged[value.id] = MergedEntry(value, domain)
    for name in withdrawn:
        if merged.pop(name, None) is None:
            raise Invalid("CATALOGUE_FAULTY", f"{domain} withdraws {name!r}, which the national catalogue lacks")
    for value in additions:
        merged[value.id] = MergedEntry(value, domain)
    return merged


def _override_prices(tariffs: dict[str, MergedEntry[Tariff]], region: Catalogue) -> dict[tuple[str, str], str]:
    origins: dict[tuple[str, str], str] = {}
    for change in region.overrides.prices:
        entry = tariffs.get(change.tariff)
        # all.
        places = [i for i, p in enumerate(entry.value.prices) if p.id == change.price.id] if entry else []
        if entry is None or not places:
            raise Invalid(
                "CATALOGUE_FAULTY",
                f"{region.domain} overrides price {change.tariff}/{change.price.id}, which is not there",
            )
        prices = list(entry.value.prices)
        for place in places:
            prices[place] = change.price
        tariffs[change.tariff] = MergedEntry(msgspec.structs.replace(entry.value, prices=tuple(prices)), entry.origin)
        origins[change.tariff, change.price.id] = region.domain
    return origins

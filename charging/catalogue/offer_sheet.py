"""An offering as a customer of a region would read it: what it costs, includes, charges at home and roaming."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from charging.base.names import is_code
from charging.base.tongue import ENGLISH, Tongue
from charging.catalogue import offer_figures as figures
from charging.catalogue.document import Catalogue
from charging.catalogue.merge import Merged, merge
from charging.catalogue.offer_figures import Figure
from charging.catalogue.offer_words import Words
from charging.catalogue.offers import Allowance, Discount, Fee, Offering
from charging.catalogue.tariffs import Price, Tariff
from charging.errors import Invalid, NotFound


class OfferClause(Struct, frozen=True):
    """One thing that an offering says."""

    section: str
    """"fee", "included", "price", "roaming" or "discount"."""
    id: str
    name: str
    """What it is called or what it is for, in the names of the catalogue."""
    text: str
    origin: str
    """"" = the nation's, else the code of the region that says so."""
    entry: Fee | Allowance | Price | Discount
    """As the catalogue has it; amounts are decimal text of the currency."""
    figures: tuple[Figure, ...]


class OfferSheet(Struct, frozen=True):
    """What an offering is to a customer of one domain."""

    offering: Offering
    with_it: tuple[Offering, ...]
    """Offerings that come with it."""
    currency: str
    clauses: tuple[OfferClause, ...]


def offer_sheet(catalogues: Sequence[Catalogue], offering: str, domain: str, say: Tongue = ENGLISH) -> OfferSheet:
    """Read an offering of checked catalogues.

    Raises `NotFound` CATALOGUE_UNKNOWN; `Invalid` REGION_UNKNOWN, OFFERING_UNKNOWN.
    """
    if not is_code(domain):
        raise Invalid("REGION_UNKNOWN", f"domain {domain[:40]!r} names no region")
    national = next((one for one in catalogues if not one.domain), None)
    if national is None:
        raise NotFound("CATALOGUE_UNKNOWN", "the folder has no national catalogue, and a region alone sells nothing")
    merged = merge(national, next((one for one in catalogues if one.domain == domain), None))
    if offering not in merged.offerings:
        known = ", ".join(sorted(merged.offerings))
        raise Invalid("OFFERING_UNKNOWN", f"{offering!r} is not sold in {domain}: there are {known}")
    return sheet_of(merged, offering, domain, say)


def sheet_of(merged: Merged, offering: str, domain: str, say: Tongue) -> OfferSheet:
    """Read an offering that is in a merged catalogue."""
    held, words = list(_held(merged, offering)), Words(merged, say)
    clauses = (
        *_fees(merged, held, words, say),
        *_allowances(merged, held, words, say),
        *_prices(merged, held, domain, words, say),
        *_off(merged, held, words, say),
    )
    return OfferSheet(held[0], tuple(held[1:]), merged.currency, clauses)


def _held(merged: Merged, offering: str) -> Iterator[Offering]:
    """Give an offering and all that come with it, each once."""
    waiting, seen = [offering], set[str]()
    while waiting:
        name = waiting.pop(0)
        if name in seen or name not in merged.offerings:
            continue
        seen.add(name)
        found = merged.offerings[name].value
        waiting.extend(found.includes)
        yield found


def _fees(merged: Merged, held: Sequence[Offering], words: Words, say: Tongue) -> Iterator[OfferClause]:
    for name in dict.fromkeys(name for each in held for name in each.fees):
        entry = merged.fees[name]
        fee = entry.value
        text = words.fee(fee) + words.dates(fee.effective_from, fee.effective_to)
        yield OfferClause("fee", fee.id, say.label(fee.name, fee.id), text, entry.origin, fee, figures.of_fee(fee))


def _allowances(merged: Merged, held: Sequence[Offering], words: Words, say: Tongue) -> Iterator[OfferClause]:
    for name in dict.fromkeys(name for each in held for name in each.allowances):
        if name not in merged.allowances:
            continue  # Withdrawn in this region.
        entry = merged.allowances[name]
        free = entry.value
        text = words.allowance(free) + words.dates(free.effective_from, free.effective_to)
        yield OfferClause(
            "included", free.id, say.label(free.name, free.id), text, entry.origin, free, figures.of_allowance(free)
        )


def _prices(merged: Merged, held: Sequence[Offering], domain: str, words: Words, say: Tongue) -> Iterator[OfferClause]:
    """Give what usage costs: at home first, then roaming; of a service in the order of its prices."""
    found: list[OfferClause] = []
    for tariff in _tariffs(merged, held):
        service = merged.services[tariff.service].value
        for price in tariff.prices:
            section = "price" if _at_home(merged, price, domain) else "roaming"
            origin = merged.price_origins.get((tariff.id, price.id), merged.tariffs[tariff.id].origin)
            name = f"{say.label(service.name, service.id)}{words.when(price.when)}"
            text = words.price(price, service.unit)
            found.append(
                OfferClause(
                    section, f"{tariff.id}/{price.id}", name, text, origin, price, figures.of_price(price, service.unit)
                )
            )
    yield from sorted(found, key=lambda clause: clause.section)


def _tariffs(merged: Merged, held: Sequence[Offering]) -> list[Tariff]:
    """Give the tariffs that price what the offerings open: their own, and standard ones where they have none."""
    own = [merged.tariffs[name].value for each in held for name in each.tariffs if name in merged.tariffs]
    priced = {tariff.service for tariff in own}
    opened = {service for each in held for service in each.services} - priced
    standard = [entry.value for entry in merged.tariffs.values() if entry.value.standard]
    asked = [*own, *(tariff for tariff in standard if tariff.service in opened)]
    return list({tariff.id: tariff for tariff in asked}.values())


def _at_home(merged: Merged, price: Price, domain: str) -> bool:
    """Say whether a price may hold in the subscriber's own region."""
    places = [place for zone in price.when.visited if zone in merged.zones for place in merged.zones[zone].value.places]
    return not price.when.visited or "home" in price.when.visited or any(fnmatchcase(domain, each) for each in places)


def _off(merged: Merged, held: Sequence[Offering], words: Words, say: Tongue) -> Iterator[OfferClause]:
    """Give the discounts that come with the offerings, and those of the product that everybody may get."""
    named = {name for each in held for name in each.discounts}
    services = {service for each in held for service in each.services} | {t.service for t in _tariffs(merged, held)}
    for name, entry in merged.discounts.items():
        rule = entry.value
        meant = set(rule.when.usage.services)
        everybody = rule.stage == "product" and (not meant or meant & services) and not _others(rule, held)
        if name in named or everybody:
            text = words.discount(rule) + words.dates(rule.effective_from, rule.effective_to)
            yield OfferClause(
                "discount", name, say.label(rule.name, name), text, entry.origin, rule, figures.of_discount(rule)
            )


def _others(rule: Discount, held: Sequence[Offering]) -> bool:
    """Say whether a rule is for holders of other offerings alone."""
    wanted = rule.when.offerings
    return bool(wanted) and not {each.id for each in held} & set(wanted)

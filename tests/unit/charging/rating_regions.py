"""The oracle of the merge: nation and region written out as one, by the words of `charging.catalogue.document`.

National first, then the region's overrides replace by id, withdrawals remove, additions are added. Shares no code with
`charging.catalogue.merge`.
"""

from msgspec.structs import replace

from charging.catalogue.document import Catalogue

SECTIONS = ("calendars", "bands", "allowances", "offerings", "discounts", "tariffs")


def together(nation: Catalogue, region: Catalogue) -> Catalogue:
    """Give the catalogue of the subscribers of a region."""
    sections = {}
    for section in SECTIONS:
        entries = {entry.id: entry for entry in getattr(nation, section)}
        for entry in getattr(region.overrides, section):
            entries[entry.id] = entry
        for name in getattr(region.withdrawn, section, ()):
            del entries[name]
        for entry in getattr(region, section):
            entries[entry.id] = entry
        sections[section] = tuple(entries.values())
    for change in region.overrides.prices:
        sections["tariffs"] = tuple(
            replace(tariff, prices=tuple(change.price if p.id == change.price.id else p for p in tariff.prices))
            if tariff.id == change.tariff
            else tariff
            for tariff in sections["tariffs"]
        )
    # What the region made is rounded its way, when it has one.
    priced_here = bool(region.overrides.prices or region.overrides.tariffs)
    rounding = region.rounding if priced_here and region.rounding is not None else nation.rounding
    return replace(nation, rounding=rounding, **sections)


def made_by(region: Catalogue) -> dict[str, str]:
    """Give the rules that the region made, by the id that a step names them with."""
    over = region.overrides
    named = [*over.allowances, *over.discounts, *over.offerings, *region.discounts]
    names = [entry.id for entry in named]
    names += [f"{change.tariff}/{change.price.id}" for change in over.prices]
    names += [f"{tariff.id}/{price.id}" for tariff in over.tariffs for price in tariff.prices]
    return dict.fromkeys(names, region.domain)

"""Compile what sessions are keyed by: services and rating groups, each with how its quota is managed."""

from charging.base.money import quantity
from charging.base.unit_key import NONE, QuotaTerms, unit_key
from charging.catalogue.merge import Merged
from charging.catalogue.words import Quota, RatingGroup


def compile_quota_terms(merged: Merged) -> dict[str, QuotaTerms]:
    """Give the terms of each unit that the catalogue names, by its key."""
    quotas = {name: entry.value.quota for name, entry in merged.services.items()}
    found = {name: _terms(name, quota, {}, controlled=True) for name, quota in quotas.items()}
    for entry in merged.rating_groups.values():
        value = entry.value
        own = value.quota if value.quota is not None else quotas.get(value.service, Quota())
        terms = _terms(value.service, own, value.attributes, controlled=value.controlled)
        found.update(dict.fromkeys(keys_of(value), terms))
    return found


def keys_of(entry: RatingGroup) -> list[str]:
    """Give the keys of units that an entry speaks of; of a group without identifiers one that stands for all."""
    group = NONE if entry.group is None else entry.group
    return [unit_key("", group, identifier) for identifier in entry.identifiers or (NONE,)]


def _terms(service: str, quota: Quota, attributes: dict[str, str], *, controlled: bool) -> QuotaTerms:
    final = quota.final
    return QuotaTerms(
        service,
        attributes,
        controlled,
        quantity(quota.usual),
        quantity(quota.threshold),
        quantity(quota.holding),
        quantity(quota.validity) * 1000,
        final.action,
        final.redirect,
        final.filters,
    )

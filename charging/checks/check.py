"""All checks of one catalogue."""

from charging.catalogue.document import Catalogue
from charging.catalogue.merge import merge
from charging.checks.accumulators import check_accumulators
from charging.checks.characteristics import check_characteristics
from charging.checks.dunning import check_dunning
from charging.checks.effects import check_effects
from charging.checks.items import check_items
from charging.checks.prices import check_prices
from charging.checks.quotas import check_numbers, check_quotas
from charging.checks.reach import check_reach
from charging.checks.references import check_cycles, check_duplicates, check_references
from charging.checks.rewards import check_rewards
from charging.checks.rules import check_discounts, check_opened_services, check_region
from charging.checks.taxes import check_taxed, check_taxes
from charging.checks.terms import check_early_ends, check_gifts
from charging.checks.units import check_units
from charging.checks.values import check_values
from charging.checks.walk import Finding
from charging.checks.whole import Nation, check_compiles, check_together

CHECKS = (
    check_references,
    check_cycles,
    check_values,
    check_effects,
    check_units,
    check_prices,
    check_reach,
    check_discounts,
    check_items,
    check_opened_services,
    check_accumulators,
    check_region,
    check_taxes,
    check_quotas,
    check_numbers,
    check_early_ends,
    check_gifts,
    check_dunning,
    check_rewards,
    check_characteristics,
)


PARTLY = (check_references, check_values, check_effects, check_units, check_prices)
"""What an entry says by itself, or names: wrong whatever else is."""


def check_partly(catalogue: Catalogue, national: Catalogue | None) -> list[Finding]:
    """Give those faults that can be told of a catalogue of which a part could not be read, or whose nation has one."""
    findings = list(check_duplicates(catalogue))
    for rule in PARTLY:
        findings.extend(rule(catalogue, national))
    return findings


def check(catalogue: Catalogue, national: Catalogue | Nation | None = None) -> list[Finding]:
    """Give the faults of a catalogue; a regional one is checked against the national one. Empty = may be published.

    In order of the checks, each along the document; those of the whole come only when no part has any. Who checks many
    regions of one nation gives it as a `Nation`, which remembers what it is alone.
    """
    nation = Nation(national) if isinstance(national, Catalogue) else national
    findings = list(check_duplicates(catalogue))
    for rule in CHECKS:
        findings.extend(rule(catalogue, nation.catalogue if nation is not None else None))
    if nation is None:
        findings.extend(check_taxed(catalogue, None))
    if not findings:
        findings.extend(check_together(catalogue, nation) if nation is not None else check_compiles(merge(catalogue)))
    return findings

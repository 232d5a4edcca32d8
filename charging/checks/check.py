"""All checks of one catalogue."""

from collections.abc import Iterator

from charging.catalogue import Catalogue
from charging.catalogue_merge import merge
from charging.checks.accumulators import check_accumulators
from charging.checks.items import check_items
from charging.checks.prices import check_prices
from charging.checks.reach import check_reach
from charging.checks.references import check_cycles, check_duplicates, check_references
from charging.checks.rules import check_discounts, check_opened_services, check_region
from charging.checks.units import check_units
from charging.checks.values import check_values
from charging.checks.walk import Finding
from charging.checks.whole import cause, check_compiles, whole_of
from charging.errors import Invalid

CHECKS = (
    check_references,
    check_cycles,
    check_values,
    check_units,
    check_prices,
    check_reach,
    check_discounts,
    check_items,
    check_opened_services,
    check_accumulators,
    check_region,
)
WHOLE = (check_cycles, check_units, check_prices, check_reach, check_opened_services, check_accumulators)
"""Checks of what national and regional entries make together."""


def check(catalogue: Catalogue, national: Catalogue | None = None) -> list[Finding]:
    """Give the faults of a catalogue; a regional one is checked against the national one. Empty = may be published."""
    findings = list(check_duplicates(catalogue))
    for rule in CHECKS:
        findings.extend(rule(catalogue, national))
    if not findings and national is not None:
        findings.extend(_together(catalogue, national))
    if not findings:
        findings.extend(check_compiles(catalogue, national))
    return findings


def _together(catalogue: Catalogue, national: Catalogue) -> Iterator[Finding]:
    """Check the whole that a sound document makes with its nation; faults the nation has alone are not the region's."""
    try:
        whole = whole_of(merge(national, catalogue))
    except Invalid as error:
        yield Finding((), f"it does not fit the national catalogue: {error}")
        return
    found = [finding for rule in WHOLE for finding in rule(whole, None)]
    alone = {finding.message for rule in WHOLE for finding in rule(national, None)} if found else set()
    for finding in found:
        if finding.message not in alone:
            yield Finding(cause(finding.path, whole, catalogue), f"in {catalogue.domain}: {finding.message}")

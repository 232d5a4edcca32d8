"""All checks of one catalogue."""

from charging.catalogue import Catalogue
from charging.checks.prices import check_prices
from charging.checks.references import check_cycles, check_duplicates, check_references
from charging.checks.rules import check_dates, check_discounts, check_opened_services, check_region
from charging.checks.units import check_units
from charging.checks.walk import Finding

CHECKS = (
    check_references,
    check_cycles,
    check_units,
    check_prices,
    check_dates,
    check_discounts,
    check_opened_services,
    check_region,
)


def check(catalogue: Catalogue, national: Catalogue | None = None) -> list[Finding]:
    """Give the faults of a catalogue; a regional one is checked against the national one. Empty = may be published."""
    findings = list(check_duplicates(catalogue))
    for rule in CHECKS:
        findings.extend(rule(catalogue, national))
    return findings

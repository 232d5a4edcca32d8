"""What the catalogue says of a unit that a network keys: of which service it is, and how its quota is managed."""

from charging.base.unit_key import QuotaTerms, numbers_of, unit_key
from charging.base.usage import Usage
from charging.errors import Invalid
from charging.plans.plan import Plan
from charging.plans.unrated import unknown_unit


def quota_terms(plan: Plan, service: str, group: int, identifier: int) -> QuotaTerms:
    """Give the terms of a unit: of the service when one is named, else of the numbers.

    Raises `Unrated` UNIT_KEY_UNKNOWN. A service that is not there has terms like any: rating says that it is not.
    """
    terms = plan.quota_terms(service, group, identifier)
    if terms is not None:
        return terms
    if service:
        return QuotaTerms(service)
    raise unknown_unit(plan, unit_key("", group, identifier))


def keyed_usage(plan: Plan, usage: Usage) -> Usage:
    """Give the usage of an event that named a key in the place of its service.

    Raises `Unrated` UNIT_KEY_UNKNOWN, `Invalid` UNIT_NOT_CONTROLLED.
    """
    group, identifier = numbers_of(usage.service)
    terms = quota_terms(plan, "", group, identifier)
    if not terms.controlled:
        text = "nothing, for what is served without being charged"
        raise Invalid("UNIT_NOT_CONTROLLED", f"{usage.service} is not charged: serve it", fields={"unit_key": text})
    attributes = {**usage.attributes, **terms.attributes}
    return Usage(
        usage.identity,
        terms.service,
        usage.start_ms,
        usage.quantity,
        usage.other_party,
        usage.visited,
        dict(sorted(attributes.items())),
    )

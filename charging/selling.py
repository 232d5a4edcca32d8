"""What may be sold together: the offerings of a contract against the catalogue."""

from charging.contract import Contract
from charging.errors import Invalid
from charging.plan import Plan

OFFERINGS_SHOWN_MAX = 12


def check_offerings(plan: Plan, contract: Contract, time_ms: int) -> None:
    """Check the subscriptions that have not ended: known, not excluded by each other, with what they require.

    Raises `Invalid` OFFERING_UNKNOWN, OFFERING_REQUIRES or OFFERING_EXCLUDED.
    """
    names = [s.offering for s in contract.subscriptions if s.valid_to_ms == 0 or time_ms < s.valid_to_ms]
    known = plan.merged.offerings
    for name in names:
        if name not in known:
            text = f"one of {', '.join(sorted(known)[:OFFERINGS_SHOWN_MAX])}"
            raise _invalid("OFFERING_UNKNOWN", f"there is no offering {name[:64]!r} here: give {text}", text)
    held = set(plan.opened_names(tuple(names)))
    for name in names:
        offering = known[name].value
        if offering.requires and not held & set(offering.requires):
            text = f"subscribe to one of {', '.join(offering.requires)} too"
            raise _invalid("OFFERING_REQUIRES", f"offering {name!r} is sold only with another: {text}", text)
        clash = sorted(held & set(offering.excludes))
        if clash:
            text = f"keep either {name} or {clash[0]}"
            raise _invalid("OFFERING_EXCLUDED", f"offering {name!r} is not sold beside {clash[0]!r}: {text}", text)


def _invalid(reason: str, message: str, text: str) -> Invalid:
    return Invalid(reason, message, fields={"contract.subscriptions": text})

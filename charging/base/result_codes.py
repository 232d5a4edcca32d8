"""Result codes that a network is answered (RFC 8506, 9; RFC 6733, 7.1), from reasons and kinds of faults."""

from collections.abc import Mapping

from charging.base.unit_key import LIMIT_REACHED, NOT_APPLICABLE, RATING_FAILED, SERVICE_DENIED
from charging.errors import Fault

TOO_BUSY = 3004
UNABLE_TO_DELIVER = 3002
AUTHORIZATION_REJECTED = 5003
UNKNOWN_SESSION = 5002
UNABLE_TO_COMPLY = 5012
USER_UNKNOWN = 5030

BY_REASON: Mapping[str, int] = {
    "ACCOUNT_CLOSED": SERVICE_DENIED,
    "ACCOUNT_SUSPENDED": SERVICE_DENIED,
    "CONTRACT_SUSPENDED": SERVICE_DENIED,
    "EVENT_BEFORE_CONTRACT": SERVICE_DENIED,
    "SERVICE_NOT_SUBSCRIBED": SERVICE_DENIED,
    "SERVICE_STOPPED": SERVICE_DENIED,
    "SUBSCRIPTION_MISSING": SERVICE_DENIED,
    "UNIT_NOT_CONTROLLED": NOT_APPLICABLE,
    "BUDGET_SPENT": LIMIT_REACHED,
    "INSUFFICIENT_FUNDS": LIMIT_REACHED,
    "QUOTA_NOT_COVERED": LIMIT_REACHED,
    "SPENDING_LIMIT_REACHED": LIMIT_REACHED,
    "UNITS_MISSING": LIMIT_REACHED,
    "ACCOUNT_UNKNOWN": USER_UNKNOWN,
    "IDENTITY_MALFORMED": USER_UNKNOWN,
    "IDENTITY_UNKNOWN": USER_UNKNOWN,
    "IDENTITY_UNROUTED": USER_UNKNOWN,
    "SESSION_EXPIRED": UNKNOWN_SESSION,
    "SESSION_RELEASED": UNKNOWN_SESSION,
    "SESSION_RELEASED_ALREADY": UNKNOWN_SESSION,
    "SESSION_UNKNOWN": UNKNOWN_SESSION,
}
"""By reason; any other goes by the kind of its fault."""
BY_KIND: Mapping[str, int] = {
    "invalid": RATING_FAILED,
    "not_found": RATING_FAILED,
    "refused": UNABLE_TO_COMPLY,
    "conflict": UNABLE_TO_COMPLY,
    "denied": AUTHORIZATION_REJECTED,
    "overloaded": TOO_BUSY,
    "unavailable": UNABLE_TO_DELIVER,
    "expired": UNABLE_TO_DELIVER,
    "broken": UNABLE_TO_COMPLY,
}


UNIT_CODES = frozenset({SERVICE_DENIED, NOT_APPLICABLE, LIMIT_REACHED, RATING_FAILED})
"""Those that one unit of a step can have, besides success."""


def unit_code(fault: Fault) -> int:
    """Give the code of a unit that is refused while the others go on."""
    code = result_code(fault)
    return code if code in UNIT_CODES else RATING_FAILED


def result_code(fault: Fault) -> int:
    """Give the code that a network is answered for the fault of a whole step."""
    return BY_REASON.get(fault.reason) or BY_KIND.get(fault.kind, UNABLE_TO_COMPLY)

"""Units of a session, as the network keys them: by rating group and service identifier, or by service code alone.

A key is one text, so that it is compared at the cost of a service code: "data", or "#10", "#10/7", "#/7". No service
code begins so. What a key of numbers is of, says the catalogue (`QuotaTerms`).
"""

import re

from msgspec import Struct

NONE = -1
"""Stands for a rating group or a service identifier that is not named; zero is a number as any."""
NUMBER_MAX = (1 << 32) - 1
"""Of Rating-Group (RFC 8506, 8.29) and Service-Identifier (8.28): Unsigned32."""
_MARK = "#"

SUCCESS = 2001
SERVICE_DENIED = 4010
NOT_APPLICABLE = 4011
LIMIT_REACHED = 4012
RATING_FAILED = 5031
"""Result codes of a unit, RFC 8506, 9. `charging.base.result_codes` has those of a whole step, too."""


def unit_key(service: str, group: int = NONE, identifier: int = NONE) -> str:
    """Give the key of a unit; numbers go before the service, which then is only what they are of."""
    if group == NONE and identifier == NONE:
        return service
    shown = "" if group == NONE else str(group)
    return f"{_MARK}{shown}" if identifier == NONE else f"{_MARK}{shown}/{identifier}"


def is_numbered(key: str) -> bool:
    """Say whether a key is one of numbers."""
    return key.startswith(_MARK)


is_key = re.compile(r"#(\d{1,10}|\d{0,10}/\d{1,10})").fullmatch
"""A key of numbers."""


def numbers_of(key: str) -> tuple[int, int]:
    """Give rating group and service identifier of a key; `NONE` for what it does not name."""
    if not is_numbered(key):
        return NONE, NONE
    group, _, identifier = key[1:].partition("/")
    return int(group) if group else NONE, int(identifier) if identifier else NONE


class QuotaTerms(Struct, frozen=True):
    """What the catalogue says of a unit: what it is of, and how its quota is managed. 0 and "" = it says nothing."""

    service: str
    attributes: dict[str, str] = {}
    """Of its usage, beside those that are reported; here one counts that is in both."""
    controlled: bool = True
    """False: it is served without quota, and never charged."""
    usual: int = 0
    """Base units that are asked for when nothing is said of how many."""
    threshold: int = 0
    """More is asked for once no more than this is left, base units (Volume-Quota-Threshold, TS 32.299)."""
    holding_s: int = 0
    """Quota that was not used for so long is given back (Quota-Holding-Time, TS 32.299)."""
    validity_ms: int = 0
    """Quota is good for so long at most (Validity-Time, RFC 8506, 8.33)."""
    final_action: str = ""
    """terminate, redirect, restrict (Final-Unit-Action, RFC 8506, 8.35)."""
    redirect: str = ""
    """Where a user is led whose last quota is used up (Redirect-Server-Address, RFC 8506, 8.39)."""
    filters: tuple[str, ...] = ()
    """What such a user may still reach, by names that the network knows (Filter-Id, RFC 8506, 8.34)."""

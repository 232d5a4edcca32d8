"""What a front end asks of a session, and what planning it needs of the platform: the words of `sessions`."""

from collections.abc import Callable
from typing import Generic, TypeVar

from msgspec import Struct

from charging.base.account import Account
from charging.base.contract import Contract
from charging.base.unit_key import NONE, QuotaTerms, unit_key
from charging.base.usage import Charge, Usage

P = TypeVar("P")


class UnitAsk(Struct, frozen=True):
    """One unit of a step, as the front end reports it."""

    service: str
    """"" = the catalogue says it, of the numbers."""
    requested: int
    """Quota asked for now, base units; 0 = none."""
    used: int
    """Used since the last report, base units."""
    time_ms: int
    """When the service began in this session; only its first report counts."""
    other_party: str = ""
    visited: str = ""
    attributes: dict[str, str] = {}
    group: int = NONE
    """Rating group; `NONE` = none is named, as of the next."""
    identifier: int = NONE
    usual: bool = False
    """As much is asked for as is usual of it."""

    @property
    def key(self) -> str:
        """Which unit of the session it is."""
        if self.group == NONE and self.identifier == NONE:
            return self.service
        return unit_key(self.service, self.group, self.identifier)


class SessionAsk(Struct, frozen=True):
    """One step of a session, as the front end asks it."""

    session_id: str
    operation: str
    """create, update, release"""
    invocation: int
    """Number of the step, one more than that of the step before (invocationSequenceNumber of TS 32.291)."""
    identity: str
    units: tuple[UnitAsk, ...]
    valid_until_ms: int
    """When quota that is granted now must have been reported."""
    time_ms: int = 0
    """When it is reported; 0 = all counts for when the services began."""
    now_ms: int = 0
    """When quota is granted, UTC; 0 = no quota is valid for a time of its own."""
    serves: bool = True
    """Its contract does: else nothing more is granted."""


class Pricing(Struct, Generic[P], frozen=True):
    """How the platform rates, passed in: `timeline.plan_at`, functions of `rating` and `pieces` beside."""

    plan_at: Callable[[int], P]
    """Catalogue in force at a moment, milliseconds UTC."""
    rate: Callable[[P, Usage, Contract, Account], Charge]
    """Of what was used: `rate_sum`."""
    quota: Callable[[P, Usage, Contract, Account], Charge]
    """Of what was used and would be: `rate_quota`."""
    quantity_max: Callable[[P, str], int]
    """Largest quota of a service, base units; 0 = there is no such service."""
    next_switch: Callable[[P, Contract, Account, Usage], int]
    """Time of the next change of tariff after what a usage has used so far, milliseconds UTC; 0 = none."""
    piece_end: Callable[[P, Contract, Account, Usage], int]
    """When the piece that begins as a usage does must end, milliseconds UTC."""
    terms: Callable[[P, str, int, int], QuotaTerms]
    """What the catalogue says of a unit, by service, rating group and service identifier. Raises `Invalid`
    UNIT_KEY_UNKNOWN."""

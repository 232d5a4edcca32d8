"""One fee that a command brings, as the platform rated it; see `charging.ledger.dues`."""

from msgspec import Struct

from charging.base.usage import SealedCharge


class Due(Struct, frozen=True, array_like=True, gc=False):
    """One fee, or what is given back of one."""

    identity: str
    """Member whose contract brings it."""
    offering: str
    fee: str
    item: str
    """Account item of the bill."""
    from_ms: int
    """First moment that it pays for, UTC; of a credit, that is given back for."""
    to_ms: int
    """First moment after; what pays for no time at all, as an activation fee, names one millisecond."""
    charge: SealedCharge
    """What it is and why; `amount` is never negative, that of a credit is given."""
    credit: bool = False

"""What an account remembers of the fees that were posted."""

from msgspec import Struct


class FeeMark(Struct, frozen=True, array_like=True, gc=False):
    """What was posted last of one fee; see `charging.ledger.dues`."""

    identity: str
    """Member whose contract brings it."""
    offering: str
    fee: str
    from_ms: int
    """First moment that it pays for, UTC."""
    to_ms: int
    """First moment that is not paid for."""
    amount: int
    """Micro-units; what a credit can give back at most."""
    earlier: bytes = b""
    """Postings before, newest first, as long as a change from the past may ask for them: `charging.ledger.feemarks`."""

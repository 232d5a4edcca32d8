"""Payments that were taken back: their keys are remembered, so that none comes, or comes again, after its reversal."""

from charging.base.account import Account
from charging.errors import Refused

REVERSAL_KEEP_MS = 180 * 86_400_000
"""How long a payment may be taken back, and how long its key is refused afterwards: the longest that schemes of cards
and banks allow, and far longer than a request is repeated."""
REVERSALS_MAX = 256
"""Payments of one account that were taken back in that time."""


def refuse_reversed(account: Account, key: str) -> None:
    """Refuse PAYMENT_REVERSED money that comes under a key that was reversed before it came."""
    if account.open.reversed and any(key == known for known, _ in account.open.reversed):
        text = "it was reversed before it came, and will never be taken: send another payment under a new key"
        raise Refused("PAYMENT_REVERSED", text)

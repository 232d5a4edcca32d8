"""What the terms of an account may be, at its opening and whenever they change."""

from charging.base.bounds import AMOUNT_MAX
from charging.errors import Invalid


def check_mode(payment_mode: str) -> None:
    """Raise Invalid PAYMENT_MODE_UNKNOWN."""
    if payment_mode not in ("prepaid", "postpaid"):
        raise Invalid("PAYMENT_MODE_UNKNOWN", "payment mode is prepaid or postpaid", fields={"payment_mode": "prepaid"})


def check_limit(credit_limit: int) -> None:
    """Raise Invalid CREDIT_LIMIT_OUT_OF_RANGE."""
    if not 0 <= credit_limit <= AMOUNT_MAX:
        raise Invalid(
            "CREDIT_LIMIT_OUT_OF_RANGE",
            f"a credit limit is 0 to {AMOUNT_MAX} micro-units",
            fields={"credit_limit": "zero or more"},
        )

"""Reasons about bills that are open: their payment, reversal, dispute and dunning."""

from charging.reasons.reason import REFUSED, Reason, Section

RECEIVABLES = Section(
    "Open bills",
    "desk",
    (
        Reason(
            "BILLS_FULL",
            REFUSED,
            "The account has as many open bills as one may.",
            "Settle or write off the oldest.",
            facts=("most",),
        ),
    ),
)

"""Reasons about bills as values: their taxes, their arithmetic, and what is taken back of them."""

from charging.reasons.reason import INVALID, REFUSED, Reason, Section

BILLS = Section(
    "Bills",
    "owner",
    (
        Reason(
            "TAX_ITEM_UNKNOWN",
            INVALID,
            "The catalogue has taxes, but none for an item on the day of what was posted under it.",
            "Publish a catalogue in which a tax names the item.",
            facts=("item",),
        ),
        Reason("BILL_WRONG", INVALID, "The bill does not add up.", facts=("sum",)),
        Reason(
            "CREDIT_ABOVE_BILL",
            REFUSED,
            "Less is left of a line of the bill than would be taken back.",
            facts=("left_micro", "line"),
        ),
    ),
)

"""Reasons about bills as values: their taxes, their arithmetic, and what is taken back of them."""

from charging.reasons.reason import INVALID, NOT_FOUND, REFUSED, Reason, Section

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
        Reason(
            "BILL_PERIOD_CLOSED",
            REFUSED,
            "The account's period is closed: its bill never changes.",
            "Correct it by a credit note.",
            facts=("closed",),
        ),
        Reason(
            "BILL_PERIOD_AHEAD",
            REFUSED,
            "An earlier period of the account is still open, and is closed first.",
            facts=("oldest",),
        ),
        Reason(
            "CUSTOMER_UNKNOWN",
            NOT_FOUND,
            "The account is of no customer, so nobody else's bills are asked of its payer.",
            "Open it with a customer_id; read the account's own bills.",
        ),
        Reason(
            "PAGE_TOKEN_FOREIGN",
            INVALID,
            "The page token is of another list, or was cut off.",
            "Send that of the page before, to the letter.",
            fields="the page token",
        ),
        Reason(
            "NOTHING_STAGED",
            NOT_FOUND,
            "Nothing is staged for the account that can be replayed now.",
            "What a closed account can't take is listed: reverse it.",
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

"""Reasons of money with rules: budgets, spending limits, bonuses, vouchers, gifts."""

from charging.reasons.reason import INVALID, REFUSED, Reason, Section

SPENDING = Section(
    "Money with rules",
    "desk",
    (
        Reason(
            "BUDGET_SPENT",
            REFUSED,
            "A book that alone pays for this use has too little left, whatever other money there is.",
            "Top that book up, or take it away by `drop_book` when it is empty.",
            facts=("asked", "book", "left"),
        ),
        Reason(
            "SPENDING_LIMIT_REACHED",
            REFUSED,
            "What is asked would pass a spending limit of the member or of the account.",
            "Wait until `resets_ms`, or raise the limit.",
            facts=("asked", "limit", "most", "resets_ms", "spent"),
        ),
        Reason("LIMIT_UNKNOWN", REFUSED, "The account has no such spending limit."),
        Reason("LIMITS_FULL", REFUSED, "The account has as many spending limits as one may."),
        Reason("LIMIT_PERIOD_UNKNOWN", INVALID, "A spending limit is for no such period.", fields="the period"),
        Reason("GIFT_UNKNOWN", INVALID, "The catalogue in force has no such rule of gifts.", fields="the rule"),
        Reason(
            "GIFT_TO_ITSELF",
            REFUSED,
            "Both ends of a gift are one identity, or members of one account.",
            fields="the other identity",
            also=INVALID,
        ),
        Reason(
            "GIFT_OUT_OF_BOUNDS",
            REFUSED,
            "The gift is less or more than its rule allows at once, in a day or in a month.",
            facts=("asked", "most", "of"),
        ),
        Reason(
            "BOOK_IN_USE",
            REFUSED,
            "The book can't be taken away: it is the main one, holds something, or something is under way from it.",
            "Empty it first.",
            facts=("book", "holds"),
        ),
    ),
)

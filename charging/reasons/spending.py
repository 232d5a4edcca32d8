"""Reasons of money with rules: budgets, spending limits, bonuses, vouchers, gifts."""

from charging.reasons.reason import DENIED, INVALID, NOBODY, NOT_FOUND, REFUSED, SAME_KEY, UNAVAILABLE, Reason, Section

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
            "OFFERING_NOT_GIVEN",
            INVALID,
            "The catalogue where the other side is served does not let this offering be given to others.",
            "Give one that says may_be_given.",
            fields="the offering",
        ),
        Reason("RECEIVER_UNKNOWN", NOT_FOUND, "Nobody has the number that a gift is for; nothing was taken."),
        Reason(
            "GIFT_OUTDATED",
            REFUSED,
            "By the time it arrived, the offering that was given would have been something else: it came back.",
            "Look at it again by `preview`, and give it anew.",
            facts=("offering",),
            also=INVALID,
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

VOUCHERS = Section(
    "Vouchers",
    "desk",
    (
        Reason(
            "VOUCHER_MALFORMED",
            INVALID,
            "This is no code, or one with a slip that its check shows: it counts as no attempt.",
            "Ask for the code again.",
            fields="the code",
        ),
        Reason(
            "VOUCHER_UNDER_WAY",
            UNAVAILABLE,
            "The voucher is being looked at where it is kept.",
            "Repeat the same request key: its answer is the end.",
            repeat=SAME_KEY,
            facts=("of_key",),
        ),
        Reason(
            "VOUCHER_UNKNOWN",
            REFUSED,
            "There is no voucher of this code, and the account counts it as a wrong one.",
            facts=("left",),
        ),
        Reason("VOUCHER_USED", REFUSED, "The voucher was used before.", facts=("used_ms",)),
        Reason("VOUCHER_NOT_ACTIVE", REFUSED, "The voucher is not on sale yet: nobody has activated it."),
        Reason(
            "VOUCHERS_HELD",
            DENIED,
            "Somebody else than a distributor blocked the vouchers.",
            "An operator activates them again.",
        ),
        Reason("VOUCHER_BLOCKED", REFUSED, "The voucher, or its batch, is blocked."),
        Reason("VOUCHER_EXPIRED", REFUSED, "The voucher has expired.", facts=("expired_ms",)),
        Reason("VOUCHER_ELSEWHERE", REFUSED, "The voucher is for accounts of other regions."),
        Reason("VOUCHER_CHANNEL", REFUSED, "The voucher is used through other channels, or by another partner."),
        Reason(
            "VOUCHERS_BLOCKED",
            REFUSED,
            "Too many wrong codes were given for the account: it takes no voucher.",
            "An operator: `onetier do lift-voucher-block`.",
            facts=("since_ms",),
        ),
        Reason(
            "VOUCHERS_PENDING",
            REFUSED,
            "As many vouchers of the account are being looked at as codes may still be wrong.",
            "Wait for those.",
            facts=("pending",),
        ),
        Reason("VOUCHER_DECIDED", REFUSED, "The voucher of this key was decided long ago, and the history tells how."),
        Reason("VOUCHERS_NOT_BLOCKED", REFUSED, "No wrong code of a voucher counts for the account."),
        Reason(
            "VOUCHERS_NOT_SERVED",
            REFUSED,
            "The platform has no key for vouchers.",
            "An operator: the setting `voucher_keys`.",
            repeat=NOBODY,
        ),
        Reason("VOUCHER_NOT_ASKED", NOT_FOUND, "The account asks for no voucher under this key."),
    ),
)

BATCHES = Section(
    "Batches of vouchers",
    "owner",
    (
        Reason("VOUCHERS_MALFORMED", INVALID, "What is asked of vouchers is not possible.", fields="what is"),
        Reason("VOUCHERS_FULL", REFUSED, "The slot has as many batches as are kept.", "Name another slot."),
        Reason("VOUCHERS_EXIST", REFUSED, "The sheet was made before."),
        Reason("BATCH_UNKNOWN", NOT_FOUND, "There is no such batch, sheet or voucher."),
        Reason(
            "BATCH_INCOMPLETE",
            UNAVAILABLE,
            "Not all sheets of the batch could be reached in time.",
            "Repeat the same request key.",
            repeat=SAME_KEY,
            facts=("done", "sheets"),
        ),
        Reason(
            "VOUCHERS_EXPORTED",
            REFUSED,
            "The codes were told before: once for ever, under another request key.",
            "Block the batch if they are lost, and make another.",
        ),
        Reason("VOUCHER_NOT_RELEASED", REFUSED, "The voucher was not used by this redemption."),
        Reason(
            "VOUCHER_KEY_LOST",
            REFUSED,
            "The key that the codes were made with is not in the platform's file any more.",
            "An operator: put it back, below the newest.",
            repeat=NOBODY,
        ),
    ),
)

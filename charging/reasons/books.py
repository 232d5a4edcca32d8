"""Reasons about money and free units: books, top-ups, moves, transfers, refunds."""

from charging.reasons.reason import INVALID, NOT_FOUND, REFUSED, SAME_KEY, UNAVAILABLE, Reason, Section

FEEDS = Section(
    "Usage in batches",
    "desk",
    (
        Reason("USES_MISSING", INVALID, "A batch of usage has none.", fields="the uses"),
        Reason(
            "BATCH_TAKEN",
            REFUSED,
            "The account has taken this batch of the feed, or a later one.",
            "Ask for the outcome of its request key, or for the usage in detail.",
            facts=("batch",),
        ),
        Reason("FEEDS_FULL", REFUSED, "The account has taken batches of as many feeds as it remembers."),
    ),
)
BOOKS = Section(
    "Books and money",
    "desk",
    (
        Reason(
            "INSUFFICIENT_FUNDS",
            REFUSED,
            "Money and credit do not cover it.",
            "Top up.",
            facts=("amount", "available", "currency", "granted"),
        ),
        Reason(
            "UNITS_MISSING", REFUSED, "A book of free units has less in it than rating found.", facts=("asked", "book")
        ),
        Reason(
            "CURRENCY_MISMATCH", REFUSED, "The amount is in another currency than the account.", facts=("currency",)
        ),
        Reason("CHARGE_NEGATIVE", INVALID, "A charge is less than zero.", "Give back by a refund or an adjustment."),
        Reason("TAKES_EXCEED_CHARGE", INVALID, "The books that rating named pay more than the charge."),
        Reason(
            "BOOKS_MALFORMED",
            INVALID,
            "A book can't be made so: ids are unique, amounts not negative, nothing is "
            "reserved, and the main book is unrestricted money.",
            fields="the books",
        ),
        Reason("BOOKS_FULL", REFUSED, "The account has as many books as one may."),
        Reason(
            "BOOKS_SUM_FULL",
            REFUSED,
            "All books of the account together would hold more than is counted.",
            facts=("most",),
        ),
        Reason("BOOK_FULL", REFUSED, "A book would hold more than is counted.", facts=("holds", "most")),
        Reason("BOOK_UNKNOWN", REFUSED, "The account has no such book.", facts=("book",)),
        Reason(
            "BOOK_EXPIRED",
            REFUSED,
            "The book is not valid now; a transfer that was sent is given back.",
            facts=("book",),
        ),
        Reason("BOOK_BOUND", REFUSED, "What is in the book is bound to it: to an allowance, or to the account."),
        Reason(
            "UNIT_MISMATCH",
            REFUSED,
            "The book holds another unit; a transfer that was sent is given back.",
            facts=("book", "unit"),
        ),
        Reason("ALLOWANCE_MISMATCH", REFUSED, "The book is bound to another allowance than the top-up names."),
        Reason("ALLOWANCE_UNKNOWN", INVALID, "The catalogue in force has no such allowance.", fields="the allowance"),
        Reason("ALLOWANCE_UNIT", INVALID, "The allowance is in another unit than the book.", fields="the allowance"),
        Reason(
            "ACCUMULATOR_UNKNOWN",
            INVALID,
            "Nothing in the catalogue in force counts under this name.",
            fields="what is watched",
        ),
        Reason(
            "AMOUNT_NOT_POSITIVE",
            INVALID,
            "A move or a transfer moves nothing.",
            fields="the amount",
        ),
        Reason("TOP_UP_NOT_POSITIVE", INVALID, "A top-up adds nothing.", fields="the amount"),
        Reason(
            "VALIDITY_OVER",
            INVALID,
            "A validity ends before it begins or before now, or is beyond the calendar.",
            fields="the end",
        ),
        Reason(
            "VALIDITY_FIXED",
            INVALID,
            "The book has something left that holds from another time than is named.",
            "Name that time, or nothing, or another book.",
            fields="the beginning",
        ),
        Reason(
            "ADJUSTMENT_UNSIGNED", INVALID, "An adjustment lacks its actor or its reason.", fields="what is missing"
        ),
        Reason("ADJUSTMENT_EMPTY", INVALID, "An adjustment changes nothing.", fields="the difference"),
        Reason(
            "TRANSFER_TO_ITSELF",
            REFUSED,
            "Both ends of the transfer are one account, and one book.",
            fields="the other identity",
            also=INVALID,
            other="MOVE_TO_SELF",
        ),
        Reason("TRANSFER_UNKNOWN", NOT_FOUND, "No such transfer is under way."),
        Reason(
            "TRANSFERS_PENDING",
            REFUSED,
            "Too many transfers are under way, or the account closes before they end.",
            facts=("pending",),
        ),
        Reason("ARRIVAL_SOUGHT", UNAVAILABLE, "The journal is searched for an earlier arrival of a transfer."),
        Reason(
            "ARRIVAL_UNKNOWN",
            UNAVAILABLE,
            "Whether a transfer arrived before can't be told any more: it stays under way.",
            "An operator audits both accounts.",
        ),
    ),
)

REFUNDS = Section(
    "Refunds",
    "desk",
    (
        Reason(
            "CHARGE_UNKNOWN",
            NOT_FOUND,
            "The account has no charge under this key.",
            "An old one is corrected by an adjustment.",
        ),
        Reason(
            "CHARGE_BEFORE_PORT",
            NOT_FOUND,
            "The journal here begins with the port of the account.",
            "Correct a charge from before by an adjustment.",
        ),
        Reason(
            "BEYOND_REACH",
            NOT_FOUND,
            "The charge is older than the journal is searched for.",
            "Correct it by an adjustment.",
        ),
        Reason("CHARGE_SOUGHT", UNAVAILABLE, "The journal is searched for the charge.", repeat=SAME_KEY),
        Reason("REFUNDED_ALREADY", REFUSED, "The charge was given back before."),
        Reason(
            "REFUND_EXCEEDS_CHARGE",
            REFUSED,
            "Less of the charge is left than is asked for.",
            facts=("charged", "left", "refunded"),
        ),
        Reason("REFUND_TOO_LATE", REFUSED, "The charge is older than half a year.", "Adjust the account."),
        Reason(
            "REFUNDS_FULL",
            REFUSED,
            "1,000 charges of the account were given back within 180 days.",
            "Adjust the account.",
        ),
        Reason(
            "SESSION_OPEN",
            REFUSED,
            "The session whose step it was still goes on.",
            "Refund it when the session has ended.",
        ),
    ),
)

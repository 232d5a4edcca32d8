"""Reasons about bills that are open: their payment, reversal, dispute and dunning."""

from charging.reasons.reason import INVALID, REFUSED, SAME_KEY, Reason, Section

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
        Reason(
            "BILL_UNKNOWN",
            REFUSED,
            "The account has no such bill: it is another account's, or was settled longer ago than is remembered.",
            facts=("bill",),
        ),
        Reason(
            "BILL_SETTLED",
            REFUSED,
            "Nothing of the bill is open any more.",
            "Leave the bill out to pay into the balance.",
            facts=("bill",),
        ),
        Reason(
            "BILL_NUMBER_TAKEN",
            INVALID,
            "The number is of the form that the house gives its own bills, now or later.",
            "Take the bill over under the number that the other system gave it.",
            fields="what it may be",
        ),
        Reason("BILL_EXISTS", REFUSED, "The account has a bill of this number already.", facts=("bill",)),
        Reason("BILL_NOT_POSITIVE", INVALID, "A bill that is taken over is for nothing, or less.", fields="the amount"),
        Reason(
            "NOTHING_OWED", REFUSED, "Nothing is to be paid of what is named; what is disputed waits for its decision."
        ),
        Reason(
            "PAYMENT_EXCEEDS_BILL",
            REFUSED,
            "More would be settled than is owed of what is named.",
            "Name less, or leave the bill out: the rest then goes to the balance.",
            facts=("bill", "owed"),
        ),
        Reason("PAYMENT_NOT_POSITIVE", INVALID, "A payment is of nothing, or less.", fields="the amount"),
        Reason(
            "PAYMENT_KIND_TAKEN",
            INVALID,
            "How a payment came in is called what the house calls something else.",
            fields="the kind",
        ),
        Reason(
            "PAYMENT_REVERSED",
            REFUSED,
            "The payment was reversed before it came, and is never taken.",
            "Send another payment under a new key.",
        ),
        Reason("REVERSED_ALREADY", REFUSED, "The payment was reversed before."),
        Reason("REVERSAL_TOO_LATE", REFUSED, "The payment is too old to be reversed.", "Adjust the account."),
        Reason("REVERSALS_FULL", REFUSED, "The account has had as many payments reversed as it may in half a year."),
        Reason("NOT_A_PAYMENT", REFUSED, "What was done under the key is no payment.", "Refund a charge instead."),
        Reason("NOT_DISPUTED", REFUSED, "Nothing of the bill is disputed.", facts=("bill",)),
        Reason("CREDIT_EXCEEDS_DISPUTE", REFUSED, "More would be credited than is disputed.", facts=("disputed",)),
        Reason(
            "CREDIT_EXCEEDS_BILL",
            REFUSED,
            "With earlier credits, more would be credited than the bill was for.",
            facts=("billed", "credited", "left"),
        ),
        Reason("CREDIT_NOT_POSITIVE", INVALID, "A credit is of nothing, or less.", fields="the amount"),
        Reason("WRITE_OFF_NOT_POSITIVE", INVALID, "A write-off is of nothing, or less.", fields="the amount"),
        Reason(
            "WRITE_OFF_UNAPPROVED",
            INVALID,
            "A debt is given up by two persons: an actor, and an approver who is another.",
            fields="the approver",
        ),
        Reason(
            "RECOVERY_EXCEEDS_WRITE_OFF",
            REFUSED,
            "More would be recovered than was written off.",
            facts=("written_off",),
        ),
        Reason(
            "SERVICE_STOPPED",
            REFUSED,
            "The service is stopped until what is overdue is paid.",
            "Pay what is overdue: service goes on in the same act.",
            facts=("service", "step"),
        ),
        Reason("DUNNED_FULL", REFUSED, "As many steps of dunning hold for the account as may."),
        Reason(
            "DUNNING_QUIET",
            REFUSED,
            "At this hour nobody is dunned: it is night, or a holiday, by the catalogue.",
            "Sweep again after the moment that the fact names.",
            repeat=SAME_KEY,
            facts=("until_ms",),
        ),
        Reason("DUNNING_MALFORMED", INVALID, "A step of dunning can't be meant so."),
        Reason(
            "AGREEMENT_MALFORMED",
            INVALID,
            "An agreement to pay later begins ahead, and ends within five years.",
            fields="the first date",
        ),
    ),
)

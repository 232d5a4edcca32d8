"""Reasons about charging sessions (3GPP TS 32.290)."""

from charging.reasons.reason import BROKEN, INVALID, NOT_FOUND, REFUSED, Reason, Section

SESSIONS = Section(
    "Sessions",
    "desk",
    (
        Reason("SESSION_UNKNOWN", NOT_FOUND, "There is no such session.", "Create it."),
        Reason("SESSION_EXISTS", REFUSED, "The session is open already."),
        Reason("SESSION_ID_USED", REFUSED, "A session of this id has ended.", "Open a new one under a new id."),
        Reason(
            "SESSION_EXPIRED",
            REFUSED,
            "The session ended by itself: no step came while it was valid.",
            "Open a new one.",
        ),
        Reason("SESSION_RELEASED", REFUSED, "The session was released; nothing can be used in it.", "Open a new one."),
        Reason("SESSION_RELEASED_ALREADY", REFUSED, "The session was released before, by another step."),
        Reason("SESSION_NOT_DUE", INVALID, "The session was renewed before its owner ended it."),
        Reason(
            "SESSIONS_FULL",
            REFUSED,
            "The account has as many open sessions as one may.",
            "Release some.",
        ),
        Reason("INVOCATION_OUT_OF_ORDER", REFUSED, "A later step of the session was done before.", facts=("newest",)),
        Reason(
            "INVOCATION_AHEAD",
            INVALID,
            "A step before this one is missing.",
            "Send it, then repeat this one.",
            fields="the invocation",
        ),
        Reason(
            "SESSION_OPERATION_UNKNOWN",
            INVALID,
            "A step is none of create, update, release.",
            fields="the operation",
            other="SESSION_MALFORMED",
        ),
        Reason(
            "SESSION_UNITS_MALFORMED",
            INVALID,
            "A step names a service twice, or not at all.",
            fields="the units",
            other="SESSION_MALFORMED",
        ),
        Reason(
            "SESSION_MALFORMED",
            INVALID,
            "The parts of a step contradict each other, or the session.",
            fields="what can't be meant",
            other="SESSION_UNITS_MALFORMED",
        ),
        Reason("USED_SHRINKS", INVALID, "Less is reported than was before.", fields="used"),
        Reason(
            "USED_OUT_OF_RANGE",
            INVALID,
            "More is reported than one step can mean.",
            fields="used",
            other="QUANTITY_ABSURD",
        ),
        Reason(
            "QUOTA_OUT_OF_RANGE",
            INVALID,
            "More is asked for than one step can grant.",
            fields="requested",
            other="QUANTITY_ABSURD",
        ),
        Reason(
            "QUANTITY_OUT_OF_RANGE",
            INVALID,
            "The whole quantity is beyond what is kept.",
            fields="the quantity",
            other="QUANTITY_ABSURD",
        ),
        Reason(
            "QUOTA_NOT_COVERED",
            REFUSED,
            "The account does not cover the quota that was planned.",
            facts=("granted", "service"),
        ),
        Reason("SESSION_WITHOUT_OUTCOME", BROKEN, "A step was answered without what it granted."),
    ),
)

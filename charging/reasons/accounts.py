"""Reasons about an account: its id, its standing, its terms, what it holds."""

from charging.reasons.reason import (
    BROKEN,
    CONFLICT,
    DENIED,
    INVALID,
    LATER,
    NEWEST,
    NOT_FOUND,
    REFUSED,
    SAME_KEY,
    UNAVAILABLE,
    Reason,
    Section,
)

ACCOUNTS = Section(
    "Accounts and contracts",
    "desk",
    (
        Reason(
            "IDENTITY_UNKNOWN", NOT_FOUND, "No account has this identity.", "Open the account first.", facts=("domain",)
        ),
        Reason(
            "IDENTITY_UNROUTED",
            NOT_FOUND,
            "No domain serves this identity.",
            "Extend the number plan, or amend an entry.",
            facts=("identity",),
        ),
        Reason(
            "IDENTITY_TAKEN",
            REFUSED,
            "The identity belongs to another account.",
            "End its contract there, or close that account, before another one takes it.",
            facts=("account",),
        ),
        Reason("IDENTITY_CONTENDED", UNAVAILABLE, "Another account takes the identity, or lets it go, just now."),
        Reason(
            "IDENTITY_ELSEWHERE",
            INVALID,
            "The identity is served by another region.",
            "Amend its directory entry first.",
            fields="the identity of the contract",
        ),
        Reason(
            "REGION_MISMATCH", INVALID, "The contract, or the account, can't be in this region.", fields="the region"
        ),
        Reason("ACCOUNT_UNKNOWN", NOT_FOUND, "There is no account of this id."),
        Reason("ACCOUNT_ID_MALFORMED", INVALID, "The id is none that the account could have.", fields="the account id"),
        Reason("ACCOUNT_EXISTS", REFUSED, "The account is there already."),
        Reason(
            "ACCOUNT_MISMATCH", INVALID, "Two fields of one request name different accounts.", fields="the account id"
        ),
        Reason(
            "SUBSCRIBER_MISSING",
            INVALID,
            "This needs the identity of a subscriber; the account's id is none.",
            fields="the identity",
        ),
        Reason("ACCOUNT_CLOSED", REFUSED, "The account is closed, for good."),
        Reason(
            "ACCOUNT_SUSPENDED",
            REFUSED,
            "The account, or its money, is suspended.",
            "Resume it; one that ended with its money resumes with a top-up.",
            facts=("why",),
        ),
        Reason(
            "ACCOUNT_MOVED",
            REFUSED,
            "The account has moved to another domain.",
            "Its identity leads there within a second.",
            repeat=SAME_KEY,
            also=UNAVAILABLE,
        ),
        Reason("ACCOUNT_MOVING", UNAVAILABLE, "The account moves to another domain just now."),
        Reason("ACCOUNT_CONTENDED", UNAVAILABLE, "The account changed more often than the request was rated again."),
        Reason(
            "ACCOUNT_FULL",
            REFUSED,
            "The account would be larger than is kept.",
            "End sessions, or use another account.",
            facts=("bytes",),
        ),
        Reason("COUNTERS_FULL", REFUSED, "The account would have more counters than are kept.", "Use another account."),
        Reason(
            "COUNTER_FULL",
            REFUSED,
            "A counter of the account would be larger than is counted.",
            "Use another account.",
            facts=("counter", "most"),
        ),
        Reason(
            "COUNTER_NAME_TOO_LONG",
            INVALID,
            "A counter's key would be longer than is kept.",
            "Shorten the names in the catalogue.",
        ),
        Reason("MEMBERS_FULL", REFUSED, "The account has as many members as one may."),
        Reason("MEMBER_UNKNOWN", REFUSED, "The account has no such member whose contract could end."),
        Reason("CONTRACT_MISSING", INVALID, "The command sets a contract and holds none.", fields="the contract"),
        Reason("CONTRACT_TOO_LARGE", INVALID, "The contract is larger than a record."),
        Reason(
            "CONTRACT_CHANGED",
            REFUSED,
            "The contract was written for a version that is not the newest any more.",
            "Write it anew for the version that the fact names.",
            repeat=NEWEST,
            facts=("version",),
        ),
        Reason("WHEN_UNKNOWN", INVALID, "A change holds from now or from the next cycle on.", fields="when"),
        Reason(
            "CHANGE_IN_PAST",
            REFUSED,
            "A change of a contract would have held before it was asked for.",
            "Name no moment, or one that is not over.",
            facts=("now_ms",),
        ),
        Reason(
            "SUBSCRIBED_ALREADY",
            REFUSED,
            "The contract holds the offering in that time already.",
            "Nothing is to be done, or end it first.",
            facts=("valid_from_ms", "valid_to_ms"),
        ),
        Reason("NOT_SUBSCRIBED", REFUSED, "The contract does not hold the offering at that moment."),
        Reason("PLAN_UNCHANGED", INVALID, "A change of plan names one offering twice.", fields="the offering"),
        Reason("VERSION_UNKNOWN", INVALID, "A first contract names a version before it.", fields="the version"),
        Reason(
            "PAYMENT_MODE_UNKNOWN",
            INVALID,
            "The payment mode is neither prepaid nor postpaid.",
            fields="the payment mode",
        ),
        Reason("STATUS_UNKNOWN", INVALID, "There is no such status.", fields="the status"),
        Reason(
            "CYCLE_DAY_OUT_OF_RANGE",
            INVALID,
            "A bill cycle begins on day 1 to 28.",
            fields="the day",
        ),
        Reason("CREDIT_IN_USE", REFUSED, "What is owed or kept needs more than the new limit.", facts=("in_use",)),
        Reason(
            "SESSIONS_OPEN",
            REFUSED,
            "An account with open sessions can't be closed.",
            "Release them first.",
            facts=("open",),
        ),
        Reason("THRESHOLD_UNKNOWN", REFUSED, "The account has no such threshold."),
        Reason("THRESHOLDS_FULL", REFUSED, "The account has as many thresholds as one may."),
        Reason("NUMBER_OUT_OF_RANGE", INVALID, "A number would be beyond what is kept.", fields="the number"),
        Reason("PARCEL_MALFORMED", INVALID, "An account that arrives from another domain can't be read."),
        Reason(
            "MOVE_TO_SELF",
            REFUSED,
            "Both ends of a move are the same book, or the same domain.",
            other="TRANSFER_TO_ITSELF",
        ),
        Reason(
            "OPENING_NEEDS_APPROVAL",
            DENIED,
            "An opening gives more than its sender may alone.",
            "Open with nothing, then give by commands that can be approved.",
        ),
    ),
)

PORTS = Section(
    "Ports of accounts",
    "data center",
    (
        Reason(
            "PORT_UNDER_WAY",
            CONFLICT,
            "The account is being ported already.",
            "Repeat that request key, or wait until it is over.",
            repeat=LATER,
        ),
        Reason("PORT_NOT_OPEN", CONFLICT, "The port that should be ended is not open.", facts=("key",)),
        Reason("PORT_LOST", BROKEN, "The port is not in the log that it was written to."),
        Reason("PARCEL_MISSING", BROKEN, "The old owner let the account go without handing it over."),
        Reason(
            "KEYS_LEFT_BEHIND",
            BROKEN,
            "Not all request keys came along with the account.",
            "Repeat the port with the same key.",
            repeat=SAME_KEY,
        ),
    ),
)

APPROVALS = Section(
    "What needs two",
    "desk",
    (
        Reason(
            "APPROVAL_NEEDED",
            REFUSED,
            "Nothing is done yet: a second principal must approve it.",
            "Another principal approves this request key; then its repeat tells the outcome.",
            repeat=SAME_KEY,
            facts=("of_key",),
        ),
        Reason("SAME_PRINCIPAL", DENIED, "Nobody approves what they proposed themselves."),
        Reason(
            "PROPOSAL_UNKNOWN",
            REFUSED,
            "Nothing waits for approval under this key, or it was decided before.",
            also=NOT_FOUND,
        ),
        Reason("PROPOSAL_EXPIRED", REFUSED, "Nobody approved it within seven days."),
        Reason("PROPOSAL_REJECTED", REFUSED, "It was rejected."),
        Reason("PROPOSALS_FULL", REFUSED, "Too much waits for approval.", "Decide that first."),
        Reason("PROPOSAL_MALFORMED", INVALID, "What is proposed can't be read, or can't wait for approval."),
    ),
)

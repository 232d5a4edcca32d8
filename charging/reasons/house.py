"""Reasons about the house itself: load, what is away, messages nobody can read, damaged journals, defects."""

from charging.reasons.reason import (
    BROKEN,
    EXPIRED,
    INVALID,
    OVERLOADED,
    UNAVAILABLE,
    Reason,
    Section,
)

_SLOWER = "Slow the caller, or add processes."
_QUOTA = "Wait as RetryInfo says, or have the quota raised (`client_…` settings)."

LOAD = Section(
    "Load",
    "desk",
    (
        Reason("SLOT_OVERLOADED", OVERLOADED, "The slot of the account has no room.", _SLOWER),
        Reason("OWNER_BUSY", OVERLOADED, "The owner of the slot has no room.", _SLOWER),
        Reason("DATACENTER_BUSY", OVERLOADED, "The data center has as much under way as it takes.", _SLOWER),
        Reason(
            "PLATFORM_FULL", OVERLOADED, "The platform has as much under way as it takes.", _SLOWER, facts=("limit",)
        ),
        Reason(
            "STREAM_FULL",
            OVERLOADED,
            "The stream has as much unanswered or unread as it may.",
            "Read the replies.",
            facts=("limit",),
        ),
        Reason(
            "STREAMS_TOO_MANY",
            OVERLOADED,
            "The client has as many streams open as it may.",
            "Send more on each.",
            facts=("limit",),
        ),
        Reason(
            "CLIENT_FULL",
            OVERLOADED,
            "The client holds more than is still free for all others.",
            _QUOTA,
            facts=("limit",),
        ),
        Reason("CLIENT_RATE", OVERLOADED, "The client sends more than its quota.", _QUOTA),
        Reason("CLIENT_LINES", OVERLOADED, "The client asks for more lines of journals than its quota.", _QUOTA),
        Reason(
            "CLIENT_OVERLOADED", OVERLOADED, "The client has as many calls under way as it takes.", "Await some first."
        ),
        Reason("HISTORY_BUSY", OVERLOADED, "Too many reads of the journal at once.", "Ask for less."),
        Reason("LINK_FULL", OVERLOADED, "Too much waits for one peer.", _SLOWER),
        Reason("PEER_STALLED", OVERLOADED, "A peer does not read what it is sent.", _SLOWER),
    ),
)

AWAY = Section(
    "What is away",
    "desk",
    (
        Reason("DEADLINE_EXCEEDED", EXPIRED, "The deadline passed before an answer came.", facts=("request_key",)),
        Reason(
            "SLOT_UNOWNED",
            UNAVAILABLE,
            "No domain server serves the slot.",
            "Start one; see `domains`, the log of takeovers.",
            facts=("slot",),
        ),
        Reason("SLOT_MOVING", UNAVAILABLE, "The slot changes its owner just now."),
        Reason("OWNER_CHANGED", UNAVAILABLE, "The slot has another owner now."),
        Reason("STORE_UNAVAILABLE", UNAVAILABLE, "A storage unit does not answer.", "Look at Cassandra."),
        Reason("DATA_CENTER_AWAY", UNAVAILABLE, "No data center can be reached."),
        Reason("PEER_AWAY", UNAVAILABLE, "A process is gone, or restarting."),
        Reason("STREAM_BROKEN", UNAVAILABLE, "A stream broke before the answer came.", facts=("cause",)),
        Reason("STREAM_ENDED", UNAVAILABLE, "A peer ended the stream before the answer came.", facts=("cause",)),
        Reason("LINK_CLOSED", UNAVAILABLE, "The link was closed before the answer came."),
        Reason("CLIENT_CLOSED", UNAVAILABLE, "The client was closed before the answer came."),
        Reason("DRAINING", UNAVAILABLE, "The process is stopping.", "Repeat the same key at another."),
        Reason(
            "ACCESS_LOG_FULL",
            UNAVAILABLE,
            "Reads can't be written into the access log, so they are not answered.",
            "Look at the disk of its folder.",
        ),
    ),
)

MESSAGES = Section(
    "Messages and journals",
    "desk",
    (
        Reason("MESSAGE_MALFORMED", INVALID, "A message is none of the call's.", "Speak the contract."),
        Reason("BATCH_MALFORMED", INVALID, "The columns of a batch don't have one length."),
        Reason("BODY_MALFORMED", INVALID, "The body of an item can't be read, or is too deep or too large."),
        Reason("ROUTE_TOO_LONG", INVALID, "A route has more characters than any identity.", fields="the route"),
        Reason(
            "ENTRY_TOO_LARGE", INVALID, "What the command makes is larger than a journal entry.", "Send less in it."
        ),
        Reason("ENTRY_UNREADABLE", INVALID, "What the command makes could not be read again."),
        Reason("ANSWER_MALFORMED", BROKEN, "An answer of another tier can't be read."),
        Reason("ANSWER_UNEXPECTED", BROKEN, "Another tier answered something else than was asked."),
        Reason(
            "ACCOUNT_DAMAGED",
            BROKEN,
            "An entry of the account's journal can't be used: the account is kept back, all others are served.",
            "See `onetier damaged`; a version that can read the entry serves the account at its next takeover.",
        ),
        Reason(
            "JOURNAL_UNREADABLE", BROKEN, "An entry of the account's journal can't be read.", "See `onetier damaged`."
        ),
        Reason(
            "OUTCOME_UNREADABLE",
            BROKEN,
            "The key was used before; what it did can't be read.",
            "See `onetier damaged`.",
        ),
        Reason("READ_FAILED", BROKEN, "The journal could not be read, for a defect of ours."),
        Reason("ACCOUNT_MISSING", BROKEN, "Something was to happen to an account that is not there."),
        Reason("BOOK_MISSING", BROKEN, "A posting names a book that the account does not have."),
        Reason("REPLAY_GAP", BROKEN, "Entries of an account's journal don't follow each other.", facts=("version",)),
        Reason("COMMAND_FAILED", BROKEN, "The command could not be decided, for a defect of ours."),
        Reason("INTERNAL", BROKEN, "A defect of ours; the trace is in the server's log."),
    ),
)

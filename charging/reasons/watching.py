"""Reasons about watching what happens to accounts: where a feed may begin, and what may be asked of it."""

from charging.reasons.reason import INVALID, NOT_FOUND, Reason, Section

WATCHING = Section(
    "Watching",
    "watch",
    (
        Reason(
            "CURSOR_MALFORMED",
            INVALID,
            "The cursor of a feed was cut off or changed.",
            "Send that of a batch, to the letter.",
            fields="the cursor",
        ),
        Reason(
            "CURSOR_FOREIGN",
            INVALID,
            "The cursor is of another feed: another system made it, or the journals end before it.",
            "Begin without one, and read meanwhile what accounts are now.",
            fields="the cursor",
        ),
        Reason(
            "CURSOR_TOO_OLD",
            NOT_FOUND,
            "The journal is not kept any more from the cursor on: events are lost to this watcher.",
            "Begin with `from_oldest`, and read what accounts are now.",
            facts=("slot",),
        ),
        Reason(
            "EVENT_KIND_UNKNOWN", INVALID, "There is no such kind of fact to watch for.", fields="the kinds there are"
        ),
    ),
)

"""Reasons that only the command line and files given to it meet: no server tells them."""

from charging.reasons.reason import BROKEN, CONFLICT, EXPIRED, INVALID, MENDED, Reason, Section

FILES = Section(
    "Files on the command line",
    "console",
    (
        Reason("HEADER_MALFORMED", INVALID, "The header of a usage file can't be read."),
        Reason("COLUMN_MISSING", INVALID, "A usage file lacks a column."),
        Reason("COLUMN_DOUBLED", INVALID, "A usage file has a column twice."),
        Reason("LINE_MALFORMED", INVALID, "A line of a usage file can't be read."),
        Reason("CYCLE_DAY_CHANGED", INVALID, "An account's cycle begins on another day in an earlier line."),
        Reason("OFFERINGS_MISSING", INVALID, "A line names no offering."),
        Reason("USE_MALFORMED", INVALID, "What is to be tried on a plan is not written as a use."),
        Reason("VERSION_AMBIGUOUS", INVALID, "Two versions of one domain are asked for."),
        Reason("COUNTRY_UNKNOWN", INVALID, "The setting `country` names none whose numbers can be read."),
        Reason(
            "FOLDER_NOT_EMPTY",
            CONFLICT,
            "The folder to be written holds something already.",
            "Give an empty one.",
            repeat=MENDED,
        ),
        Reason("CATALOGUE_ALTERED", BROKEN, "The files that were written differ from what is published."),
        Reason(
            "PUBLISH_UNANSWERED",
            EXPIRED,
            "No answer came in time: nothing may be published, or all.",
            "Publish the same folder again with a longer `--timeout`; nothing is published twice.",
        ),
    ),
)

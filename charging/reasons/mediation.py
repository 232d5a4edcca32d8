"""Reasons for which mediation puts a record or a whole file aside; those of the front door stand beside them there."""

from charging.reasons.reason import BROKEN, CONFLICT, INVALID, NOBODY, Reason, Section

MEDIATION = Section(
    "Files of switches",
    "mediation",
    (
        Reason("FILE_NOT_WHOLE", INVALID, "The trailer of a file is missing, or counts other records.",
               "Nothing of it is charged: let the switch send it again; it is taken as another file."),
        Reason("FILE_CHANGED", INVALID, "The bytes of a landed file are not those that were taken.",
               "Restore it from the switch or a backup."),
        Reason("COLUMNS_MISSING", INVALID, "The first line of a file lacks columns that the format reads.",
               "Mend the format, then `onetier mediation recycle`."),
        Reason("RECORD_MALFORMED", INVALID, "A record is not laid out as the format says.",
               "Mend the format, then `onetier mediation recycle`."),
        Reason("RECORD_TOO_LARGE", INVALID, "A record is longer than any switch writes."),
        Reason("FIELD_UNREADABLE", INVALID, "A field is empty, or no value of its type.",
               "Mend the format, then `onetier mediation recycle`."),
        Reason("TIME_AMBIGUOUS", INVALID, "Clocks of the switch's zone showed a time twice, or never.",
               "Let the switch write UTC, or an offset, in that hour."),
        Reason("RECORD_CONFLICT", CONFLICT, "A record has the key of another one and says something else.",
               "Look at both, and charge what is right by hand.", NOBODY),
        Reason("DETAILS_GAP", BROKEN, "A part of a journal is gone that was not gathered into the details.",
               "Gather more often than journals are dropped, or begin a new folder.", NOBODY),
        Reason("DETAILS_MISSING", BROKEN, "A file of the details is not there.",
               "Restore the folder, or gather it anew while the journals are kept.", NOBODY),
        Reason("CALL_SUSPECTED", CONFLICT, "A record may be another switch's of a call that is known, its clock apart.",
               "Look at both; `onetier mediation recycle --reason CALL_SUSPECTED` charges it, too.", NOBODY),
        Reason("PARTS_MISSING", CONFLICT, "Parts of a call are missing, and did not come in the time its format gives.",
               "`onetier mediation recycle --reason PARTS_MISSING` charges what is there.", NOBODY),
        Reason("PART_LATE", CONFLICT, "A part of a call came after the call was charged without it.",
               "`onetier mediation recycle --reason PART_LATE` charges it as a use of its own.", NOBODY),
    ),
)  # fmt: skip

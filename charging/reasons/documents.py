"""Reasons about documents: what is missing, or wrong, to print a bill."""

from charging.reasons.reason import INVALID, NOT_FOUND, UNAVAILABLE, Reason, Section

DOCUMENTS = Section(
    "Documents",
    "console",
    (
        Reason(
            "TEMPLATE_FAULTY",
            INVALID,
            "The template of a document can't be set.",
            "Mend it where the message says.",
            fields="the template",
        ),
        Reason("DOCUMENT_UNREADABLE", INVALID, "The file holds no bill as JSON.", fields="the field, or the file"),
        Reason(
            "FONT_MISSING",
            NOT_FOUND,
            "The font of documents is not here and can't be fetched.",
            "Do what the message says, once a machine.",
        ),
        Reason(
            "PRINTER_LOST",
            UNAVAILABLE,
            "A process that sets documents died over these.",
            "Look at the memory of the machine.",
        ),
    ),
)
